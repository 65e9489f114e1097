"""Whether a model is at random in training."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel


@torch.no_grad()
def draws_in_training(model: PreTrainedModel) -> bool:
    """Whether a forward pass in training mode takes from torch's generators: for dropout, whole layers left out, or
    noise in a router. Asks the generators, as no configuration has one name for all of these.

    Changes neither the model's mode nor the generators.
    """
    was_training = model.training
    with torch.random.fork_rng():
        before = _states(model.device)
        model.train()
        model.get_decoder()(input_ids=torch.ones(1, 2, dtype=torch.long, device=model.device), use_cache=False)
        after = _states(model.device)
    model.train(was_training)
    return not all(map(torch.equal, before, after))


def _states(device: torch.device) -> list[torch.Tensor]:
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
