"""The corpus's own responses get full marks through a benchmark's own task, or are told before any training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from lm_eval.api.instance import Instance
from lm_eval.api.metrics import exact_match_hf_evaluate
from lm_eval.filters import build_filter_ensemble
from lm_eval.models.utils import postprocess_generated_text
from lm_eval.tasks._yaml_loader import load_yaml
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from clpd_bench.corpus.example import Example
from clpd_bench.corpus.reader import Split, read_split
from clpd_bench.corpus.token_checks import refuse_changed
from clpd_bench.distillation.context import Context
from clpd_bench.errors import UserError
from clpd_bench.evaluation import gold
from clpd_bench.evaluation.gold import LEDGER, prepare
from clpd_bench.evaluation.load_task import loaded
from clpd_bench.jobs import corpus
from clpd_bench.outside.lm_eval_tasks import own_tasks
from clpd_bench.settings.parts.corpus import CorpusSettings
from clpd_bench.settings.parts.evaluation import Benchmark
from clpd_bench.settings.specs import BenchmarkSpec, ChoiceSpec, CorpusSpec

Row = dict[str, Any]


def made(folder: Path, rows: Sequence[Row], **settings: Any) -> tuple[Split, PreTrainedTokenizerFast]:
    """The test split of a corpus of these rows, told apart by a number in the question, and its tokenizer."""
    files = {"train": folder / "train.jsonl", "test": folder / "test.jsonl"}
    for number, file in enumerate(files.values()):
        copies = [{**row, "question": f"{number}{i}: {row['question']}"} for i in range(9) for row in rows]
        file.write_text("".join(json.dumps(copy) + "\n" for copy in copies))
    source = {"name": "jsonl", **{name: str(file) for name, file in files.items()}, "validation": 0.3}
    source |= settings.pop("source", {})
    chosen = {"tokenizer": "characters", "max_tokens": 400, **settings}
    hashes = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}
    settings_of_it = CorpusSettings.model_validate({"source": source, **chosen})
    spec = CorpusSpec(corpus=settings_of_it, file_hashes=hashes)
    (folder / "corpus").mkdir()
    corpus.run(spec, {}, folder / "corpus", Context(folder))
    tokenizer = AutoTokenizer.from_pretrained(str(folder / "corpus" / "tokenizer"))
    return read_split(folder / "corpus", "test"), tokenizer


def benchmark(marker: str | None = "\n#### ", **settings: Any) -> BenchmarkSpec:
    return BenchmarkSpec(max_new_tokens=200, answer_marker=marker, **settings)


RATIONALE = {"source": {"rationale": "rationale"}}
FULL: dict[str, tuple[Row, dict[str, Any], BenchmarkSpec]] = {
    "several lines behind the marker": (
        {"question": "eight?", "answer": "6 + 2 = 8\n#### 8\nThe answer is: 8"},
        {"source": {"split_on": "####"}},
        benchmark(),
    ),
    "a date": ({"question": "which day?", "rationale": "One on.", "answer": "2024-03-01"}, RATIONALE, benchmark()),
    "a line behind a rationale": (
        {"question": "so?", "rationale": "It is.", "answer": "yes"},
        RATIONALE,
        benchmark(extract="line"),
    ),
    "an answer of two lines": (
        {"question": "list?", "rationale": "We list them.", "answer": "red\ngreen"},
        RATIONALE,
        benchmark(),
    ),
    "the marker inside the rationale": (
        {"question": "steps?", "rationale": "#### Step 1\n1 + 1 = 2", "answer": "2"},
        RATIONALE,
        benchmark(extract="number"),
    ),
    "a marker of white space": (
        {"question": "so?", "rationale": "It is 5 or 6", "answer": "6"},
        {**RATIONALE, "answer_marker": "\n"},
        benchmark("\n", extract="number"),
    ),
    "a marker that is an expression": (
        {"question": "so?", "rationale": "It is (", "answer": "6"},
        {**RATIONALE, "answer_marker": " (.*)+ "},
        benchmark(" (.*)+ ", extract="number"),
    ),
    "words alone": ({"question": "so?", "answer": "The red one."}, {}, benchmark(None, extract="line")),
    "a fraction": ({"question": "so?", "rationale": "a", "answer": "1 3/4"}, RATIONALE, benchmark(extract="number")),
    "a choice": ({"question": "so?", "answer": "(b) a cat"}, {}, benchmark(None, extract="letter")),
    "a choice behind a rationale that speaks of all": (
        {"question": "so?", "rationale": "(a) a dog: no. (b) a cat: yes. (c) a cow: no.", "answer": "(b) a cat"},
        RATIONALE,
        benchmark(extract="letter"),
    ),
    "an answer that looks like a list": ({"question": "so?", "answer": "[1, 2]"}, {}, benchmark(None)),
    "a number as text": ({"question": "so?", "answer": "007"}, {}, benchmark(None)),
}


@pytest.mark.parametrize("kind", FULL)
def test_a_response_gets_full_marks_through_the_very_task(kind: str, tmp_path: Path) -> None:
    row, settings, wanted = FULL[kind]
    split, tokenizer = made(tmp_path, [row], **settings)
    assert prepare(split, wanted, tokenizer, tmp_path) is split
    assert {(name, s) for name, s in through_lm_eval(tmp_path, split, tokenizer)} == {
        (name, 1.0) for name in (("strict", "flexible") if wanted.extract else ("strict",))
    }


def through_lm_eval(folder: Path, split: Split, tokenizer: PreTrainedTokenizerFast) -> list[tuple[str, float]]:
    """(filter, exact match) of each response by lm-eval's own code."""
    outputs = [
        str(tokenizer.decode(split.responses[i].tolist()[:-1], skip_special_tokens=True)) for i in range(len(split.ids))
    ]
    return [(name, score) for name, score, _ in read_by_lm_eval(folder, outputs)]


