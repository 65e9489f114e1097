"""Where a value really stands: files that extend others, arms that are like others, and what is told of both."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from refusal import refused

from clpd_bench.grid.load import load_ablation, load_origins
from clpd_bench.settings.parts.loss import LossPlugin
from clpd_bench.settings.parts.pretrained import Local
from clpd_bench.settings.parts.sources import HubRows, Jsonl

PLUGINS = Path(__file__).parents[2] / "ablations" / "plugins"


def line(file: Path, text: str) -> int:
    return next(i for i, one in enumerate(file.read_text().split("\n"), start=1) if text in one)


def child(small: Path, text: str, name: str = "child.yaml") -> Path:
    file = small.parent / name
    file.write_text(f"extends: small.yaml\n{text}\n")
    return file


def sources(file: Path, *sets: str) -> dict[str, str]:
    return {origin.key: origin.source for origin in load_origins(file, list(sets))}


def test_a_file_that_adds_nothing_is_the_file_that_it_extends(small: Path) -> None:
    assert load_ablation(child(small, "")) == load_ablation(small)


def test_mappings_merge_and_lists_and_values_replace(small: Path) -> None:
    file = child(small, "student: {training: {epochs: 3}}\nseeds: [7, 8]\nquestion: Another?")
    assert load_ablation(file) == load_ablation(
        small, ["student.training.epochs=3", "seeds=[7, 8]", "question=Another?"]
    )


def test_a_mapping_of_another_name_replaces_and_one_of_the_same_name_merges(small: Path) -> None:
    other = load_ablation(child(small, "curriculum: {pacing: {name: partition}}"))
    assert other.curriculum.pacing.name == "partition"  # with blend's strength it would be refused
    same = load_ablation(child(small, "corpora: {sums: {source: {name: chained_sums, test: 13}}}"))
    assert same.corpora["sums"].source == load_ablation(small, ["corpora.sums.source.test=13"]).corpora["sums"].source


def test_a_chain_of_files_is_read_from_the_bottom(small: Path) -> None:
    child(small, "student: {training: {epochs: 3, steps: 5}}", "middle.yaml")
    top = small.parent / "top.yaml"
    top.write_text("extends: middle.yaml\nstudent: {training: {epochs: 4}}\n")
    training = load_ablation(top).student.training
    assert (training.epochs, training.steps) == (4, 5)


def test_a_mistake_is_told_in_the_file_and_line_where_it_stands(small: Path) -> None:
    file = child(small, "\nloss: {name: forward_kl, temprature: 2}")
    error = refused(file)
    assert (error.file, error.line, error.key) == (file, 3, "loss.temprature")
    file.write_text("extends: small.yaml\n")
    small.write_text(small.read_text().replace("epochs: 2", "epochs: 0"))
    error = refused(file)
    assert (error.file, error.line) == (small, line(small, "epochs: 0"))


def test_a_cross_check_is_told_in_the_file_of_its_key(small: Path) -> None:
    error = refused(child(small, "arms: {late: {order: shuffled, teachers: 'only:nobody'}}"))
    assert (error.file, error.line, error.key) == (small.parent / "child.yaml", 2, "arms.late.teachers.teacher")


def test_what_two_files_get_wrong_together_is_told_in_the_one_on_top(small: Path) -> None:
    error = refused(child(small, "student: {training: {tokens_per_step: 10}}"))  # the other has `steps`
    assert (error.file, error.line, error.key) == (small.parent / "child.yaml", 2, "student.training")


def test_a_missing_file_is_told_where_it_is_named(small: Path) -> None:
    file = small.parent / "child.yaml"
    file.write_text("question: What?\nextends: smal.yaml\n")
    error = refused(file)
    assert (error.file, error.line, error.key) == (file, 2, "extends")
    assert "there is no such extended file" in str(error)
    assert f"Did you mean '{small}'?" in str(error)


def test_files_that_extend_each_other_are_refused(small: Path) -> None:
    small.write_text("extends: child.yaml\n" + small.read_text())
    error = refused(child(small, ""))
    assert "in the end" in str(error)
    assert (error.file, error.line) == (small, 1)


def test_data_paths_start_at_the_folder_of_the_file_that_has_them(small: Path) -> None:
    data = small.parent / "base" / "data.jsonl"
    data.parent.mkdir()
    data.write_text(json.dumps({"question": "1+1?", "answer": "2"}) + "\n")
    base = Path(shutil.copy(small, data.parent / "base.yaml"))
    inner = "{name: jsonl, train: data.jsonl, test: data.jsonl, question: question, answer: answer}"
    source = f"  ours: {{source: {inner}, tokenizer: characters}}"
    base.write_text(base.read_text().replace("corpora:\n", f"corpora:\n{source}\n"))
    file = small.parent / "child.yaml"
    file.write_text("extends: base/base.yaml\n")
    ours, theirs = load_ablation(file).corpora["ours"].source, load_ablation(base).corpora["ours"].source
    assert isinstance(ours, Jsonl)
    assert isinstance(theirs, Jsonl)
    assert ours.train.resolve() == theirs.train.resolve() == data.resolve()


def test_every_kind_of_path_starts_at_the_folder_of_the_file_that_has_it(tmp_path: Path) -> None:
    base = Path(shutil.copytree(PLUGINS, tmp_path / "base")) / "example.yaml"
    (tmp_path / "base" / "model").mkdir()
    text = base.read_text().replace("models:\n", "models:\n  whole: {initial: {name: local, folder: model}}\n")
    base.write_text(text)
    file = tmp_path / "child.yaml"
    file.write_text("extends: base/example.yaml\n")
    child, own = load_ablation(file), load_ablation(base)
    assert isinstance(child.models["whole"].initial, Local)
    assert child.models["whole"].initial.folder.resolve() == (tmp_path / "base" / "model").resolve()
    assert isinstance(child.loss, LossPlugin)
    assert isinstance(own.loss, LossPlugin)
    assert child.loss.file.resolve() == own.loss.file.resolve()
    assert child.loss.sha256 == own.loss.sha256 != ""


def test_the_path_of_a_file_in_a_repository_of_the_hub_is_left_alone(small: Path) -> None:
    commit = "a123456789" * 4
    source = f"{{name: hub, dataset: a/b, revision: {commit}, train: t.jsonl, test: u.jsonl}}"
    small.write_text(
        small.read_text().replace("corpora:\n", f"corpora:\n  hub: {{source: {source}, tokenizer: characters}}\n")
    )
    found = load_ablation(child(small, "question: What?")).corpora["hub"].source
    assert isinstance(found, HubRows)
    assert (found.train, found.test) == ("t.jsonl", "u.jsonl")


def test_a_path_in_the_hub_is_left_alone_over_several_files(small: Path) -> None:
    source = "{name: hub, dataset: a/b, train: t.jsonl, test: u.jsonl}"
    small.write_text(
        small.read_text().replace("corpora:\n", f"corpora:\n  hub: {{source: {source}, tokenizer: characters}}\n")
    )
    middle = child(small, "corpora: {hub: {source: {train: small/t.jsonl}}}", "middle.yaml")
    top = small.parent / "top.yaml"
    top.write_text(f"extends: {middle.name}\n")
    found = load_ablation(top).corpora["hub"].source
    assert isinstance(found, HubRows)
    assert (found.train, found.test) == ("small/t.jsonl", "u.jsonl")


def with_arms(small: Path, *arms: str) -> Path:
    small.write_text(small.read_text().replace("seeds:", "".join(f"  {arm}\n" for arm in arms) + "seeds:"))
    return small


def test_an_arm_like_another_is_that_arm_with_its_own_keys_on_top(small: Path) -> None:
    slow = "slow: {like: clpd, differs: {student.training.learning_rate: 0.5, loss.ce_weight: 0.1}}"
    file = with_arms(small, slow, "slower: {like: slow, order: shuffled, differs: {loss.ce_weight: 0.2}}")
    arms = load_ablation(file).arms
    assert (arms["slow"].order, arms["slow"].teachers) == (arms["clpd"].order, arms["clpd"].teachers)
    assert arms["slower"].order == arms["sft"].order
    assert arms["slower"].teachers == arms["clpd"].teachers
    assert arms["slower"].differs == {"student.training.learning_rate": 0.5, "loss.ce_weight": 0.2}
    assert arms["slow"].differs["loss.ce_weight"] == 0.1
    assert arms["clpd"].differs == {}


def test_an_arm_may_be_like_one_that_stands_below_it(small: Path) -> None:
    arms = load_ablation(with_arms(small, "first: {like: second}", "second: {like: clpd}")).arms
    assert arms["first"] == arms["second"] == arms["clpd"]


def test_arms_like_each_other_in_a_circle_and_unknown_arms_are_told(small: Path) -> None:
    error = refused(with_arms(small, "a: {like: b}", "b: {like: a}"))
    assert "in the end" in str(error)
    assert error.line in (line(small, "a: {like: b}"), line(small, "b: {like: a}"))


def test_an_unknown_arm_to_be_like_is_told_with_the_nearest(small: Path) -> None:
    error = refused(with_arms(small, "a: {like: cldp}"))
    assert (error.key, error.line) == ("arms.a.like", line(small, "like: cldp"))
    assert "Did you mean 'clpd'?" in str(error)


def test_what_an_arm_takes_over_is_told_where_it_stands(small: Path) -> None:
    file = with_arms(small, "bad: {like: clpd, teachers: 'only:nobody'}", "same: {like: bad}")
    error = refused(file)
    assert error.line == line(small, "bad: {like")
    assert sources_of_valid(file)["arms.same.teachers.teacher"] == f"{file}:{line(small, 'bad: {like')}"


def sources_of_valid(file: Path) -> dict[str, str]:
    file.write_text(file.read_text().replace("only:nobody", "only:small"))
    return sources(file)


def test_origins_are_the_file_a_set_a_default_or_an_axis(small: Path) -> None:
    file = child(small, "student: {training: {epochs: 3}}\naxes: {curriculum.pacing.strength: [0, 1]}")
    found = sources(file, "loss.ce_weight=0.5")
    assert found["student.training.epochs"] == f"{file}:2"
    assert found["student.training.steps"] == f"{small}:{line(small, 'epochs: 2')}"
    assert found["student.training.clip"] == "default"
    assert found["loss.ce_weight"] == "--set"
    assert found["curriculum.pacing.strength"] == f"axis {file}:3"
    assert found["curriculum.difficulty.name"] == f"{small}:{line(small, 'curriculum:')}"


def test_origins_leave_no_setting_out(small: Path) -> None:
    written = {origin.key.split(".")[0] for origin in load_origins(small)}
    assert written == set(type(load_ablation(small)).model_fields)
