"""KL(teacher || student) at T = 1 from hidden states, by whom there is: ours, a tutorial's, TRL's, Liger's.

Liger's kernels want triton.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F

from clpd_bench.curriculum.stages import Moment
from clpd_bench.distillation.chunked import chunked_sum
from clpd_bench.distillation.divergences import TargetRows, TokenLoss
from clpd_bench.distillation.head import Head
from clpd_bench.settings.parts.loss import ForwardKl

TOP_K = 64


@dataclass(frozen=True, eq=False)
class Problem:
    """Attributes:
    hidden, head: shapes [R, D] and [V, D], the student's, which want gradients.
    taught, teacher: shapes [R, D'] and [V, D'].
    labels: shape [R].
    """

    hidden: torch.Tensor
    head: torch.Tensor
    taught: torch.Tensor
    teacher: torch.Tensor
    labels: torch.Tensor


Loss = Callable[[Problem], torch.Tensor]
"""The mean over tokens, with a graph."""


def drawn(rows: int, vocabulary: int, width: int, taught_width: int, device: str) -> Problem:
    """Random ones, whose logits differ by a few nats."""
    torch.manual_seed(0)

    def normal(n: int, d: int, scale: float = 1.0) -> torch.Tensor:
        return (scale * torch.randn(n, d, device=device)).bfloat16()

    return Problem(
        normal(rows, width).requires_grad_(),
        normal(vocabulary, width, 2 * width**-0.5).requires_grad_(),
        normal(rows, taught_width),
        normal(vocabulary, taught_width, 2 * taught_width**-0.5),
        torch.randint(vocabulary, (rows,), device=device),
    )


def plain(problem: Problem) -> torch.Tensor:
    """As a tutorial writes it, all logits at once."""
    student, teacher = problem.hidden @ problem.head.T, problem.taught @ problem.teacher.T
    wide = torch.promote_types(student.dtype, torch.float32)
    q, p = (F.log_softmax(logits.to(wide), -1) for logits in (student, teacher))
    return F.kl_div(q, p, reduction="batchmean", log_target=True)


OURS = TokenLoss(ForwardKl(name="forward_kl"))
NOW = Moment(step=1, steps=1, stage=1, stages=1)


def ours_live(problem: Problem) -> torch.Tensor:
    teacher = Head(problem.teacher)

    @torch.no_grad()
    def said(part: slice) -> TargetRows:
        logits = teacher.logits(problem.taught[part])
        return TargetRows(None, logits, torch.logsumexp(logits, dim=-1))

    return _ours(problem, said)


def ours_top_k(problem: Problem) -> torch.Tensor:
    return _ours(problem, stored(problem).__getitem__)


@cache
def stored(problem: Problem) -> TargetRows:
    """Stored rows, on the device already."""
    with torch.no_grad():
        parts = [Head(problem.teacher).logits(chunk) for chunk in problem.taught.split(1024)]
        tops = [logits.topk(min(TOP_K, logits.shape[-1])) for logits in parts]
        return TargetRows(
            torch.cat([top.indices for top in tops]),
            torch.cat([top.values for top in tops]),
            torch.cat([torch.logsumexp(logits, dim=-1) for logits in parts]),
        )


def _ours(problem: Problem, said: Callable[[slice], TargetRows]) -> torch.Tensor:
    def of_part(logits: torch.Tensor, part: slice) -> torch.Tensor:
        return OURS(logits, problem.labels[part], said(part), None, NOW)

    return chunked_sum(problem.hidden, Head(problem.head), of_part) / len(problem.hidden)


def trl(problem: Problem) -> torch.Tensor:
    from trl.kernels.chunked_divergence import ChunkedDivergenceFunction

    p = problem
    divergence, _ = ChunkedDivergenceFunction.apply(p.hidden, p.head, None, p.taught, p.teacher, None, 0.0)
    return divergence.mean()


def liger_jsd(problem: Problem) -> torch.Tensor:
    from liger_kernel.transformers.fused_linear_jsd import LigerFusedLinearJSD

    loss = LigerFusedLinearJSD(jsd_beta=0.0)  # which is KL(teacher || student)
    return loss(problem.hidden, problem.head, problem.taught, problem.teacher, None)


@cache
def probabilities(problem: Problem) -> torch.Tensor:
    return torch.cat([(chunk @ problem.teacher.T).float().softmax(-1) for chunk in problem.taught.split(1024)])


def liger_kl(problem: Problem) -> torch.Tensor:
    from liger_kernel.transformers.fused_linear_kl_div import LigerFusedLinearKLDivLoss

    return LigerFusedLinearKLDivLoss()(problem.hidden, problem.head, probabilities(problem))


def liger_chunked(problem: Problem) -> torch.Tensor:
    from liger_kernel.chunked_loss.jsd_loss import LigerFusedLinearJSDLoss

    loss = LigerFusedLinearJSDLoss(0.0, 1.0, beta=0.0, compiled=problem.hidden.is_cuda)
    return loss(problem.hidden, problem.head, problem.taught, problem.teacher, problem.labels)


def forget_given() -> None:
    """What was worked out of the problem beforehand."""
    for made in (stored, probabilities):
        made.cache_clear()