def read_by_lm_eval(folder: Path, outputs: list[str]) -> list[tuple[str, float, str]]:
    """(filter, exact match, what was found)."""
    with loaded(folder) as task:
        documents = list(task.eval_docs)
        stops = task.config.generation_kwargs["until"]
        instances = [
            Instance(
                "generate_until",
                document,
                ("", {}),
                0,
                ("task", i, 1),
                [postprocess_generated_text(outputs[i], stops, None)],
            )
            for i, document in enumerate(documents)
        ]
        task._instances = instances
        task.apply_filters()
        return [
            (name, float(task.process_results(one.doc, [found])["exact_match"]), str(found))
            for one in instances
            for name, found in one.filtered_resps.items()
        ]


LOST: dict[str, tuple[Row, dict[str, Any], BenchmarkSpec, str]] = {
    "two values": ({"question": "so?", "answer": "3 and 5"}, {}, benchmark(None, extract="number"), "'5'"),
    "a word where a number is extracted": (
        {"question": "so?", "answer": "seven"},
        {},
        benchmark(None, extract="number"),
        "invalid",
    ),
    "no choice": ({"question": "so?", "answer": "bank"}, {}, benchmark(None, extract="letter"), "invalid"),
    "a stop inside": (
        {"question": "so?", "rationale": "Question: what is it?", "answer": "6"},
        RATIONALE,
        benchmark(stops=("Question:",)),
        "''",
    ),
    "the answer's own words are ignored": (
        {"question": "so?", "answer": "(B) bank"},
        {},
        benchmark(None, ignore=("B",), extract="letter"),
        "'B'",
    ),
}


@pytest.mark.parametrize("kind", LOST)
def test_a_response_that_is_scored_wrong_is_told_with_item_and_reason(kind: str, tmp_path: Path) -> None:
    row, settings, wanted, found = LOST[kind]
    split, tokenizer = made(tmp_path, [row], **settings)
    with pytest.raises(UserError, match=r"9 of 9 items' own responses do not get full marks") as raised:
        prepare(split, wanted, tokenizer, tmp_path)
    assert split.ids[0] in str(raised.value)
    assert found in str(raised.value)
    assert "gold: drop" in str(raised.value)


