"""What is assumed of a model: models that see the future, or read rows otherwise beside others, are refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pretrained_like import saved
from test_pretrained_models import bring_in, local
from test_training_jobs import CLPD, SHUFFLED, SMALL, TRAINING, corpus, do
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation import model_checks
from clpd_bench.distillation.model_checks import in_float32, require_causal_rows, require_known_head
from clpd_bench.distillation.models import load_model, new_model, save_model
from clpd_bench.errors import UserError
from clpd_bench.plan.build import LOSS_ALONE
from clpd_bench.settings.parts.loss import TargetsSettings
from clpd_bench.settings.specs import DifficultySpec, EvaluationSpec, ModelSpec, TargetsSpec

WIDTH = {
    "vocab_size": 41,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "initializer_range": 0.25,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
OWN: dict[str, dict[str, Any]] = {
    "opt": {"ffn_dim": 32, "word_embed_proj_dim": 16},
    "bloom": {"n_layer": 2, "n_head": 2},
    "mixtral": {"num_local_experts": 4},
    "qwen3_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
    "xlm": {"emb_dim": 16, "n_layers": 2, "n_heads": 2},
    "rwkv": {"attention_hidden_size": 16},
}


def made(kind: str, **settings: Any) -> PreTrainedModel:
    known = AutoConfig.for_model(kind)
    fitting = {name: value for name, value in WIDTH.items() if hasattr(known, name)}
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **{**fitting, **OWN.get(kind, {}), **settings})
    return AutoModelForCausalLM.from_config(config).float().eval()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "kind", ["llama", "qwen3", "gemma2", "gemma3_text", "gpt2", "phi3", "opt", "bloom", "mixtral", "qwen3_moe", "mamba"]
)
def test_causal_models_of_many_families_are_accepted(kind: str, dtype: torch.dtype) -> None:
    require_causal_rows(made(kind).to(dtype), "the teacher", 40)


SEEING: dict[str, dict[str, Any]] = {
    "llama": {"is_causal": False},
    "gemma3_text": {"use_bidirectional_attention": True},
    "bert-generation": {},
    "xlm": {},
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", SEEING)
def test_models_that_see_the_future_are_refused_by_name(kind: str, dtype: torch.dtype) -> None:
    """Each can be built by AutoModelForCausalLM, and its head is known."""
    model = made(kind, **SEEING[kind]).to(dtype)
    require_known_head(model, "the teacher")
    expected = rf"initial: the teacher \({type(model).__name__}\) sees what comes later: tokens from place 1 on move"
    with pytest.raises(UserError, match=expected):
        require_causal_rows(model, "the teacher")


def test_a_row_that_cannot_be_padded_on_the_left_is_refused() -> None:
    """RWKV has no mask, so lm-eval's batches would change what it generates."""
    with pytest.raises(UserError, match=r"\(RwkvForCausalLM\) reads a row otherwise than alone.*on the left"):
        require_causal_rows(made("rwkv"), "the teacher")


Change = Callable[[torch.Tensor], torch.Tensor]


def changed(change: Change, **settings: Any) -> PreTrainedModel:
    """A Llama whose first layer's output is something else."""
    model = made("llama", **settings)
    model.model.layers[0].register_forward_hook(lambda module, args, output: change(output))
    return model


class Remembering:
    """What was read last is in what is read next."""

    def __init__(self) -> None:
        self.last: torch.Tensor | float = 0.0

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        before, self.last = self.last, hidden.mean()
        return hidden + before


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda hidden: hidden + 0.01 * hidden.mean(0), "padded on the right"),
        (Remembering(), "padded on the right"),
        (lambda hidden: hidden * (1 + (hidden.shape[1] > 20)), "padded to 30 tokens"),
    ],
    ids=["companions", "the row before", "the batch's length"],
)
def test_a_row_that_depends_on_more_than_itself_is_refused(change: Change, where: str) -> None:
    with pytest.raises(UserError, match=f"reads a row otherwise than alone where it is {where}"):
        require_causal_rows(changed(change), "the teacher", 30)


def test_a_leak_that_bfloat16_would_hide_is_found_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    model = changed(lambda hidden: hidden + 1e-3 * hidden.mean(1, keepdim=True)).to(torch.bfloat16)
    with pytest.raises(UserError, match="sees what comes later"):
        require_causal_rows(model, "the teacher")
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ValueError, match="flash_attention_2 does not compute in float32"), in_float32(model):
        pass
    model.config._attn_implementation = "sdpa"
    monkeypatch.setattr(model_checks, "in_float32", _impossible)
    require_causal_rows(model, "the teacher")


def _impossible(model: PreTrainedModel) -> Any:
    raise ValueError("a kernel without float32")


def test_what_does_not_run_in_float32_is_looked_at_in_its_own_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_checks, "in_float32", _impossible)
    require_causal_rows(made("llama").to(torch.bfloat16), "the teacher", 40)
    with pytest.raises(UserError, match="sees what comes later"):
        require_causal_rows(made("llama", is_causal=False).to(torch.bfloat16), "the teacher")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "mamba", "mixtral"])
