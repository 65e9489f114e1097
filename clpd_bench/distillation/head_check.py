"""Whether a model's logits are what the suite takes them for."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel

from clpd_bench.distillation.head import head_of
from clpd_bench.distillation.models import hidden_states
from clpd_bench.errors import UserError

TOKENS = 8
TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-4}
COARSE = 0.02


@torch.no_grad()
def require_known_head(model: PreTrainedModel, who: str) -> None:
    """Losses apply the head by hand, to response tokens alone; here to a few tokens, beside the model's own forward.

    Raises:
        UserError: the two differ by more than rounding, or the model's parts are not to be had.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    input_ids = (torch.arange(TOKENS, device=model.device) * (rows // TOKENS + 1) % rows)[None]
    was_training = model.training
    model.eval()
    try:
        mine = head_of(model).logits(hidden_states(model, input_ids))
    except (ValueError, AttributeError, TypeError) as error:
        raise _unknown(model, who, str(error)) from None
    own = model(input_ids=input_ids, use_cache=False).logits.to(mine.dtype)
    model.train(was_training)
    if mine.shape != own.shape:
        raise _unknown(model, who, f"its logits have shape {list(own.shape)}, and the head's {list(mine.shape)}")
    apart = float((mine - own).norm() / own.norm())
    if not apart <= TOLERANCE.get(model.dtype, COARSE):
        raise _unknown(model, who, f"its own logits differ from those of its last hidden states by {apart:.2g}")


def _unknown(model: PreTrainedModel, who: str, why: str) -> UserError:
    return UserError(
        f"{who} ({type(model).__name__}) does something to its logits that is not known here: {why}",
        key="initial",
        fix="Known are linear heads with bias, logit scale and soft-cap; take a model that has no more than these",
    )
