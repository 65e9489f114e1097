"""Each mistake in a file is told with file, line, key, what was found, what is allowed, the nearest name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from refusal import refused

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation


def line_of(small: Path, text: str) -> int:
    return next(i for i, line in enumerate(small.read_text().split("\n"), start=1) if text in line)


def line_of_change(text: str, old: str, new: str) -> int:
    """The line on which `new`, which stands in the text for `old`, first says something else."""
    same = next(i for i, (a, b) in enumerate(zip(f"{old}\0", f"{new}\1", strict=False)) if a != b)
    added = new[same:]
    start = text.index(new) + same + len(added) - len(added.lstrip())
    return text.count("\n", 0, start) + 1


MISTAKES = {
    # what: (in the file, instead, key, what the sentence says)
    "unknown key": (
        "epochs: 2",
        "epoch: 2",
        "student.training.epoch",
        "unknown key. Did you mean 'epochs'? Allowed: epochs, ",
    ),
    "unknown key inside a union": (
        "{stages: 2, difficulty: cot_tokens, pacing: {name: blend, strength: 0.6}}",
        "{stages: 2, difficulty: {name: cot_tokens, colum: 1}, pacing: {name: blend, strength: 0.6}}",
        "curriculum.difficulty.colum",
        "unknown key. Allowed: name.",
    ),
    "unknown top-level key": ("seeds: [0, 1]", "sedes: [0, 1]", "sedes", "Did you mean 'seeds'?"),
    "unknown key of an initial model": (
        "initial: {name: llama, hidden_size: 16,",
        "initial: {name: llama, hiden_size: 16,",
        "models.large.initial.hiden_size",
        "Did you mean 'hidden_size'?",
    ),
    "misspelt arm in the family": (
        "family: [data_ordering,",
        "family: [data_odering,",
        "analysis.family.0",
        "there is no arm 'data_odering'. Did you mean 'data_ordering'? Allowed: sft, standard_kd",
    ),
    "misspelt baseline": (
        "baseline: standard_kd",
        "baseline: standrad_kd",
        "analysis.baseline",
        "Did you mean 'standard_kd'?",
    ),
    "baseline in the family": (
        "family: [data_ordering,",
        "family: [standard_kd,",
        "analysis.family.0",
        "cannot be compared with itself",
    ),
    "misspelt benchmark": (
        "primary: {benchmark: sums,",
        "primary: {benchmark: sum,",
        "analysis.primary.benchmark",
        "there is no benchmark 'sum'. Did you mean 'sums'?",
    ),
    "misspelt metric": (
        "metric: response_loss",
        "metric: respons_loss",
        "analysis.primary.metric",
        "unknown value 'respons_loss'. Did you mean 'response_loss'? Allowed: exact_match, acc, acc_norm, "
        "response_loss.",
    ),
    "misspelt teacher": (
        "teachers: [small, large]",
        "teachers: [smal, large]",
        "teachers.0",
        "there is no model 'smal'. Did you mean 'small'? Allowed: small, large.",
    ),
    "two teachers of one name": (
        "teachers: [small, large]",
        "teachers: [small, small]",
        "teachers",
        "teacher 'small' stands in the list twice",
    ),
    "two seeds that are one": ("seeds: [0, 1]", "seeds: [1, '1']", "seeds", "seed 1 stands in the list twice"),
    "a negative seed": ("seeds: [0, 1]", "seeds: [0, -1]", "seeds.1", "must be greater than or equal to 0, and is -1"),
    "misspelt model": (
        "student:\n  initial: {name: llama, hidden_size: 8, num_attention_heads: 2, max_position_embeddings: 64}",
        "student:\n  initial: smalll",
        "student.initial",
        "there is no model 'smalll'. Did you mean 'small'?",
    ),
    "misspelt corpus": (
        "  corpus: sums\n  training:",
        "  corpus: smus\n  training:",
        "student.corpus",
        "there is no corpus 'smus'. Did you mean 'sums'? Allowed: sums, many.",
    ),
    "misspelt corpus of a tokenizer": (
        "same_as:sums",
        "same_as:sum",
        "corpora.many.tokenizer",
        "there is no corpus 'sum'. Did you mean 'sums'?",
    ),
    "a circle of tokenizers": ("same_as:sums", "same_as:many", "corpora.many.tokenizer", "borrow each other's"),
    "misspelt order": (
        "clpd: {order: easy_to_hard",
        "clpd: {order: easy_to_hrad",
        "arms.clpd.order",
        "unknown name 'easy_to_hrad'. Did you mean 'easy_to_hard'? Allowed: shuffled, easy_to_hard, ",
    ),
    "a name without what belongs to it": (
        "difficulty: cot_tokens",
        "difficulty: column",
        "curriculum.difficulty",
        "'column' wants its column too. Write column:<column>.",
    ),
    "a column that the corpus has not": (
        "difficulty: cot_tokens",
        "difficulty: column:operation",
        "curriculum.difficulty",
        "carries no column 'operation'. Did you mean 'operations'?",
    ),
    "no seeds": ("seeds: [0, 1]", "seeds: []", "seeds", "is empty, so the grid has no cells. Name at least one."),
    "seeds without a value": ("seeds: [0, 1]", "seeds:", "seeds", "has no value, and wants a list"),
    "one seed": ("seeds: [0, 1]", "seeds: [0]", "seeds", "wants at least 2 of them, and there is 1. Add seeds"),
    "fewer stages than teachers": (
        "stages: 2",
        "stages: 1",
        "curriculum.stages",
        "1 stage cannot seat the 2 teachers of arm 'teacher_scheduling', one a stage. Set curriculum.stages to 2",
    ),
    "text for a whole number": (
        "epochs: 2",
        "epochs: two",
        "student.training.epochs",
        "wants a whole number, and 'two'",
    ),
    "a fraction for a whole number": ("epochs: 2", "epochs: 2.5", "student.training.epochs", "and 2.5 is none"),
    "a number out of range": (
        "strength: 0.6",
        "strength: 1.5",
        "curriculum.pacing.strength",
        "must be less than or equal to 1, and is 1.5",
    ),
    "an infinite number": (
        "steps: 6, learning_rate: 1e-3",
        "steps: 6, learning_rate: .inf",
        "student.training.learning_rate",
        "wants a finite number, and inf is none",
    ),
    "a list for a mapping": (
        "loss: {name: forward_kl}",
        "loss: [forward_kl]",
        "loss",
        "wants a name, or a mapping with the key name, and ['forward_kl']",
    ),
    "a number for text": (
        "question: Is this file read as it is written?",
        "question: 7",
        "question",
        "wants text, and 7 is none. Put it in quotes.",
    ),
    "a number for a name": (
        "  sft: {order",
        "  1: {order",
        "arms.1",
        "a name is text, and 1 is none. Put it in quotes.",
    ),
    "two ways to say how long": (
        "training: {epochs: 2, steps: 6,",
        "training: {epochs: 2, steps: 6, tokens_per_step: 9,",
        "student.training",
        "exactly one of steps and tokens_per_step",
    ),
    "heads that do not divide": (
        "initial: {name: llama, hidden_size: 16, num_attention_heads: 2,",
        "initial: {name: llama, hidden_size: 16, num_attention_heads: 3,",
        "models.large.initial",
        "hidden_size 16 is no even multiple of num_attention_heads 3",
    ),
    "a broken regular expression": (
        "max_new_tokens: 24}",
        "max_new_tokens: 24, ignore: ['(']}",
        "evaluation.benchmarks.sums.ignore",
        "'(' is no regular expression",
    ),
    "an undeclared difference": (
        "clpd: {order: easy_to_hard, teachers: weak_to_strong}",
        "clpd: {order: easy_to_hard, teachers: weak_to_strong, training: {learning_rate: 1e-2}}",
        "arms.clpd.training",
        "arm 'clpd' sets training, a difference that it does not declare. Arms of a comparison differ in order",
    ),
    "a declared difference in nothing": (
        "clpd: {order: easy_to_hard, teachers: weak_to_strong}",
        "clpd: {order: easy_to_hard, teachers: weak_to_strong, differs: {student.training.learnin_rate: 1e-2}}",
        "arms.clpd.differs",
        "student.training.learnin_rate: unknown key. Did you mean 'learning_rate'?",
    ),
    "a declared difference of the wrong type": (
        "clpd: {order: easy_to_hard, teachers: weak_to_strong}",
        "clpd: {order: easy_to_hard, teachers: weak_to_strong, differs: {curriculum.stages: two}}",
        "arms.clpd.differs",
        "curriculum.stages: wants a whole number, and 'two' is none",
    ),
    "a declared difference in another corpus that is not there": (
        "clpd: {order: easy_to_hard, teachers: weak_to_strong}",
        "clpd: {order: easy_to_hard, teachers: weak_to_strong, differs: {student.corpus: smus}}",
        "arms.clpd.differs",
        "student.corpus: there is no corpus 'smus'. Did you mean 'sums'?",
    ),
    "a declared difference that leaves a teacher out": (
        "clpd: {order: easy_to_hard, teachers: weak_to_strong}",
        "clpd: {order: easy_to_hard, teachers: weak_to_strong, differs: {curriculum.stages: 1}}",
        "arms.clpd.differs",
        "1 stage cannot seat the 2 teachers of arm 'clpd'",
    ),
    "a declared temperature without its normaliser": (
        "clpd: {order: easy_to_hard, teachers: weak_to_strong}",
        "clpd: {order: easy_to_hard, teachers: weak_to_strong, differs: {loss.temperature: 2}}",
        "arms.clpd.differs",
        "Add 2 to targets.temperatures.",
    ),
    "a declared difference in what arms may not differ in": (
        "clpd: {order: easy_to_hard, teachers: weak_to_strong}",
        "clpd: {order: easy_to_hard, teachers: weak_to_strong, differs: {seeds: [3]}}",
        "arms.clpd.differs",
        "arms may not differ in 'seeds'. Allowed: student.<key>, loss.<key>, curriculum.<key>.",
    ),
    "another tokenizer for teachers than for the student": (
        "tokenizer: same_as:sums",
        "tokenizer: {name: bpe, vocabulary_size: 300}",
        "models.small.corpus",
        "Give corpus 'many' `tokenizer: same_as:sums`",
    ),
    "an interaction without its four arms": (
        "  data_ordering: {order: easy_to_hard, teachers: strongest}",
        "  data_ordering: {order: easy_to_hard, teachers: none}",
        "analysis.family.3",
        "the interaction wants an arm with order easy_to_hard and teachers strongest",
    ),
    "an arm called as a test is": (
        "  sft: {order",
        "  interaction: {order",
        "arms.interaction",
        "it is the name of a test",
    ),
    "a key that stands twice": ("seeds: [0, 1]", "seeds: [0, 1]\nseeds: [2, 3]", "seeds", "Keep one of the two."),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistake_is_told_with_line_key_and_remedy(small: Path, what: str) -> None:
    old, new, key, says = MISTAKES[what]
    if "interaction without" in what:
        small.write_text(small.read_text().replace("scheduling, clpd]", "scheduling, interaction]"))
        key = "analysis.family.2"
    error = refused(small, instead=(old, new))
    assert error.file == small
    assert error.key == key
    assert says in str(error)
    assert "\n" not in str(error)
    elsewhere = {"an interaction": "family:", "another tokenizer": "corpus: many"}
    told_at = next((line_of(small, text) for start, text in elsewhere.items() if what.startswith(start)), None)
    assert error.line == (told_at or line_of_change(small.read_text(), old, new))


def test_empty_mappings_leave_no_grid(small: Path) -> None:
    text = re.sub(r"arms:\n(  .*\n)+", "arms: {}\n", small.read_text())
    small.write_text(text)
    with pytest.raises(UserError, match=r"small\.yaml:\d+: arms: is empty, so the grid has no cells"):
        load_ablation(small)


def edit_limit(small: Path, **limits: int) -> None:
    text = small.read_text()
    for name, limit in limits.items():
        block = "student:" if name == "student" else f"  {name}:"
        head, tail = text.split(f"{block}\n    initial" if name != "student" else f"{block}\n  initial", 1)
        tail = tail.replace("max_position_embeddings: 64", f"max_position_embeddings: {limit}", 1)
        text = f"{head}{block}\n    initial{tail}" if name != "student" else f"{head}{block}\n  initial{tail}"
    small.write_text(text)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda f: edit_limit(f, student=39), "student.initial.max_position_embeddings"),
        (lambda f: edit_limit(f, large=39), "models.large.initial.max_position_embeddings"),
        # Teachers read the student's corpus, and whoever is evaluated the benchmarks'.
        (lambda f: f.write_text(f.read_text().replace("max_tokens: 40", "max_tokens: 65", 1)), "student.initial"),
    ],
)
def test_a_model_that_cannot_read_an_example_is_refused(
    small: Path, change: Callable[[Path], object], key: str
) -> None:
    change(small)
    with pytest.raises(UserError, match="Raise the limit, or lower corpora") as caught:
        load_ablation(small)
    assert str(caught.value.key).startswith(key)


def test_a_student_that_starts_from_a_model_has_that_models_limit(small: Path) -> None:
    with pytest.raises(UserError, match=r"models\.small\.initial\.max_position_embeddings: the student takes 64"):
        load_ablation(small, ["student.initial=small", "corpora.sums.max_tokens=65"])


def test_a_missing_ablation_file_is_told_with_its_nearest_neighbour(small: Path) -> None:
    wrong = small.with_name("smal.yaml")
    with pytest.raises(UserError, match=r"no such ablation file. Did you mean '.*/small\.yaml'\?"):
        load_ablation(wrong)


def test_a_folder_for_a_file_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^{tmp_path}: cannot be read: Is a directory. Give an ablation file"):
        load_ablation(tmp_path)


@pytest.mark.parametrize("text", ["- a\n- b\n", "", "just words\n", "3\n"])
def test_yaml_that_is_no_mapping_is_refused(small: Path, text: str) -> None:
    small.write_text(text)
    with pytest.raises(UserError, match=r"an ablation file is a mapping of settings \(question, corpora"):
        load_ablation(small)


def test_bytes_that_are_no_text_are_refused(small: Path) -> None:
    small.write_bytes(b"question: \xff\n")
    with pytest.raises(UserError, match=r"is no text in UTF-8 \(byte 10"):
        load_ablation(small)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("trian.jsonl", r"there is no file '.*/trian\.jsonl'\. Did you mean '.*/train\.jsonl'\?"),
        ("nowhere/train.jsonl", r"there is no file .*A relative path starts at the ablation file's folder"),
        ("folder", r"'.*/folder' is a directory"),
        ("${CLPD_UNSET}/a", r"the environment variable CLPD_UNSET is not set; export it"),
        ("$CLPD_UNSET", r"the environment variable CLPD_UNSET is not set"),
        ("~nobody_of_this_name/a", r"the home folder at the beginning of '~nobody_of_this_name/a' is not known"),
    ],
)
def test_a_data_file_that_is_not_there_is_told_at_its_line(
    small: Path, path: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLPD_UNSET", raising=False)
    (small.parent / "folder").mkdir()
    (small.parent / "train.jsonl").write_text("{}")
    old = "{name: chained_sums, operations: [1, 3], train: 60, validation: 10, test: 12}"
    error = refused(small, instead=(old, f"{{name: jsonl, train: '{path}', test: train.jsonl, rationale: why}}"))
    assert re.search(says, str(error))
    assert (error.key, error.line) == ("corpora.sums.source.train", line_of(small, "name: jsonl"))
