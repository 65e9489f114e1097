"""Before any training, what is tested is compared with all that a model of the plan reads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.prepare import check_data, check_training, make_data
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.tuning import plan_tuning
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.store import Store

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
DUCKS = "Ducks lay {} eggs per day and Janet eats three. How many are left?"
TESTED = [DUCKS.format(i) for i in range(5, 9)]
MINE = [DUCKS.format(i) for i in range(100, 130)]
OTHERS = [DUCKS.format(i) for i in range(200, 230)]


def planned(folder: Path, teachers: list[str], *sets: str) -> Ablation:
    """The student's corpus `sums`, tested on TESTED, and the teachers' corpus `many`, of other training questions,
    each apart from its own test file."""
    files = {"sums": (MINE, TESTED), "many": (teachers, [DUCKS.format(1000)])}
    corpora = []
    for name, parts in files.items():
        for part, questions in zip(("train", "test"), parts, strict=True):
            whys = ("so", "that is so", "that is so, as it is")  # of three lengths
            rows = (
                json.dumps({"question": q, "why": whys[i % 3], "answer": "4"}) + "\n" for i, q in enumerate(questions)
            )
            (folder / f"{name}_{part}.jsonl").write_text("".join(rows))
        paths = {part: str(folder / f"{name}_{part}.jsonl") for part in ("train", "test")}
        source = {"name": "jsonl", **paths, "rationale": "why", "validation": 0.3}
        corpora.append(f"corpora.{name}.source={json.dumps(source)}")
    # Characters of one corpus may be missing in the other.
    words = ["corpora.sums.tokenizer={name: bpe, vocabulary_size: 300}"]
    limits = [f"corpora.{name}.max_tokens=1000" for name in files]
    models = ("models.small", "models.large", "student")
    limits += [f"{model}.initial.max_position_embeddings=1000" for model in models]
    return load_ablation(SMALL, [*corpora, *words, *limits, *sets])


def checked(folder: Path, teachers: list[str], *sets: str) -> None:
    """As a run begins."""
    ablation = planned(folder, teachers, *sets)
    plan, store = build_plan(ablation, SMALL), Store(folder / "store")
    make_data(plan, store)
    check_data(ablation, plan, store)


def test_what_shares_nothing_is_let_through(tmp_path: Path) -> None:
    checked(tmp_path, OTHERS, "corpora.many.shots=2", "corpora.sums.shots=2")


@pytest.mark.parametrize(
    "leaking",
    [TESTED[1], f"Please answer: {TESTED[1]}", f"\u201c{TESTED[1].upper()}\u200b\u201d !"],
    ids=["plain", "prefix", "quotes"],
)
def test_a_test_question_in_a_teachers_training_is_refused(tmp_path: Path, leaking: str) -> None:
    with pytest.raises(UserError) as told:
        checked(tmp_path, [*OTHERS, leaking])
    assert re.search(
        r"evaluation\.benchmarks\.sums: 1 of 4 test questions stand in corpus 'many', which models are trained on, "
        r"first 'Ducks lay 6 eggs .*\((train|validation)\)",
        str(told.value),
    )


def test_a_test_question_as_a_worked_example_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\d of 4 test questions stand in corpus 'many', .* worked examples\)"):
        checked(tmp_path, [*TESTED, *OTHERS[:12]], "corpora.many.shots=9")


def test_a_test_question_that_a_prompt_spells_out_is_refused(tmp_path: Path) -> None:
    prompt = json.dumps(f"Q: {TESTED[2]} A: 4\n\nQ: {{question}} A:")
    with pytest.raises(UserError, match=r"1 of 4 test questions stand in corpus 'sums', .* \(worked examples\)"):
        checked(tmp_path, OTHERS, f"corpora.sums.prompt={prompt}")


def test_a_test_question_in_a_response_is_refused(tmp_path: Path) -> None:
    rows = [{"question": q, "why": f"Unlike {TESTED[0]}", "answer": "4"} for q in OTHERS]
    (tmp_path / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UserError, match="1 of 4 test questions stand in corpus 'many'"):
        checked(tmp_path, OTHERS, f"corpora.many.source.train={tmp_path / 'more.jsonl'}")


def test_validation_questions_in_another_corpus_of_training_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"corpora\.\w+: \d+ of \d+ validation questions, by which models are stopped"):
        checked(tmp_path, [f"Question: {q}" for q in MINE])


def test_two_corpora_of_one_file_with_one_share_of_validation_are_let_through(tmp_path: Path) -> None:
    checked(tmp_path, MINE, "corpora.many.prompt=Question {question}")
    with pytest.raises(UserError, match="of the same files with the same `validation`"):
        checked(tmp_path, MINE, "corpora.many.source.validation=0.6")


def test_tuning_is_refused_where_validation_leaks(tmp_path: Path) -> None:
    tune = "tune={space: {student.training.learning_rate: [1e-3, 2e-3]}, seeds: [100, 101]}"
    ablation = planned(tmp_path, [f"Question: {q}" for q in MINE], tune)
    plan, store = plan_tuning(ablation, SMALL).plan, Store(tmp_path / "store")
    make_data(plan, store)
    with pytest.raises(UserError, match="validation questions, by which models are stopped, chosen and tuned"):
        check_training(plan, store)