def test_gold_drop_leaves_those_items_out_with_a_ledger(tmp_path: Path) -> None:
    rows = [{"question": "so?", "answer": "3"}, {"question": "and?", "answer": "3 and 5"}]
    split, tokenizer = made(tmp_path, rows)
    kept = prepare(split, benchmark(None, extract="number", gold="drop"), tokenizer, tmp_path)
    lost = json.loads((tmp_path / LEDGER).read_text())
    assert set(kept.texts("answer")) == {"3"}
    assert {*kept.ids.tolist()} | {*lost} == {*split.ids.tolist()}
    assert len(kept.ids) == len(lost) == 9
    assert pq.read_table(tmp_path / "documents.parquet")["id"].to_pylist() == kept.ids.tolist()
    assert [one.tolist() for one in (kept.prompts[0], kept.responses[0])] == [
        one.tolist()
        for one in (
            split.prompts[split.ids.tolist().index(kept.ids[0])],
            split.responses[split.ids.tolist().index(kept.ids[0])],
        )
    ]


def test_a_response_that_outputs_have_no_room_for_is_told_or_left_out(tmp_path: Path) -> None:
    rows = [{"question": "so?", "answer": "3"}, {"question": "and?", "answer": "33333"}]
    split, tokenizer = made(tmp_path, rows)
    short = {"max_new_tokens": 5, "answer_marker": None, "extract": "number"}
    with pytest.raises(UserError, match="9 of 18 gold responses have more tokens") as raised:
        prepare(split, BenchmarkSpec(**short), tokenizer, tmp_path)
    assert "Set it to 6 or more" in str(raised.value)
    kept = prepare(split, BenchmarkSpec(**short, gold="drop"), tokenizer, tmp_path)
    assert set(kept.texts("answer")) == {"3"}
    assert prepare(split, BenchmarkSpec(**{**short, "max_new_tokens": 6}), tokenizer, tmp_path) is split


def test_gold_drop_of_all_items_is_an_error(tmp_path: Path) -> None:
    split, tokenizer = made(tmp_path, [{"question": "so?", "answer": "3 and 5"}])
    with pytest.raises(UserError, match="no item is left"):
        prepare(split, benchmark(None, extract="number", gold="drop"), tokenizer, tmp_path)


def test_a_tokenizer_that_does_not_give_responses_back_is_refused(tmp_path: Path) -> None:
    """One that has no capitals: a model could never write the marker."""
    own = Tokenizer(models.WordLevel({character: i for i, character in enumerate("abcdefghijklmnopqrstuvwxyz :")}, "a"))
    own.normalizer = normalizers.Lowercase()
    own.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    own.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=own)
    example = Example("who?", "", "Answer: bob")

    def check(text: str) -> None:
        refuse_changed(example, tokenizer(text)["input_ids"], text, tokenizer)

    check("answer: bob")
    with pytest.raises(UserError, match="writes 'answer:bob' for 'Answer:bob'"):
        check("Answer: bob")


def test_a_next_question_ends_an_output(tmp_path: Path) -> None:
    """As lm-eval's own task of GSM8K does."""
    row = {"question": "so?", "rationale": "70 + 2", "answer": "72"}
    form = {"prompt": "Question: {question}\nAnswer:", "response_start": " "}
    split, tokenizer = made(tmp_path, [row], **RATIONALE, **form)
    stop = CorpusSettings.model_validate(
        {"source": {"name": "jsonl", "train": "a", "test": "b"}, "tokenizer": "characters", **form}
    ).next_question
    assert stop == "Question:"
    prepare(split, benchmark(extract="number", stops=(stop,)), tokenizer, tmp_path)
    output = " 70 + 2\n#### 72\n\nQuestion: what is 1 + 10?\nAnswer: 11\n#### 11"
    assert {score for _, score, _ in read_by_lm_eval(tmp_path, [output] * 9)} == {1.0}


