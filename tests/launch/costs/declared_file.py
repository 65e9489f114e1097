"""An ablation of pretrained models and a corpus of which nothing is at hand but what its file declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

COMMIT = "1" * 40
STUDENT = {
    "model_type": "qwen2",
    "hidden_size": 896,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
    "source": "config.json of Qwen2.5-0.5B",
}
TEACHER = {
    **STUDENT,
    "hidden_size": 1536,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "intermediate_size": 8960,
    "source": "config.json of Qwen2.5-1.5B",
}


def hub(model: str, dimensions: dict[str, Any] | None) -> dict[str, Any]:
    start = {"name": "hub", "model": model, "revision": COMMIT, "dtype": "bfloat16"}
    return start if dimensions is None else {**start, "dimensions": dimensions}


def ablation(student: dict[str, Any] | None = STUDENT, teacher: dict[str, Any] | None = TEACHER) -> dict[str, Any]:
    training = {"epochs": 2, "tokens_per_step": 16384, "learning_rate": 1e-5, "precision": "bfloat16"}
    expected = {"train": 6000, "validation": 700, "test": 1319, "prompt_tokens": 100, "response_tokens": 140}
    return {
        "corpora": {
            "math": {
                "source": {"name": "gsm8k", "revision": COMMIT},
                "tokenizer": "of:large",
                "expected": {**expected, "longest": 700, "source": "a count"},
            }
        },
        "models": {
            "large": {"initial": hub("org/large", teacher)},
            "tuned": {"initial": "large", "corpus": "math", "training": training},
        },
        "teachers": ["tuned"],
        "student": {"initial": hub("org/small", student), "corpus": "math", "training": training},
        "curriculum": {"stages": 2, "difficulty": "cot_tokens", "pacing": {"name": "blend", "strength": 0.5}},
        "loss": {"name": "forward_kl"},
        "targets": {"top_k": 64},
        "arms": {
            "sft": {"order": "shuffled", "teachers": "none"},
            "standard_kd": {"order": "shuffled", "teachers": "strongest"},
        },
        "seeds": [0, 1],
        "evaluation": {"benchmarks": {"math": {"corpus": "math", "max_new_tokens": 256}}, "dtype": "bfloat16"},
        "analysis": {
            "baseline": "standard_kd",
            "family": ["sft"],
            "primary": {"benchmark": "math", "metric": "response_loss"},
        },
    }


def written(folder: Path, settings: dict[str, Any]) -> Path:
    file = folder / "declared.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file
