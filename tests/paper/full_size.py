"""The files of full size."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
ABLATIONS = HERE.parents[1] / "ablations"
FULL_SIZE = ("math_qwen2.5", "commonsense_qwen2.5", "math_llama3", "capacity_gap")
