"""Losses of one response token, of the student's logits, the gold token and the teacher's targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clpd_bench.outside.plugins import load
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.plugin import LossPlugin


class OwnLoss:
    """The function of a `LossPlugin`, executed once for a run."""

    def __init__(self, settings: LossPlugin) -> None:
        self.ce_weight = settings.ce_weight
        self._function = load(settings, temperature=settings.temperature)

    def divergence(self, logits: torch.Tensor, labels: torch.Tensor, targets: TargetRows) -> torch.Tensor:
        """Shape [R], of logits [R, V], labels [R] and the teacher's R rows.

        Raises:
            PluginError: the function fails, or returns something of another shape.
        """
        returned = self._function(logits, labels, targets)
        if not isinstance(returned, torch.Tensor) or returned.shape != labels.shape:
            what = f"a tensor of shape {list(returned.shape)}" if isinstance(returned, torch.Tensor) else returned
            raise self._function.refused(what, f"a loss for each token, a tensor of shape {list(labels.shape)}")
        return returned


@dataclass(frozen=True)
class TargetRows:
    """A teacher's distribution at R response tokens.

    Attributes:
        ids: shape [R, k], token ids of the kept logits; None where the whole vocabulary is kept.
        logits: shape [R, k], untempered.
        log_z: shape [R], the log of the whole vocabulary's sum of exp(logit / T).
    """

    ids: torch.Tensor | None
    logits: torch.Tensor
    log_z: torch.Tensor

    def __getitem__(self, rows: slice) -> TargetRows:
        return TargetRows(None if self.ids is None else self.ids[rows], self.logits[rows], self.log_z[rows])


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Shape [R], nats: -log q(label), of logits [R, V] and labels [R]."""
    return F.cross_entropy(logits, labels, reduction="none")


def forward_kl(logits: torch.Tensor, targets: TargetRows, temperature: float) -> torch.Tensor:
    """Shape [R], nats: KL(p || q) between the teacher's p and the student's q, both at temperature T
    (Hinton 2015, without its factor T^2).

    With k < V tokens kept, the others are one residual outcome on both sides: a lower bound of the
    whole KL (data processing), and still a KL. Sums are taken in log space.
    """
    scaled = logits / temperature
    log_normaliser = torch.logsumexp(scaled, dim=-1)
    log_p = targets.logits / temperature - targets.log_z[:, None]
    if targets.ids is None:
        return (log_p.exp() * (log_p - (scaled - log_normaliser[:, None]))).sum(-1)
    log_q = scaled.gather(-1, targets.ids) - log_normaliser[:, None]
    kept = (log_p.exp() * (log_p - log_q)).sum(-1)
    if targets.ids.shape[-1] == logits.shape[-1]:
        return kept
    # Rounding can bring the kept mass to 1 or above; the residual is then nothing, not log of a negative.
    residual = -torch.expm1(torch.logsumexp(log_p, dim=-1))
    some = residual > torch.finfo(residual.dtype).eps
    log_p_rest = torch.where(some, residual, torch.ones_like(residual)).log()
    log_q_rest = torch.logsumexp(scaled.scatter(-1, targets.ids, -torch.inf), dim=-1) - log_normaliser
    return kept + torch.where(some, residual * (log_p_rest - log_q_rest), torch.zeros_like(residual))


def token_loss(
    loss: CrossEntropy | ForwardKl | OwnLoss,
    logits: torch.Tensor,
    labels: torch.Tensor,
    targets: TargetRows | None,
    taught: torch.Tensor | None = None,
) -> torch.Tensor:
    """Shape [R]: (1 - ce_weight) T^2 D(p, q) + ce_weight CE (of a plug-in without T^2) where a teacher
    supervises the token, plain cross-entropy where none does.

    Args:
        targets: rows of the tokens that a teacher supervises; None where there are none.
        taught: which tokens these are, as places in 0..R-1; None for all.
    """
    if isinstance(loss, CrossEntropy) or targets is None:
        return cross_entropy(logits, labels)
    if taught is None:
        return _distilled(loss, logits, labels, targets)
    distilled = _distilled(loss, logits[taught], labels[taught], targets)
    return cross_entropy(logits, labels).index_copy(0, taught, distilled)


def _distilled(
    loss: ForwardKl | OwnLoss, logits: torch.Tensor, labels: torch.Tensor, targets: TargetRows
) -> torch.Tensor:
    if isinstance(loss, ForwardKl):
        divergence = (1 - loss.ce_weight) * loss.temperature**2 * forward_kl(logits, targets, loss.temperature)
    else:
        divergence = (1 - loss.ce_weight) * loss.divergence(logits, labels, targets)
    return divergence + loss.ce_weight * cross_entropy(logits, labels) if loss.ce_weight else divergence