def test_looking_changes_nothing(kind: str, training: bool) -> None:
    """GPT-2 has dropout and ties its head; a Mamba uses weights outside their module's forward, so fails midway."""
    model = made(kind).to(torch.bfloat16).train(training)
    before = {name: (t.data_ptr(), t.detach().clone()) for name, t in _tensors(model)}
    state = torch.get_rng_state()
    require_causal_rows(model, "the teacher", 40)
    assert model.training is training
    assert torch.equal(torch.get_rng_state(), state)
    for name, t in _tensors(model):
        place, values = before[name]
        assert t.data_ptr() == place
        assert t.dtype == values.dtype
        assert torch.equal(t, values), name
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def _tensors(model: PreTrainedModel) -> list[tuple[str, torch.Tensor]]:
    return [*model.named_parameters(), *model.named_buffers()]


def test_one_module_at_a_time_is_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a large model would be there twice."""
    model = made("llama").to(torch.bfloat16)
    wide: list[int] = []

    def count(module: torch.nn.Module, args: Any, output: Any) -> None:
        wide.append(sum(p.dtype == torch.float32 for p in model.parameters()))

    for layer in model.model.layers:
        layer.mlp.down_proj.register_forward_hook(count)
    with torch.no_grad(), in_float32(model):
        logits = model(input_ids=torch.arange(8)[None], use_cache=False).logits
    assert logits.dtype == torch.float32
    assert max(wide) <= 1


CODE = """
from transformers import LlamaConfig, LlamaForCausalLM

class MineConfig(LlamaConfig):
    model_type = "mine"

class Mine(LlamaForCausalLM):
    config_class = MineConfig

    def __init__(self, config):
        super().__init__(config)
        for layer in self.model.layers:
            layer.register_forward_hook(lambda module, args, output: output + 0.1 * output.mean(1, keepdim=True))
"""


def test_code_that_comes_with_a_model_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    saved(tmp_path / "theirs")
    config = json.loads((tmp_path / "theirs" / "config.json").read_text())
    config |= {
        "model_type": "mine",
        "architectures": ["Mine"],
        "auto_map": {"AutoConfig": "seer.MineConfig", "AutoModelForCausalLM": "seer.Mine"},
    }
    (tmp_path / "theirs" / "config.json").write_text(json.dumps(config))
    (tmp_path / "theirs" / "seer.py").write_text(CODE)
    with pytest.raises(UserError, match=r"theirs \(Mine\) sees what comes later"):
        bring_in(local(tmp_path / "theirs", trust_remote_code=True), tmp_path / "out")


@pytest.fixture(scope="module")
def seer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A corpus, and a model for its tokenizer whose attention is not causal."""
    root = tmp_path_factory.mktemp("seer")
    inputs = {"corpus": corpus(root / "corpus"), "model": root / "model"}
    tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    model = new_model(SMALL, tokenizer, Streams(0))
    model.config.is_causal = False
    save_model(model, tokenizer, inputs["model"])
    assert load_model(inputs["model"]).config.is_causal is False
    return inputs


STUDENT = {"architecture": SMALL, "training": TRAINING, "seed": 0}
LIVE = CLPD.model_copy(update={"live": True, "teachers": 1, "stages": 1, "order": SHUFFLED.order})
JOBS: dict[str, tuple[str, Any, str]] = {
    "targets": ("targets", TargetsSpec(targets=TargetsSettings()), "model"),
    "difficulty": ("difficulty", DifficultySpec.model_validate({"difficulty": "teacher_loss:t"}), "model"),
    "initial": ("model", ModelSpec(supervision=SHUFFLED, training=TRAINING, seed=0), "initial"),
    "live teacher": ("model", ModelSpec(supervision=LIVE, **STUDENT), "teacher.1"),
    "fewer layers": ("model", ModelSpec.model_validate({"keep_layers": [0], "seed": 0}), "initial"),
    "items of a corpus": (
        "evaluation",
        EvaluationSpec(benchmark=LOSS_ALONE, batch_size=4, dtype="float32"),
        "model",
    ),
    "task by name": (
        "evaluation",
        EvaluationSpec.model_validate({"benchmark": {"task": "any"}, "batch_size": 4, "dtype": "float32"}),
        "model",
    ),
}


@pytest.mark.parametrize("job", JOBS)
def test_every_job_that_loads_a_model_looks(job: str, seer: dict[str, Path], tmp_path: Path) -> None:
    kind, spec, role = JOBS[job]
    inputs = {"corpus": seer["corpus"], role: seer["model"]}
    with pytest.raises(UserError, match=r"\(LlamaForCausalLM\) sees what comes later"):
        do(kind, spec, inputs, tmp_path / "out")


def test_bringing_in_looks(seer: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model \(LlamaForCausalLM\) sees what comes later"):
        bring_in(local(seer["model"]), tmp_path / "out")
