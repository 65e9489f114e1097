"""What the GPU benchmark checks and measures runs on a CPU, and finds what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gpu
import pytest
import torch
from on_gpu import generation, loss, losses, predictions, resume, right, sizes, step
from on_gpu.parts import PARTS
from on_gpu.results import Case, Result, results_of
from workload import model

from clpd_bench.distillation import chunked, divergences, precision
from clpd_bench.distillation.checkpoints import Checkpoint
from clpd_bench.distillation.divergences import DIVERGENCES, TargetRows
from clpd_bench.distillation.targets import Targets


def found(cases: Iterator[Case], *words: str) -> list[Result]:
    """Of the cases in whose names all of these are."""
    return list(results_of("", (case for case in cases if all(word in case.name for word in words))))


def assert_right(results: list[Result]) -> None:
    assert results
    for result in results:
        assert result.check is not None, result
        assert not result.failed, result


def assert_wrong(results: list[Result]) -> None:
    """By the check, and not by an error."""
    assert results
    for result in results:
        assert result.check is not None, result
        assert not result.check.ok, result


def test_losses_attention_and_targets_are_found_right() -> None:
    """All but the 30 steps, which `make soak` has."""
    results = list(results_of("", (case for case in right.cases(True, "cpu") if "30 steps" not in case.name)))
    assert_right(results)


def test_every_divergence_is_checked_on_the_card() -> None:
    """At two temperatures, with and without cross-entropy; by teachers whole, live and, where that is enough, top k."""
    names = [case.name for case in right.cases(True, "cpu")]
    for divergence in DIVERGENCES.keys() - {"plugin"}:
        for point in ("temperature 1", "temperature 2, ce_weight 0.3"):
            kinds = {name.split(", ")[-2] for name in names if name.startswith(f"{divergence}, {point}, ")}
            assert {"whole", "live"} <= kinds
    assert "forward_kl, temperature 1, top_k, float32" in names


Rows = Callable[[TargetRows], TargetRows]
Value = Callable[[torch.Tensor], torch.Tensor]


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        (lambda said: said, lambda v: v + 0.001 * (v - v.detach())),  # the loss itself is right
        (lambda said: TargetRows(said.ids, said.logits.roll(1, 0), said.log_z.roll(1, 0)), lambda v: v),
        (lambda said: said, lambda v: v.bfloat16().float()),
    ],
    ids=["a gradient", "rows of other tokens", "a sum in bfloat16"],
)
def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch, rows: Rows, value: Value) -> None:
    """That of the device, whose precision tells it from the reference."""
    true = divergences.forward_kl

    def broken(logits: torch.Tensor, targets: TargetRows, temperature: float) -> torch.Tensor:
        if logits.dtype == torch.float64:
            return true(logits, targets, temperature)
        return value(true(logits, rows(targets), temperature))

    monkeypatch.setattr(divergences, "forward_kl", broken)
    assert_wrong(found(right.cases(True, "cpu"), "forward_kl", "float32"))


def test_a_gradient_by_tf32_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of numbers with 10 bits of mantissa."""
    true = chunked.F.linear

    def rounded(x: torch.Tensor) -> torch.Tensor:
        short = (x.detach().view(torch.int32) & -(2**13)).view(torch.float32)
        return x + (short - x).detach()

    def tf32(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        return true(rounded(x), rounded(weight), bias) if x.dtype == torch.float32 else true(x, weight, bias)

    monkeypatch.setattr(chunked.F, "linear", tf32)
    assert_wrong(found(right.cases(True, "cpu"), "cross_entropy", "float32"))


def test_attention_that_sees_what_comes_later_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    true = torch.nn.functional.scaled_dot_product_attention

    def blind(*args: torch.Tensor, is_causal: bool = False, **settings: object) -> torch.Tensor:
        return true(*args, is_causal=False, **{**settings, "attn_mask": None})

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", blind)
    assert_wrong(found(right.cases(True, "cpu"), "attention sdpa"))


def test_steps_that_cannot_be_repeated_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a last bit: no other order of a sum."""
    true, turn = chunked._add_product, iter(range(10**9))

    def unsteady(total: torch.Tensor, *args: Any, **settings: Any) -> None:
        true(total, *args, **settings)
        total[0, 0] += 1e-7 * next(turn)

    monkeypatch.setattr(chunked, "_add_product", unsteady)
    assert_wrong(found(right.cases(True, "cpu"), "twice", "eager", "float32"))


@pytest.mark.parametrize(
    "altered",
    [
        lambda said: TargetRows(said.ids.roll(1, -1), said.logits, said.log_z),
        lambda said: TargetRows(said.ids[:, 1:], said.logits[:, 1:], said.log_z),
        lambda said: TargetRows(said.ids, said.logits, said.log_z + 1e-3),
    ],
    ids=["other ids", "the largest left out", "another normaliser"],
)
def test_wrong_targets_are_found(monkeypatch: pytest.MonkeyPatch, altered: Rows) -> None:
    true = Targets.at

    def wrong(self: Targets, tokens: torch.Tensor, device: torch.device) -> TargetRows:
        said = true(self, tokens, device)
        return said if said.ids is None else altered(said)

    monkeypatch.setattr(Targets, "at", wrong)
    assert_wrong(found(right.cases(True, "cpu"), "targets, top"))


@pytest.mark.soak
def test_steps_lost_in_bfloat16_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masters that are rounded to bfloat16 after each step are none."""
    (kept,) = found(right.cases(True, "cpu"), "30 steps")
    assert_right([kept])
    true = precision.TrainedParameters.write_back

    def rounding(self: precision.TrainedParameters) -> None:
        with torch.no_grad():
            for name, p in self._own.items():
                if p.dtype == torch.bfloat16:
                    self.masters[name].copy_(self.masters[name].bfloat16())
        true(self)

    monkeypatch.setattr(precision.TrainedParameters, "write_back", rounding)
    assert_wrong(found(right.cases(True, "cpu"), "30 steps"))


def test_steps_and_predictions_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "TIMED", 1)
    results = [*results_of("", step.cases(True, "cpu")), *results_of("", predictions.cases(True, "cpu"))]
    assert [result.error for result in results] == [None] * 11
    for result in results:
        assert result.values["seconds"] > 0
        assert result.values["forecast_gib"] > 0
        assert result.values["peak_gib"] is None  # a CPU's allocator does not tell


