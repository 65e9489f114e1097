"""Which parameters are trained, and in what precision."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from transformers import PreTrainedModel

from clpd_bench.settings.parts.training import Training


class TrainedParameters:
    """The parameters that the optimizer steps: the model's own, or float32 masters of bfloat16 ones.

    With masters, gradients go over to them as each micro-batch leaves them and are summed in float32.
    Changes the model: frozen parameters want no gradient, and all have the precision asked for
    (of parameters finer than float32 none is made coarser by `float32`).

    Attributes:
        masters: by the name of the model's parameter.
    """

    def __init__(self, model: PreTrainedModel, training: Training) -> None:
        if training.freeze_embeddings:
            model.get_input_embeddings().requires_grad_(requires_grad=False)
        bfloat16 = training.precision == "bfloat16"
        self._own = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.masters: dict[str, torch.Tensor] = dict(self._own)
        if bfloat16:
            # Of the weights as they came: what bfloat16 rounds off is not lost to the masters.
            self.masters = {name: nn.Parameter(p.detach().float().clone()) for name, p in self._own.items()}
        for p in model.parameters():
            # Parameters alone: rotary frequencies are buffers, and lose positions in bfloat16.
            p.data = p.data.to(torch.bfloat16 if bfloat16 else torch.promote_types(p.dtype, torch.float32))
        if bfloat16:
            for name, p in self._own.items():
                p.register_post_accumulate_grad_hook(_hand_over_to(self.masters[name]))

    def optimizer(self, training: Training) -> torch.optim.AdamW:
        """Steps along the masters; on a GPU in one kernel, which needs no memory of its own."""
        on_gpu = all(p.is_cuda for p in self.masters.values())
        return torch.optim.AdamW(
            self.masters.values(),
            lr=training.learning_rate,
            betas=training.betas,
            weight_decay=training.weight_decay,
            fused=on_gpu or None,
        )

    @torch.no_grad()
    def write_back(self) -> None:
        """The masters' values into the model."""
        apart = [name for name, p in self._own.items() if p is not self.masters[name]]
        if apart:
            torch._foreach_copy_([self._own[name] for name in apart], [self.masters[name] for name in apart])


def _hand_over_to(master: torch.Tensor) -> Callable[[torch.Tensor], None]:
    def hand_over(p: torch.Tensor) -> None:
        if master.grad is None:
            master.grad = torch.zeros_like(master) if p.grad is None else p.grad.to(master.dtype)
        elif p.grad is not None:
            master.grad += p.grad
        p.grad = None

    return hand_over
