"""Losses of one token against closed forms in float64 and autograd over plain definitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from clpd_bench.curriculum.stages import Moment
from clpd_bench.distillation.divergences import TargetRows, TokenLoss, cross_entropy, forward_kl
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl

R, V = 7, 13
NOW = Moment(1, 1, 1, 1)
TEMPERATURES = [1.0, 2.0]


def softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def kl(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sum(p * np.log(p / q), axis=-1)


def merged(p: NDArray[np.float64], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """The kept outcomes, and all others as one."""
    rows = []
    for distribution, kept in zip(p, ids, strict=True):
        others = np.delete(distribution, kept)
        rows.append(np.append(distribution[kept], others.sum()))
    return np.array(rows)


def targets_of(logits: torch.Tensor, temperature: float, k: int | None = None) -> TargetRows:
    log_z = torch.logsumexp(logits / temperature, -1)
    if k is None:
        return TargetRows(None, logits, log_z)
    kept, ids = logits.topk(k, dim=-1)
    return TargetRows(ids, kept, log_z)


@pytest.fixture
def teacher(rng: np.random.Generator) -> torch.Tensor:
    return torch.from_numpy(rng.normal(0, 2, (R, V)))


@pytest.fixture
def student(rng: np.random.Generator, teacher: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(rng.normal(0, 2, (R, V)))


def test_forward_kl_of_a_coin_is_the_number_on_paper() -> None:
    p, q = torch.tensor([[0.8, 0.2]], dtype=torch.float64), torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    value = forward_kl(q.log(), targets_of(p.log(), 1.0), 1.0)
    assert value.tolist() == pytest.approx([0.8 * np.log(1.6) + 0.2 * np.log(0.4)], abs=1e-15)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_forward_kl_is_teacher_against_student_and_not_the_reverse(
    teacher: torch.Tensor, student: torch.Tensor, temperature: float
) -> None:
    p, q = softmax(teacher.numpy() / temperature), softmax(student.numpy() / temperature)
    value = forward_kl(student, targets_of(teacher, temperature), temperature).numpy()
    np.testing.assert_allclose(value, kl(p, q), rtol=0, atol=1e-13)
    assert np.abs(value - kl(q, p)).min() > 1e-3


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("k", [None, 1, 4, V - 1])
def test_gradient_of_forward_kl_is_that_of_the_definition(
    teacher: torch.Tensor, student: torch.Tensor, temperature: float, k: int | None
) -> None:
    targets = targets_of(teacher, temperature, k)

    def plain(logits: torch.Tensor) -> torch.Tensor:
        total = logits.new_zeros(())
        for t, s, row in zip(teacher, logits, range(R), strict=True):
            p, q = (t / temperature).softmax(-1), (s / temperature).softmax(-1)
            if targets.ids is not None:
                kept = targets.ids[row].tolist()
                others = [v for v in range(V) if v not in kept]
                p, q = (torch.cat([d[kept], d[others].sum()[None]]) for d in (p, q))
            total = total + (p * (p.log() - q.log())).sum()
        return total

    weights = torch.linspace(0.5, 2, R, dtype=torch.float64)
    ours, reference = student.clone().requires_grad_(), student.clone().requires_grad_()
    (mine,) = torch.autograd.grad(forward_kl(ours, targets, temperature).sum(), ours)
    (theirs,) = torch.autograd.grad(plain(reference), reference)
    assert theirs.abs().max() > 0.1
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-13)
    # The gradient of a weighted sum: rows do not mix.
    (weighted,) = torch.autograd.grad((weights * forward_kl(ours, targets, temperature)).sum(), ours)
    torch.testing.assert_close(weighted, weights[:, None] * theirs, rtol=0, atol=1e-13)


@pytest.mark.parametrize("k", [None, 4])
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_forward_kl_is_zero_for_equals_and_never_negative(
    rng: np.random.Generator, teacher: torch.Tensor, temperature: float, k: int | None
) -> None:
    shifted = (teacher + 3.0).requires_grad_()  # logits that differ by a constant are one distribution
    value = forward_kl(shifted, targets_of(teacher, temperature, k), temperature)
    torch.testing.assert_close(value, torch.zeros(R, dtype=torch.float64), rtol=0, atol=1e-14)
    (gradient,) = torch.autograd.grad(value.sum(), shifted)
    assert gradient.abs().max() < 1e-14

    many = torch.from_numpy(rng.normal(0, 3, (500, V)))
    near = many + torch.from_numpy(rng.normal(0, 1e-3, many.shape))
    for other in (near, many.flip(0)):
        value = forward_kl(other, targets_of(many, temperature, k), temperature)
        assert value.min() > -1e-15
        assert value.max() > 0


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("k", [1, 3, V - 1])
def test_top_k_is_the_kl_with_the_tail_as_one_outcome(
    teacher: torch.Tensor, student: torch.Tensor, temperature: float, k: int
) -> None:
    targets = targets_of(teacher, temperature, k)
    assert targets.ids is not None
    ids = targets.ids.numpy()
    p, q = softmax(teacher.numpy() / temperature), softmax(student.numpy() / temperature)
    expected = kl(merged(p, ids), merged(q, ids))
    np.testing.assert_allclose(forward_kl(student, targets, temperature).numpy(), expected, rtol=0, atol=1e-12)
    # Not the two other things that go by the name: the tail left out, and the rest scaled up.
    kept_p, kept_q = (np.take_along_axis(d, ids, -1) for d in (p, q))
    left_out = np.sum(kept_p * np.log(kept_p / kept_q), axis=-1)
    scaled_up = kl(kept_p / kept_p.sum(-1, keepdims=True), kept_q / kept_q.sum(-1, keepdims=True))
    assert np.abs(expected - left_out).max() > 1e-2
    assert np.abs(expected - scaled_up).max() > 1e-2


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_top_k_is_a_lower_bound_that_grows_with_k_to_the_whole(
    teacher: torch.Tensor, student: torch.Tensor, temperature: float
) -> None:
    whole = forward_kl(student, targets_of(teacher, temperature), temperature)
    values = torch.stack(
        [forward_kl(student, targets_of(teacher, temperature, k), temperature) for k in range(1, V + 1)]
    )
    assert (values.diff(dim=0) > -1e-14).all()
    assert (values[:-2] < whole - 1e-6).any()
    torch.testing.assert_close(values[-1], whole, rtol=0, atol=1e-14)


@pytest.mark.parametrize("k", [1, 3, V, None])
def test_peaked_distributions_give_finite_losses_and_gradients_in_float32(k: int | None) -> None:
    """The kept mass rounds to 1; the student may be as peaked, at the same token or at another."""
    peak = torch.full((3, V), -8.0)
    peak[0, 2], peak[1, 2], peak[2, 2] = 8.0, 30.0, 200.0
    elsewhere = peak.roll(5, dims=-1)
    for temperature in TEMPERATURES:
        targets = targets_of(peak, temperature, k)
        for student, same in ((peak, True), (elsewhere, False), (torch.zeros(3, V), False)):
            logits = student.clone().requires_grad_()
            value = forward_kl(logits, targets, temperature)
            (gradient,) = torch.autograd.grad(value.sum(), logits)
            assert value.isfinite().all()
            assert gradient.isfinite().all()
            assert (value.abs() < 1e-4).all() if same else (value > 0.9).all()
            p, q = (softmax(z[:2].double().numpy() / temperature) for z in (peak, student))
            if targets.ids is not None and k != V:
                p, q = (merged(d, targets.ids[:2].numpy()) for d in (p, q))
            np.testing.assert_allclose(value[:2].detach().numpy(), kl(p, q), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("k", [None, 4])
def test_temperature_squared_is_in_the_value_and_in_the_gradient(
    teacher: torch.Tensor, student: torch.Tensor, temperature: float, k: int | None
) -> None:
    loss = ForwardKl(name="forward_kl", temperature=temperature)
    targets, labels = targets_of(teacher, temperature, k), torch.arange(R)
    ours, plain = student.clone().requires_grad_(), student.clone().requires_grad_()
    value, bare = TokenLoss(loss)(ours, labels, targets, None, NOW), forward_kl(plain, targets, temperature)
    torch.testing.assert_close(value, temperature**2 * bare, rtol=1e-14, atol=0)
    (mine,), (theirs,) = torch.autograd.grad(value.sum(), ours), torch.autograd.grad(bare.sum(), plain)
    torch.testing.assert_close(mine, temperature**2 * theirs, rtol=1e-12, atol=1e-15)
    if k is None:  # Hinton's reason for it: d/dz of T^2 KL is T (q - p).
        p, q = (torch.softmax(z / temperature, -1) for z in (teacher, student))
        torch.testing.assert_close(mine, temperature * (q - p), rtol=0, atol=1e-13)


@pytest.mark.parametrize("ce_weight", [0.0, 0.3])
def test_cross_entropy_is_mixed_in_at_temperature_1_by_its_weight(
    teacher: torch.Tensor, student: torch.Tensor, ce_weight: float
) -> None:
    labels = np.arange(R) % V
    loss = ForwardKl(name="forward_kl", temperature=2.0, ce_weight=ce_weight)
    value = TokenLoss(loss)(student, torch.from_numpy(labels), targets_of(teacher, 2.0), None, NOW).numpy()
    p, q = softmax(teacher.numpy() / 2), softmax(student.numpy() / 2)
    nll = -np.log(softmax(student.numpy())[np.arange(R), labels])
    np.testing.assert_allclose(value, (1 - ce_weight) * 4 * kl(p, q) + ce_weight * nll, rtol=0, atol=1e-12)


def test_cross_entropy_is_the_nats_of_the_label(student: torch.Tensor) -> None:
    labels = np.arange(R)[::-1].copy()
    expected = -np.log(softmax(student.numpy())[np.arange(R), labels])
    np.testing.assert_allclose(cross_entropy(student, torch.from_numpy(labels)).numpy(), expected, atol=1e-13)
    value = TokenLoss(CrossEntropy(name="cross_entropy"))(student, torch.from_numpy(labels), None, None, NOW)
    np.testing.assert_allclose(value.numpy(), expected, atol=1e-13)


def test_log_z_of_another_temperature_would_be_noticed(teacher: torch.Tensor, student: torch.Tensor) -> None:
    right = forward_kl(student, targets_of(teacher, 2.0, 4), 2.0)
    wrong = TargetRows(*(getattr(targets_of(teacher, 1.0, 4), f) for f in ("ids", "logits", "log_z")))
    assert (forward_kl(student, wrong, 2.0) - right).abs().max() > 0.1


@pytest.mark.parametrize("temperature", [1.0, 1.7, 2.0])
@pytest.mark.parametrize("top_k", [None, 5])
def test_forward_kl_and_its_gradient_are_autograds_of_the_formula_bit_for_bit(
    top_k: int | None, temperature: float
) -> None:
    """They are written out by hand, for memory alone."""
    torch.manual_seed(0)
    logits, taught = 3 * torch.randn(40, 97), 3 * torch.randn(40, 97)
    log_z = torch.logsumexp(taught / temperature, dim=-1)
    kept = taught.topk(top_k) if top_k else None
    targets = TargetRows(kept.indices, kept.values, log_z) if kept else TargetRows(None, taught, log_z)

    def by_autograd(logits: torch.Tensor) -> torch.Tensor:
        scaled = logits / temperature
        log_p = targets.logits / temperature - log_z[:, None]
        log_normaliser = torch.logsumexp(scaled, dim=-1)
        if targets.ids is None:
            return (log_p.exp() * (log_p - (scaled - log_normaliser[:, None]))).sum(-1)
        log_q = scaled.gather(-1, targets.ids) - log_normaliser[:, None]
        residual = -torch.expm1(torch.logsumexp(log_p, dim=-1))
        rest = torch.logsumexp(scaled.scatter(-1, targets.ids, -torch.inf), dim=-1) - log_normaliser
        return (log_p.exp() * (log_p - log_q)).sum(-1) + residual * (residual.log() - rest)

    def value_and_gradient(loss: Callable[[torch.Tensor], torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        leaf = logits.clone().requires_grad_()
        value = loss(leaf)
        return value.detach(), torch.autograd.grad((0.3 * value).sum(), leaf)[0]

    mine = value_and_gradient(lambda logits: forward_kl(logits, targets, temperature))
    for one, other in zip(mine, value_and_gradient(by_autograd), strict=True):
        assert torch.equal(one, other)