def test_seconds_are_of_single_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is not among them, and the median is taken."""
    monkeypatch.setattr(step, "TIMED", 3)
    clock = iter([0.0, 100.0, 101.0, 104.0, 106.0])
    monkeypatch.setattr(step.time, "perf_counter", lambda: next(clock))

    def run(tick: Callable[[], None]) -> None:
        for _ in range(5):
            tick()

    assert step._timed(lambda folder: run, "cpu") == (2.0, None)


@pytest.mark.parametrize("missing", [False, True])
def test_generation_counts_its_tokens_with_and_without_lm_eval(monkeypatch: pytest.MonkeyPatch, missing: bool) -> None:
    if missing:
        monkeypatch.delitem(sys.modules, "clpd_bench.evaluation.harness", raising=False)
        for name in ("lm_eval", "lm_eval.models.huggingface", "datasets"):
            monkeypatch.setitem(sys.modules, name, None)
    workload, asked = sizes.TINY, []
    true = generation._path

    def counting(reader: object, tokenizer: object, batch: int) -> tuple[str, Callable[[list[list[int]], int], int]]:
        by, generate = true(reader, tokenizer, batch)

        def counted(prompts: list[list[int]], new: int) -> int:
            asked.append((len(prompts) * new, generate(prompts, new)))
            return asked[-1][1]

        return by, counted

    monkeypatch.setattr(generation, "_path", counting)
    values, _ = generation._generated(workload, 3, 6, "cpu")
    assert ("missing" in str(values["by"])) == missing
    assert [told for wanted, told in asked if told != wanted] == []


def test_our_losses_alone_are_the_definition_and_a_wrong_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    results = list(results_of("", loss.cases(True, "cpu")))
    assert [result.check is not None for result in results] == [True] * 3 + [False] * 2
    assert_right(results[:3])
    monkeypatch.setattr(loss, "ours_live", lambda problem: losses.ours_live(problem) * 1.03)
    assert_wrong(found(loss.cases(True, "cpu"), "ours, live", "8 tokens"))


def test_flops_of_a_step_are_six_a_weight_and_token() -> None:
    """And the head's of response tokens alone; attention's are a small part of them. Qwen2.5-0.5B's size is known."""
    workload = sizes.half_b(False)
    weights = sum(p.numel() for p in model(workload.student, workload.vocabulary, device="meta").parameters())
    assert weights == pytest.approx(0.494e9, rel=0.001)
    head = workload.vocabulary * workload.student.hidden
    padded = workload.rows * (workload.prompt + workload.spread + workload.response - 1)
    expected = 6 * (weights - head) * padded + 6 * head * workload.rows * workload.response
    assert 1 < sizes.flops_of(workload, "cross_entropy", recomputed=False) / expected < 1.1
    assert sizes.read_of(workload, workload.micro_batch_tokens)[1].several is False


