"""Losses of one response token, of the student's logits, the gold token and the teacher's targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from clpd_bench.curriculum.stages import Moment
from clpd_bench.outside.plugins import load
from clpd_bench.settings.parts.loss import CrossEntropy, DivergenceSettings, ForwardKl, LossPlugin


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


def tempered(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """logits / T: themselves at T = 1, where a division would copy them."""
    return logits if temperature == 1.0 else logits / temperature


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Shape [R], nats: -log q(label), of logits [R, V] and labels [R]."""
    return F.cross_entropy(logits, labels, reduction="none")


def forward_kl(logits: torch.Tensor, targets: TargetRows, temperature: float) -> torch.Tensor:
    """Shape [R], nats: KL(p || q) between the teacher's p and the student's q, both at temperature T
    (Hinton 2015, without its factor T^2).

    With k < V tokens kept, the others are one residual outcome on both sides: a lower bound of the
    whole KL (data processing), and still a KL. Sums are taken in log space.
    """
    scaled = tempered(logits, temperature)
    log_p = tempered(targets.logits, temperature) - targets.log_z[:, None]
    if targets.ids is None:
        whole: torch.Tensor = _ForwardKl.apply(scaled, log_p.to(scaled.dtype))  # type: ignore[no-untyped-call]
        return whole
    if targets.ids.shape[-1] == logits.shape[-1]:  # there is no rest
        log_q = scaled.gather(-1, targets.ids) - torch.logsumexp(scaled, dim=-1, keepdim=True)
        return (log_p.exp() * (log_p - log_q)).sum(-1)
    log_q, log_q_rest = _LogMasses.apply(scaled, targets.ids)  # type: ignore[no-untyped-call]
    kept: torch.Tensor = (log_p.exp() * (log_p - log_q)).sum(-1)
    # Rounding can bring the kept mass to 1 or above; the residual is then nothing, not log of a negative.
    residual = -torch.expm1(torch.logsumexp(log_p, dim=-1))
    some = residual > torch.finfo(residual.dtype).eps
    log_p_rest = torch.where(some, residual, torch.ones_like(residual)).log()
    return kept + torch.where(some, residual * (log_p_rest - log_q_rest), torch.zeros_like(residual))


class _ForwardKl(torch.autograd.Function):
    """sum_v p (log p - log q) of tempered logits and log p, both [R, V]: what autograd computes of this, number by
    number, in half of its blocks [R, V]. Takes log p over.

    The gradient is q sum_v p - p, for rows that add up to 1 the q - p of Hinton 2015, times what comes from behind.
    """

    @staticmethod
    def forward(ctx: Any, scaled: torch.Tensor, log_p: torch.Tensor) -> torch.Tensor:
        log_q = scaled - torch.logsumexp(scaled, dim=-1, keepdim=True)
        p = log_p.exp()
        ctx.save_for_backward(p, log_q)
        return log_p.sub_(log_q).mul_(p).sum(-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Any) -> tuple[torch.Tensor, None]:
        p, log_q = ctx.saved_tensors
        p.mul_(grads[0][:, None])
        return log_q.exp_().mul_(p.sum(-1, keepdim=True)).sub_(p), None


class _LogMasses(torch.autograd.Function):
    """The student's log q of the kept tokens, shape [R, k], and of all others together, shape [R], of its tempered
    logits [R, V]: the numbers and gradients that autograd has, in half of its blocks [R, V]."""

    @staticmethod
    def forward(ctx: Any, scaled: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        log_normaliser = torch.logsumexp(scaled, dim=-1, keepdim=True)
        rest = scaled.scatter(-1, ids, -torch.inf)
        log_rest = torch.logsumexp(rest, dim=-1, keepdim=True)
        ctx.save_for_backward(scaled, ids, log_normaliser, rest, log_rest)
        return scaled.gather(-1, ids) - log_normaliser, (log_rest - log_normaliser).squeeze(-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        scaled, ids, log_normaliser, rest, log_rest = ctx.saved_tensors
        of_kept, of_rest = grads[0], grads[1][:, None]
        of_normaliser = -of_kept.sum(-1, keepdim=True) - of_rest
        gradient = (scaled - log_normaliser).exp_().mul_(of_normaliser)
        gradient += rest.sub_(log_rest).exp_().mul_(of_rest)
        # Set, not added: no id is there twice, and a GPU adds as it comes.
        return gradient.scatter_(-1, ids, gradient.gather(-1, ids) + of_kept), None


Divergence = Callable[[torch.Tensor, torch.Tensor, TargetRows, Moment], torch.Tensor]
"""(logits [R, V], labels [R], a teacher's R rows, when) -> D of each token, shape [R]."""


def _forward_kl(settings: ForwardKl) -> Divergence:
    return lambda logits, labels, targets, moment: forward_kl(logits, targets, settings.temperature)


def _own(settings: LossPlugin) -> Divergence:
    """The user's function, executed once for a run.

    Raises:
        PluginError: the function has other arguments, fails, or returns something of another shape.
    """
    function = load(settings, temperature=settings.temperature)

    def divergence(logits: torch.Tensor, labels: torch.Tensor, targets: TargetRows, moment: Moment) -> torch.Tensor:
        returned = function(logits, labels, targets, **vars(moment))
        if not isinstance(returned, torch.Tensor) or returned.shape != labels.shape:
            what = f"a tensor of shape {list(returned.shape)}" if isinstance(returned, torch.Tensor) else returned
            raise function.refused(what, f"a loss for each token, a tensor of shape {list(labels.shape)}")
        return returned

    return divergence


DIVERGENCES: dict[str, Callable[[Any], Divergence]] = {
    "forward_kl": _forward_kl,
    "plugin": _own,
}
"""What makes the function of a divergence out of its settings."""


class TokenLoss:
    """The loss of single response tokens: (1 - ce_weight) s D + ce_weight CE where a teacher supervises the token,
    plain cross-entropy where none does."""

    def __init__(self, settings: CrossEntropy | DivergenceSettings) -> None:
        self._divergence: Divergence | None = None
        if not isinstance(settings, CrossEntropy):
            self._divergence, self._ce_weight = DIVERGENCES[settings.name](settings), settings.ce_weight
            self._factor = (1 - settings.ce_weight) * settings.scale

    def __call__(
        self,
        logits: torch.Tensor,
        labels: torch.Tensor,
        targets: TargetRows | None,
        taught: torch.Tensor | None,
        moment: Moment,
    ) -> torch.Tensor:
        """Shape [R], of logits [R, V] and labels [R].

        Args:
            targets: rows of the tokens that a teacher supervises; None where there are none.
            taught: which tokens these are, as places in 0..R-1; None for all.
        """
        if self._divergence is None or targets is None:
            return cross_entropy(logits, labels)
        mine = (logits, labels) if taught is None else (logits[taught], labels[taught])
        distilled = self._factor * self._divergence(*mine, targets, moment)
        if self._ce_weight:
            distilled = distilled + self._ce_weight * cross_entropy(*mine)
        return distilled if taught is None else cross_entropy(logits, labels).index_copy(0, taught, distilled)