def test_strict_match_is_lm_evals_own_filter_of_gsm8k(tmp_path: Path) -> None:
    """Against its shipped task file: the expression, and what it holds to be equal."""
    theirs = load_yaml(own_tasks() / "gsm8k" / "gsm8k.yaml")
    steps: list[Any] = [
        [f["function"], {k: v for k, v in f.items() if k != "function"}] for f in theirs["filter_list"][0]["filter"]
    ]
    equality = {
        k: v for k, v in theirs["metric_list"][0].items() if k not in ("metric", "aggregation", "higher_is_better")
    }
    outputs = [
        "#### 72",
        "#### 72.",
        "#### $72",
        "####72",
        "#### 72.0",
        "#### 1\n#### 72",
        "72",
        "#### 7,2",
        "#### -72",
    ]
    row = {"question": "so?", "rationale": "70 + 2", "answer": "72"}
    split, tokenizer = made(tmp_path, [row], **RATIONALE)
    prepare(split, benchmark(extract="number", strict_match=True), tokenizer, tmp_path)
    mine = {
        (name, i): score
        for i, (name, score, _) in enumerate(read_by_lm_eval(tmp_path, outputs))
        if name == "strict-match"
    }
    responses: Any = [[output] for output in outputs]
    for build in build_filter_ensemble("strict-match", steps).filters:
        responses = list(build().apply(responses, [{}] * len(outputs)))
    wanted = [exact_match_hf_evaluate([found], ["70 + 2\n#### 72"], **equality)["exact_match"] for found in responses]
    assert [*mine.values()] == [float(one) for one in wanted]
    assert {*wanted} == {0.0, 1.0}


def test_strict_match_stands_beside_ours_where_the_corpus_is_gsm8k_with_its_marker() -> None:
    def filters(source: str, **settings: Any) -> tuple[str, ...]:
        given = {"name": source, "train": "a", "test": "b"}
        chosen = CorpusSettings.model_validate({"source": given, "tokenizer": "characters", **settings})
        return Benchmark(corpus="c", max_new_tokens=9).series(chosen)["exact_match"]

    assert filters("gsm8k") == ("strict", "flexible", "strict-match")
    assert filters("gsm8k", answer_marker=" = ") == ("strict", "flexible")
    assert filters("jsonl") == ("strict",)


def test_the_files_are_read_as_lm_eval_reads_them(tmp_path: Path) -> None:
    """The check before training does without importing lm-eval."""
    rows = [{"question": "so?", "rationale": "It is 5.", "answer": answer} for answer in ("6", "1/2", "7 of 8", "x")]
    split, tokenizer = made(tmp_path, rows, **RATIONALE)
    wanted = benchmark(extract="number")
    gold._write(split, wanted, tokenizer, tmp_path)
    reading = gold._reading(tmp_path, split, tokenizer)
    ours = [(name, scores["exact_match"], found) for marked in reading.marks for name, found, scores in marked]
    assert ours == read_by_lm_eval(tmp_path, reading.outputs)
    assert {score for _, score, _ in ours} == {0.0, 1.0}


def test_choices_of_one_text_are_told(tmp_path: Path) -> None:
    split, tokenizer = choices_of(tmp_path, ["car", "bank", "car"], right=2)
    with pytest.raises(UserError, match="not the most likely choice"):
        prepare(split, ChoiceSpec(kind="choice"), tokenizer, tmp_path)


def choices_of(folder: Path, texts: list[str], right: int) -> tuple[Split, PreTrainedTokenizerFast]:
    split, tokenizer = made(folder, [{"question": "so?", "answer": texts[right]}])
    table = split.table.append_column("choices", [[texts] * len(split.ids)])
    table = table.append_column("label", [[right] * len(split.ids)])
    return Split(split.ids, split.prompts, split.responses, table), tokenizer
