"""The parts, in their order: what matters most comes first, what may be late comes last. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from on_gpu.results import Case


@dataclass(frozen=True)
class Part:
    """Attributes:
    seconds: its limit, the start of its process included.
    at: module:function of `cases(shrunk, device)`.
    as_job: whether it computes as our jobs do, with kernels that add in one order; peers do as they come.
    """

    seconds: float
    at: str
    about: str
    as_job: bool = True

    def cases(self, shrunk: bool, device: str) -> Iterator[Case]:
        module, _, function = self.at.partition(":")
        made: Callable[[bool, str], Iterator[Case]] = getattr(import_module(module), function)
        return made(shrunk, device)


PARTS = {
    "card": Part(20, "on_gpu.card:cases", "what it is, and its ceilings"),
    "right": Part(60, "on_gpu.right:cases", "losses, attention, targets, bfloat16 beside the CPU in float64"),
    "step": Part(50, "on_gpu.step:cases", "whole steps at 0.5B, with forecasts"),
    "step_large": Part(68, "on_gpu.step:large", "whole steps at 1.5B, with forecasts"),
    "resume": Part(30, "on_gpu.resume:cases", "a run that is killed ends as one that is not"),
    "loss": Part(40, "on_gpu.loss:cases", "ours alone"),
    "loss_peers": Part(40, "on_gpu.loss:peers", "Liger's and TRL's alone", as_job=False),
    "generation": Part(45, "on_gpu.generation:cases", "tokens a second by batch"),
    "predictions": Part(30, "on_gpu.predictions:cases", "forecasts of targets, scores and float32 steps"),
    "step_peer": Part(55, "on_gpu.step:peer", "the same steps through TRL's GKDTrainer", as_job=False),
    "smoke": Part(60, "on_gpu.smoke:cases", "ablations/smoke.yaml on the card and on the CPU"),
    "loss_compiled": Part(27, "on_gpu.loss:compiled", "Liger's compiled JSD alone", as_job=False),
}
"""Together under nine minutes, with a quarter of a minute left for torch to be loaded once more."""
SHRUNK = 4
"""Times its limit is what a shrunk part may take: processors are slow, and shared."""