@pytest.mark.soak
@pytest.mark.parametrize("lost", ["moments", "weights"])
def test_a_run_that_resumes_without_its_moments_or_weights_is_found(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    monkeypatch.setattr(resume, "KINDS", {"float32": resume.KINDS["float32"]})
    assert_right(found(resume.cases(True, "cpu")))
    true = Checkpoint.restore

    def partly(self: Checkpoint, weights: dict[str, torch.Tensor], optimizer: torch.optim.Optimizer) -> None:
        before = {name: w.detach().clone() for name, w in weights.items()}
        true(self, weights, optimizer)
        if lost == "moments":
            optimizer.state.clear()
        else:
            with torch.no_grad():
                for name, w in weights.items():
                    w.copy_(before[name])

    monkeypatch.setattr(Checkpoint, "restore", partly)
    assert_wrong(found(resume.cases(True, "cpu")))


@pytest.mark.soak
def test_no_part_wants_more_than_torch_and_transformers_to_begin() -> None:
    """Packages that a bare machine lacks are asked for by the cases that want them."""
    lines = [
        "import sys",
        f"sys.path.insert(0, {str(Path(gpu.__file__).parent)!r})",
        "for name in ('lm_eval', 'datasets', 'trl', 'liger_kernel', 'triton', 'evaluate'): sys.modules[name] = None",
        "from on_gpu.parts import PARTS",
        "print([part.cases(True, 'cpu') is None for part in PARTS.values()])",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str([False] * len(PARTS)), done.stderr


@pytest.mark.soak
def test_the_whole_command_runs_shrunk(tmp_path: Path) -> None:
    """All cases but those whose package is not here; TRL's trainer and a killed run are among them."""
    command = [sys.executable, gpu.__file__, "--shrunk", "--out", str(tmp_path / "out.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads((tmp_path / "out.json").read_text())["parts"]
    assert list(found) == list(PARTS), done.stdout + done.stderr
    lacking = {name for name in ("trl", "liger_kernel", "triton") if find_spec(name) is None}
    wants = {"loss_peers": {"trl", "liger_kernel", "triton"}, "loss_compiled": {"liger_kernel"}, "step_peer": {"trl"}}
    for name, part in found.items():
        expected = "missing package" if lacking & wants.get(name, set()) else "done"
        assert part["status"] == expected, done.stdout
        assert {result["missing"] for result in part["results"]} <= {None, *lacking}, done.stdout
    assert done.returncode == 0
