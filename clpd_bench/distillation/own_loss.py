"""A loss of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from clpd_bench.plugins import load
from clpd_bench.settings.plugin import LossPlugin

if TYPE_CHECKING:
    from clpd_bench.distillation.divergences import TargetRows


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
