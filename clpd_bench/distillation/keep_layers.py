"""A smaller model cut out of a larger one: some of its layers, in their order, and all else as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.pretrained import rebuilt
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.model import Cosine, Every, FirstLast, KeepLayers, Listed

TOLERANCE = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}
"""By which logits may differ, relative to the largest, where a model is the same but for rounding."""


def kept_layers(rule: KeepLayers, layers: int, cosines: Callable[[], NDArray[np.float64]]) -> list[int]:
    """Numbers of the layers that a rule keeps of `layers`, ascending.

    Args:
        cosines: gives those that `layer_cosines` does; called only where the rule goes by them.

    Raises:
        UserError: the model has not as many layers as the rule wants.
    """
    match rule:
        case Listed():
            wanted, kept = max(rule.layers) + 1, list(rule.layers)
        case FirstLast():
            wanted = rule.first + rule.last
            kept = [*range(rule.first), *range(layers - rule.last, layers)]
        case Every():
            wanted, kept = 1, list(range(0, layers, rule.n))
        case Cosine():
            wanted = rule.layers
            kept = sorted(np.argsort(cosines(), kind="stable")[: rule.layers].tolist()) if wanted <= layers else []
    if wanted > layers or not kept:
        raise UserError(
            f"the rule {rule.name} wants {wanted} layers, and the model has {layers}",
            key="keep_layers",
            allowed=[f"up to {layers} layers, 0 to {layers - 1}"],
        )
    return kept


def cut(model: PreTrainedModel, kept: list[int]) -> PreTrainedModel:
    """The model with the layers `kept` alone.

    Raises:
        UserError: the smaller model does not compute what the larger one does where its other layers are skipped.
    """
    name, blocks = layers_of(model)
    config = _smaller_config(model, len(blocks), kept)
    place = {f"{name}.{old}.": f"{name}.{new}." for new, old in enumerate(kept)}
    weights = {}
    for key, value in model.state_dict().items():
        if key.startswith(f"{name}."):
            prefix = f"{name}.{key.removeprefix(f'{name}.').split('.')[0]}."
            if prefix in place:
                weights[place[prefix] + key.removeprefix(prefix)] = value
        else:
            weights[key] = value
    try:
        smaller = rebuilt(model, config, weights)
    except (RuntimeError, ValueError) as error:
        raise _uncuttable(model, str(error).splitlines()[0]) from None
    _require_same_function(model, smaller, blocks, kept)
    return smaller


def layers_of(model: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """The list of a model's layers, and what it is called in the state dict.

    Raises:
        UserError: it is not clear which list that is.
    """
    n = model.config.get_text_config().num_hidden_layers
    found = [(name, m) for name, m in model.named_modules() if isinstance(m, nn.ModuleList) and len(m) == n]
    outermost = [entry for entry in found if not any(entry[0].startswith(f"{other}.") for other, _ in found)]
    if len(outermost) != 1 or model.config.get_text_config() is not model.config:
        raise _uncuttable(model, "it has no list of layers that stands for itself")
    return outermost[0]


def _smaller_config(model: PreTrainedModel, layers: int, kept: list[int]) -> Any:
    """Settings that stand there once a layer (`layer_types`) are those of the layers kept."""
    settings = model.config.to_dict()
    for name, value in settings.items():
        if "layer" in name and isinstance(value, list) and len(value) == layers:
            settings[name] = [value[i] for i in kept]
    settings["num_hidden_layers"] = len(kept)
    try:
        return type(model.config).from_dict(settings)
    except (ValueError, TypeError) as error:
        raise _uncuttable(model, str(error).splitlines()[0]) from None


@torch.no_grad()
def _require_same_function(
    model: PreTrainedModel, smaller: PreTrainedModel, blocks: nn.ModuleList, kept: list[int]
) -> None:
    ids = torch.arange(1, 9, device=model.device)[None] % model.config.vocab_size
    skipped = [block for i, block in enumerate(blocks) if i not in kept]
    with _hooked(skipped, lambda block, before, after: before):
        expected = model.eval()(input_ids=ids, use_cache=False).logits
    logits = smaller(input_ids=ids, use_cache=False).logits
    apart = float((logits - expected).abs().max() / expected.abs().max().clamp_min(1e-9))
    if not apart <= TOLERANCE.get(model.dtype, 1e-4):
        raise _uncuttable(model, f"with layers skipped and with layers taken out, its logits are {apart:.1g} apart")


@torch.no_grad()
def layer_cosines(model: PreTrainedModel, split: Split, examples: int) -> NDArray[np.float64]:
    """Shape [layers]: of each, the mean over all tokens of the cosine between what goes in and what comes out.

    Args:
        examples: how many of the split's, the first by id.
    """
    _, blocks = layers_of(model)
    sums, tokens = np.zeros(len(blocks)), 0

    def add(block: nn.Module, before: torch.Tensor, after: torch.Tensor) -> None:
        sums[number[block]] += float(F.cosine_similarity(before.double(), after.double(), dim=-1).sum())

    number = {block: i for i, block in enumerate(blocks)}
    with _hooked(list(blocks), add):
        for i in range(min(examples, len(split.ids))):
            ids = np.concatenate([split.prompts[i], split.responses[i]]).astype(np.int64)
            model.get_decoder()(input_ids=torch.from_numpy(ids)[None].to(model.device), use_cache=False)
            tokens += len(ids)
    return sums / tokens


Hook = Callable[[nn.Module, torch.Tensor, torch.Tensor], torch.Tensor | None]


@contextmanager
def _hooked(blocks: list[nn.Module], hook: Hook) -> Iterator[None]:
    """`hook(layer, hidden states in, hidden states out)`; what it returns, if anything, comes out instead."""

    def wrapped(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        before = args[0] if args else kwargs["hidden_states"]
        replaced = hook(block, before, output[0] if isinstance(output, tuple) else output)
        if replaced is None:
            return None
        return (replaced, *output[1:]) if isinstance(output, tuple) else replaced

    handles = [block.register_forward_hook(wrapped, with_kwargs=True) for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _uncuttable(model: PreTrainedModel, why: str) -> UserError:
    return UserError(f"no smaller model can be cut out of a {type(model).__name__}: {why}", key="keep_layers")
