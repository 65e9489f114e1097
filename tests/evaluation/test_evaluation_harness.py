"""lm-eval through us against lm-eval's own command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import command_line, in_a_process, samples_in
from evaluated import EVALUATION

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation.context import Context
from clpd_bench.jobs import corpus, evaluation, model
from clpd_bench.settings.specs import CorpusSpec, EvaluationSpec, ModelSpec

Scores = dict[tuple[str, str], float]


def ours(out: Path) -> Scores:
    rows = pq.read_table(out / "items.parquet").to_pylist()
    return {(row["item"], row["metric"]): row["score"] for row in rows if row["metric"] != "response_loss"}


def theirs(samples: list[dict[str, Any]], *metrics: str) -> Scores:
    return {(sample["doc"]["id"], metric): sample[metric] for sample in samples for metric in metrics}


@pytest.fixture(scope="module")
def by_command(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves of the same evaluation."""
    out = tmp_path_factory.mktemp("by_command")
    in_a_process(folders["model"], folders["evaluation"], "clpd_test", out)
    return out


def test_lm_eval_through_us_equals_its_own_command_line_item_by_item(
    folders: dict[str, Path], by_command: Path
) -> None:
    samples = samples_in(by_command, "clpd_test")
    assert ours(folders["evaluation"]) == theirs(samples, "exact_match")
    rows = pq.read_table(folders["evaluation"] / "items.parquet").to_pylist()
    outputs = {row["item"]: row["output"] for row in rows if row["metric"] == "exact_match"}
    assert outputs == {sample["doc"]["id"]: sample["resps"][0][0] for sample in samples}
    assert {*ours(folders["evaluation"]).values()} == {0.0, 1.0}, "some right, some wrong: else equality says little"


@pytest.fixture(scope="module")
def choices(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same corpus with choices of unlike length, the right one at another place each time."""
    corpus = tmp_path_factory.mktemp("choices") / "corpus"
    corpus.mkdir()
    table = pq.read_table(folders["corpus"] / "test.parquet")
    listed, labels = [], []
    for i, answer in enumerate(table["answer"].to_pylist()):
        wrong = [*(str((int(answer) + n) % 5) for n in (1, 2)), answer * (2 + i % 2)]
        labels.append(i % 4)
        listed.append([*wrong[: i % 4], answer, *wrong[i % 4 :]])
    table = table.append_column("choices", pa.array(listed)).append_column("label", pa.array(labels))
    pq.write_table(table, corpus / "test.parquet")
    (corpus / "tokenizer").symlink_to(folders["corpus"] / "tokenizer")
    made = {**folders, "corpus": corpus, "evaluation": corpus.with_name("evaluation")}
    made["evaluation"].mkdir()
    spec = EvaluationSpec.model_validate({**EVALUATION.model_dump(), "benchmark": {"kind": "choice"}})
    evaluation.run(spec, made, made["evaluation"], Context(corpus.with_name("checkpoints")))
    return made


def test_weighed_choices_equal_those_of_the_command_line_item_by_item(choices: dict[str, Path], tmp_path: Path) -> None:
    samples = command_line(choices["model"], choices["evaluation"], "clpd_test", tmp_path)
    assert ours(choices["evaluation"]) == theirs(samples, "acc", "acc_norm")
    assert {*ours(choices["evaluation"]).values()} == {0.0, 1.0}
    for sample in samples:
        nats = [float(answer[0]) for answer in sample["filtered_resps"]]
        assert sample["acc"] == (nats.index(max(nats)) == int(sample["target"]))


def test_the_right_choice_is_as_likely_as_the_response_loss_says(choices: dict[str, Path]) -> None:
    """What is scored is what is trained, token for token, to the end token: against our own scoring, not lm-eval's."""
    samples = samples_in(choices["evaluation"] / "lm_eval", "clpd_test")
    assert nats_of_right(samples) == pytest.approx(trained_nats(choices), abs=1e-3)
    assert len(samples) == 10


def nats_of_right(samples: list[dict[str, Any]]) -> dict[str, float]:
    """By item, what lm-eval found."""
    return {one["doc"]["id"]: -float(one["filtered_resps"][int(one["target"])][0]) for one in samples}


def trained_nats(made: dict[str, Path]) -> dict[str, float]:
    """By item, the response loss times the response's tokens."""
    split = read_split(made["corpus"], "test")
    rows = pq.read_table(made["evaluation"] / "items.parquet").to_pylist()
    nats = {row["item"]: row["score"] for row in rows if row["metric"] == "response_loss"}
    return {item: nats[item] * int(n) for item, n in zip(split.ids.tolist(), split.responses.lengths, strict=True)}


def test_white_space_at_a_prompts_end_is_no_part_of_a_choice(tmp_path: Path) -> None:
    """As of chat templates; by our own scoring of the responses, the other choices as responses of their own."""
    made = {name: tmp_path / name for name in ("corpus", "difficulty", "model", "evaluation")}
    for folder in made.values():
        folder.mkdir()
    rows = [{"question": {"stem": f"{i}?", "choices": [{"label": "A", "text": "x"}, {"label": "B", "text": f"y{i}"}]},
             "answerKey": "AB"[i % 2]} for i in range(30)]  # fmt: skip
    files = {name: tmp_path / f"{name}.jsonl" for name in ("train", "test")}
    for file, part in zip(files.values(), (rows[:20], rows[20:]), strict=True):
        file.write_text("".join(json.dumps(row) + "\n" for row in part))
    paths = {name: str(file) for name, file in files.items()}
    source = {"name": "commonsense_qa", **paths, "validation": 0.2}
    form = {"prompt": "{question}\nanswer: \n", "response_start": " ", "max_tokens": 64, "tokenizer": "characters"}
    hashes = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}
    spec = CorpusSpec.model_validate({"corpus": {"source": source, **form}, "file_hashes": hashes})
    corpus.run(spec, {}, made["corpus"], Context(tmp_path / "a"))
    architecture = {"name": "llama", "hidden_size": 16, "num_attention_heads": 2, "max_position_embeddings": 96}
    fresh = ModelSpec.model_validate({"architecture": architecture, "seed": 0})
    model.run(fresh, made, made["model"], Context(tmp_path / "b"))
    weighed = EvaluationSpec.model_validate({**EVALUATION.model_dump(), "benchmark": {"kind": "choice"}})
    del made["difficulty"]
    evaluation.run(weighed, made, made["evaluation"], Context(tmp_path / "c"))
    samples = samples_in(made["evaluation"] / "lm_eval", "clpd_test")
    assert nats_of_right(samples) == pytest.approx(trained_nats(made), abs=1e-3)
    assert len(samples) == 10


