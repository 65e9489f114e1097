"""Models by hub id and commit, out of the hub's own cache, where no hub can be reached."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import constants
from in_process import jobs_in_process
from pretrained_like import saved
from test_training_jobs import do
from typer.testing import CliRunner, Result

from clpd_bench.cli.app import app
from clpd_bench.distillation.models import load_model
from clpd_bench.errors import UserError
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.parts.pretrained import Hub
from clpd_bench.settings.specs import ModelSpec

REVISION = "0123456789abcdef0123456789abcdef01234567"
IDS = torch.tensor([[5, 9, 3, 7, 2, 20]])


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of org/thing at REVISION lie in a cache, as the hub's library lays it out."""
    cache = tmp_path / "hub"
    repository = cache / "models--org--thing"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(REVISION)
    (repository / "blobs").mkdir()
    folder = repository / "snapshots" / REVISION
    folder.mkdir(parents=True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return folder


def hub(**settings: object) -> Hub:
    return Hub.model_validate({"name": "hub", "model": "org/thing", "revision": REVISION, **settings})


def test_a_model_out_of_the_cache_computes_the_same_and_says_where_it_came_from(snapshot: Path, tmp_path: Path) -> None:
    theirs = saved(snapshot)
    measured = do("model", ModelSpec(start=start_of(hub()), seed=0), {}, tmp_path / "out")
    assert torch.equal(load_model(tmp_path / "out").eval()(input_ids=IDS).logits, theirs(input_ids=IDS).logits)
    assert measured.details["came_from"] == {"hub": "org/thing", "revision": REVISION}


@pytest.mark.parametrize("missing", [{"revision": REVISION[::-1]}, {"model": "org/other"}])
def test_what_is_not_in_the_cache_is_told_with_how_to_fetch_it(
    missing: dict[str, str], snapshot: Path, tmp_path: Path
) -> None:
    saved(snapshot)
    source = hub(**missing)
    with pytest.raises(UserError) as caught:
        do("model", ModelSpec(start=start_of(source), seed=0), {}, tmp_path / "out")
    told = str(caught.value)
    assert f"{source.model} at revision {source.revision} is not in the hub's cache" in told
    assert "clpd lock FILE --fetch" in told


def test_weights_that_were_not_fetched_are_no_model(snapshot: Path, tmp_path: Path) -> None:
    saved(snapshot)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(UserError, match="has no safetensors"):
        do("model", ModelSpec(start=start_of(hub()), seed=0), {}, tmp_path / "out")


def write_ablation(folder: Path) -> None:
    small = yaml.safe_load((Path(__file__).parents[1] / "settings" / "small.yaml").read_text())
    small["corpora"] = {"sums": {**small["corpora"]["sums"], "tokenizer": "of:base"}}
    training = {"steps": 2, "learning_rate": 1e-3}
    small["models"] = {
        "base": {"initial": {"name": "hub", "model": "org/thing", "revision": REVISION}},
        "tuned": {"initial": "base", "corpus": "sums", "training": training},
    }
    small |= {
        "teachers": ["tuned"],
        "student": {"initial": "base", "corpus": "sums", "training": training},
        "arms": {
            "sft": {"order": "shuffled", "teachers": "none"},
            "kd": {"order": "shuffled", "teachers": "strongest"},
        },
        "evaluation": {"benchmarks": {"sums": {"corpus": "sums"}}},
        "analysis": {"baseline": "sft", "family": ["kd"], "primary": {"benchmark": "sums", "metric": "response_loss"}},
    }
    (folder / "a.yaml").write_text(yaml.safe_dump(small))


def run(folder: Path, verb: str, *words: str) -> Result:
    return CliRunner().invoke(app, [verb, str(folder / "a.yaml"), *words, "--store", str(folder / "store")])


def test_an_ablation_on_a_hub_model_runs_from_the_cache(snapshot: Path, tmp_path: Path) -> None:
    """In this process; tests/hub has workers that read where the cache is as users say it."""
    saved(snapshot)
    write_ablation(tmp_path)
    with jobs_in_process():
        done = run(tmp_path, "run")
    assert done.exit_code == 0, done.output
    manifests = [f.read_text() for f in tmp_path.glob("store/artifacts/*/manifest.json")]
    assert sum(f'"revision": "{REVISION}"' in text and "came_from" in text for text in manifests) == 1


def test_a_hub_model_that_cannot_be_had_is_told_before_any_worker_starts(snapshot: Path, tmp_path: Path) -> None:
    saved(snapshot)
    write_ablation(tmp_path)
    assert run(tmp_path, "plan", "--corpus").exit_code == 0
    (snapshot / "model.safetensors").unlink()
    done = run(tmp_path, "run")
    assert isinstance(done.exception, UserError)
    assert "has no safetensors" in str(done.exception)
    assert not (tmp_path / "store" / "logs").exists()
