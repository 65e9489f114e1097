"""What the suite assumes of a model, checked: causal rows, rows read as if alone, a head that is known."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.functional import pad
from transformers import PreTrainedModel

from clpd_bench.distillation.devices import own_random_numbers
from clpd_bench.distillation.head import head_of
from clpd_bench.distillation.models import hidden_states, length_boundaries, position_limit
from clpd_bench.errors import UserError

COARSER = (torch.bfloat16, torch.float16)
WIDE_KERNELS = ("sdpa", "eager", None)


@contextmanager
def in_float32(model: PreTrainedModel) -> Iterator[None]:
    """Each module's own parameters are float32 during its forward, so memory grows by one module and not by a model.

    The weights are the same tensors afterwards. Buffers stay as they are.

    Raises:
        ValueError: the model's attention kernel knows no float32.
    """
    if model.config._attn_implementation not in WIDE_KERNELS:
        raise ValueError(f"{model.config._attn_implementation} does not compute in float32")
    # A stack, as two modules may hold one parameter, and one of them the other.
    replaced: list[list[tuple[nn.Parameter, torch.Tensor]]] = []

    def widen(module: nn.Module, args: Any) -> None:
        own = [p for p in module.parameters(recurse=False) if p.dtype in COARSER]
        replaced.append([(p, p.data) for p in own])
        for p in own:
            p.data = p.data.float()

    def restore(module: nn.Module, args: Any, output: Any) -> None:
        for p, data in replaced.pop():
            p.data = data

    handles = []
    for module in model.modules():
        if any(p.dtype in COARSER for p in module.parameters(recurse=False)):
            handles.append(module.register_forward_pre_hook(widen))
            handles.append(module.register_forward_hook(restore, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for own in reversed(replaced):
            for p, data in own:
                p.data = data


TOKENS = 12
"""Of the row that is looked at; of another that is padded to its length, two thirds of them."""
TOLERANCE, COARSE = 1e-4, 0.2
"""By which a place's logits may differ, relative to their size: in float32, and where only a coarser dtype can be had.
Of causal models, other shapes of a batch move them by rounding: by 1e-6 and less in 40 families with fresh weights,
by 3e-6 in SmolLM2-135M (by 0.04 in bfloat16); with fresh weights later tokens move them by 0.002 (XLM) and more."""
OTHERWISE = "reads a row otherwise than alone where it is"
Found = tuple[float, str]
"""By how much logits differ that should not, and what that says of the model."""


@torch.no_grad()
def require_causal_rows(model: PreTrainedModel, who: str, longest: int | None = None) -> None:
    """Looks at a few tokens, in float32 whatever the weights are kept in, or in their dtype where that cannot be.

    Changes nothing of the model, nor of the random generators.

    Args:
        who: what errors call it.
        longest: tokens of the longest sequence that the job reads, to which a row is padded; None where that is not
            known, or where `require_known_head` has not looked at the model.

    Raises:
        UserError: later tokens move earlier logits, or a row padded, or beside others, is another than alone.
    """
    was_training = model.training
    model.eval()
    try:
        with own_random_numbers(model.device):
            try:
                with in_float32(model):
                    found, bound = list(_differences(model, longest)), TOLERANCE
            except (RuntimeError, TypeError, ValueError):
                # Custom kernels, or weights that are used outside their module's own forward.
                found, bound = list(_differences(model, longest)), COARSE
    finally:
        model.train(was_training)
    for apart, what in found:
        if not apart <= bound:
            raise UserError(
                f"{who} ({type(model).__name__}) {what} by {apart:.2g} of their size",
                key="initial",
                fix="Take a model that predicts each token from those before it alone. Of a class that has another "
                "mode besides, its config.json says which (is_decoder, is_causal, use_bidirectional_attention)",
            )


def _differences(model: PreTrainedModel, longest: int | None) -> Iterator[Found]:
    limit, device = position_limit(model) or TOKENS, model.device
    n, pad_id = min(TOKENS, limit), getattr(model.config.get_text_config(), "pad_token_id", None) or 0
    tokens = torch.arange(model.get_input_embeddings().weight.shape[0], device=device)
    tokens = tokens[tokens != pad_id]
    drawn = torch.randint(len(tokens), (n,), generator=torch.Generator().manual_seed(0)).to(device)
    ids, otherwise = tokens[drawn], tokens[(drawn + 1) % len(tokens)]
    short = ids[: 2 * n // 3]
    padding = n - len(short)

    def logits(*of_rows: torch.Tensor, **settings: torch.Tensor) -> torch.Tensor:
        answered: torch.Tensor = model(input_ids=torch.stack(of_rows), use_cache=False, **settings).logits
        return answered

    places = (1, n // 2, n - 1)
    said, *others = logits(ids, *(torch.cat([ids[:j], otherwise[j:]]) for j in places))
    for j, other in zip(places, others, strict=True):
        yield _apart(other[:j], said[:j]), f"sees what comes later: tokens from place {j} on move logits before it"
    alone = logits(short)[0]
    right = logits(pad(short, (0, padding), value=pad_id), otherwise)[0, : len(short)]
    yield _apart(right, alone), f"{OTHERWISE} padded on the right, as in training: logits differ"
    mask = pad(torch.ones(2, n, dtype=torch.long, device=device)[:, padding:], (padding, 0))
    mask[1] = 1
    left = logits(pad(short, (padding, 0), value=pad_id), otherwise, **_as_generating(model, mask))[0, padding:]
    yield _apart(left, alone), f"{OTHERWISE} padded on the left, as in generation: logits differ"
    if longest is not None:
        # Beyond a boundary rows are kept apart from shorter ones.
        width = max(n, min([longest, *length_boundaries(model)]))
        long = hidden_states(model, pad(short, (0, width - len(short)), value=pad_id)[None])[0, : len(short)]
        yield (
            _apart(long, hidden_states(model, short[None])[0]),
            f"{OTHERWISE} padded to {width} tokens: hidden states differ",
        )


def _as_generating(model: PreTrainedModel, mask: torch.Tensor) -> dict[str, torch.Tensor]:
    """What `generate` gives to the forward of a padded batch."""
    if "position_ids" not in inspect.signature(model.forward).parameters:
        return {"attention_mask": mask}
    return {"attention_mask": mask, "position_ids": (mask.cumsum(-1) - 1).masked_fill(mask == 0, 0)}


def _apart(mine: torch.Tensor, reference: torch.Tensor) -> float:
    """The largest difference of a place, relative to the mean size of places. What all logits of a place share
    counts for nothing in a softmax, and so it does here."""
    mine, reference = (x.double() - x.double().mean(-1, keepdim=True) for x in (mine, reference))
    size = reference.norm(dim=-1).mean().clamp_min(torch.finfo(torch.float32).tiny)
    return float((mine - reference).norm(dim=-1).max() / size)


PROBED = 8
HEAD_TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-4}
HEAD_COARSE = 0.02


@torch.no_grad()
def require_known_head(model: PreTrainedModel, who: str) -> None:
    """Losses apply the head by hand, to response tokens alone; here to a few tokens, beside the model's own forward.

    Raises:
        UserError: the two differ by more than rounding, or the model's parts are not to be had.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    input_ids = (torch.arange(PROBED, device=model.device) * (rows // PROBED + 1) % rows)[None]
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
    if not apart <= HEAD_TOLERANCE.get(model.dtype, HEAD_COARSE):
        raise _unknown(model, who, f"its own logits differ from those of its last hidden states by {apart:.2g}")


def _unknown(model: PreTrainedModel, who: str, why: str) -> UserError:
    return UserError(
        f"{who} ({type(model).__name__}) does something to its logits that is not known here: {why}",
        key="initial",
        fix="Known are linear heads with bias, logit scale and soft-cap; take a model that has no more than these",
    )
