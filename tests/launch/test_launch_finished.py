"""What a finished run leaves, and what another one does to it."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import torch
from launch_run import Run
from transformers import AutoModelForCausalLM, AutoTokenizer

from clpd_bench.evaluation.items import SCHEMA
from clpd_bench.store import Store

ARMS = ("sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd")


def test_every_artifact_is_published_once_and_verifies(finished: Run) -> None:
    store = Store(finished.store)
    keys = [folder.name for folder in (finished.store / "artifacts").iterdir()]
    assert len(keys) == len(finished.status()["jobs"]) == 34
    assert {key: store.verify(key) for key in keys} == {key: [] for key in keys}


def test_consumed_hash_of_every_model_equals_its_schedules(finished: Run) -> None:
    trained = list(finished.store.glob("artifacts/*/training.json"))
    assert len(trained) == 12
    for file in trained:
        record = json.loads(file.read_text())
        assert record["consumed"] == record["scheduled"]
        assert len(record["loss"]) == 60


def test_arms_of_a_seed_start_from_the_same_weights_and_show_the_same_tokens(finished: Run) -> None:
    manifests = finished.manifests()
    for seed in (0, 1):
        students = [manifests[f"student {arm}/{seed}"] for arm in ARMS]
        assert len({m["parents"]["initial"] for m in students}) == 1
        assert len({(m["tokens"], m["details"]["steps"]) for m in students}) == 1
        assert students[0]["details"]["consumed"] != students[2]["details"]["consumed"]
    assert manifests["student sft/0"]["parents"]["initial"] != manifests["student sft/1"]["parents"]["initial"]


def test_items_of_an_evaluation_know_no_arm_axis_or_seed(finished: Run) -> None:
    for file in finished.store.glob("artifacts/*/items.parquet"):
        columns = pq.read_schema(file).names
        assert columns == SCHEMA.names


def test_report_joins_every_item_with_its_cell(finished: Run) -> None:
    rows = pq.read_table(finished.folder / "reports/tiny/items.parquet").to_pandas()
    cells = rows[rows["kind"] == "arm"].groupby(["arm", "seed", "metric"]).size()
    assert len(cells) == len(ARMS) * 2 * 2
    assert set(cells) == {30}
    assert set(rows.loc[rows["kind"] == "reference", "arm"]) == {"student before", "teacher small", "teacher large"}
    assert rows["difficulty"].nunique() > 1


def test_student_is_a_plain_folder_of_transformers(finished: Run) -> None:
    manifest = finished.manifests()["student clpd/0"]
    folder = finished.store / "artifacts" / manifest["key"]
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer("1+1?", return_tensors="pt", return_token_type_ids=False)
    text = tokenizer.decode(model.generate(**prompt, max_new_tokens=8, do_sample=False)[0])
    assert text.startswith("1+1?")
    assert model.dtype == torch.float32


def test_second_run_does_nothing(finished: Run) -> None:
    before = sorted(str(p) for p in finished.store.rglob("attempts/*/*"))
    again = finished("run")
    assert sorted(str(p) for p in finished.store.rglob("attempts/*/*")) == before
    assert "clpd report" in again.stdout


def test_report_needs_nothing_but_the_artifacts_and_is_the_same_again(finished: Run) -> None:
    (finished.store / "attempts").rename(finished.folder / "elsewhere")
    try:
        first = (finished.folder / "reports/tiny/items.parquet").read_bytes()
        finished("report", "--out", "again")
        assert (finished.folder / "again/items.parquet").read_bytes() == first
        table = (finished.folder / "reports/tiny/table.md").read_text()
        assert (finished.folder / "again/table.md").read_text() == table
    finally:
        (finished.folder / "elsewhere").rename(finished.store / "attempts")


def test_declaration_is_in_the_store_before_the_first_evaluation(finished: Run) -> None:
    (record,) = [one for one in Store(finished.store).register() if one.kind == "declaration"]
    assert record.content["family"] == ["data_ordering", "teacher_scheduling", "clpd"]
    evaluations = {m["key"] for label, m in finished.manifests().items() if label.startswith("evaluation")}
    assert record.content["evaluations"].keys() < evaluations
    assert record.done == set()


def test_adding_a_seed_leaves_that_seeds_cells_alone_to_be_trained(finished: Run) -> None:
    jobs = finished.status("--set", "seeds=[0, 1, 2]")["jobs"]
    assert {job["state"] for job in jobs} == {"done", "pending"}
    added = {job["label"] for job in jobs if job["state"] == "pending"}
    students = {f"student {arm}/2" for arm in ARMS}
    evaluations = {f"evaluation {arm}/2 on sums" for arm in ARMS}
    assert added == students | evaluations | {"initial weights/2", "evaluation student before/2 on sums"}


def test_show_finds_a_cell_and_marks_what_the_loss_leaves_out(finished: Run) -> None:
    shown = finished.typed("show", "clpd/1", "--example").stdout
    marks = [line.split()[2] for line in shown.splitlines() if line[:8].strip().isdigit()]
    prompt = shown.splitlines()[shown.splitlines().index("prompt:") + 1].strip().strip("|")
    assert marks == ["."] * len(prompt) + ["*"] * (len(marks) - len(prompt))
    assert "<end>" in shown.splitlines()[-1]