def test_a_benchmark_of_choices_has_the_response_loss_of_its_corpus_too(
    folders: dict[str, Path], choices: dict[str, Path]
) -> None:
    def losses(out: Path) -> list[dict[str, Any]]:
        rows = pq.read_table(out / "items.parquet").to_pylist()
        return [row for row in rows if row["metric"] == "response_loss"]

    assert losses(choices["evaluation"]) == losses(folders["evaluation"])


def test_choices_are_part_of_what_was_expected(choices: dict[str, Path]) -> None:
    """Runs whose choices differ are no pairs, even where the right one has the same number."""
    rows = pq.read_table(choices["evaluation"] / "items.parquet").to_pylist()
    hashes = {row["item"]: row["target_hash"] for row in rows if row["metric"] == "acc"}
    assert len({*hashes.values()}) == len(hashes)


def test_lm_evals_own_results_are_kept_in_its_layout_without_places(folders: dict[str, Path], by_command: Path) -> None:
    kept = folders["evaluation"] / "lm_eval"
    (results_file,) = kept.rglob("results_*.json")
    assert results_file.parent == kept / "model"
    (their_file,) = by_command.rglob("results_*.json")
    own, their = json.loads(results_file.read_text()), json.loads(their_file.read_text())
    assert own["results"] == their["results"]
    assert own["n-samples"] == their["n-samples"]
    assert own["task_hashes"] == their["task_hashes"]
    assert their.keys() - own.keys() == {"pretty_env_info", "git_hash"}
    assert own["config"]["model"] == "hf"
    assert samples_in(kept, "clpd_test") == samples_in(by_command, "clpd_test")
    for place in (str(folders["evaluation"].parent), "/tmp"):
        assert place not in results_file.read_text()
