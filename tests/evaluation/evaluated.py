"""The evaluation that is tested: ten documents, four a batch."""

from __future__ import annotations

from clpd_bench.settings.specs import EvaluationSpec

EVALUATION = EvaluationSpec.model_validate(
    {"benchmark": {"max_new_tokens": 12, "answer_marker": ":"}, "batch_size": 4, "dtype": "float32"}
)
