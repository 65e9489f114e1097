"""difficulty: a number for each example of every split; higher is harder."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import regex
from numpy.typing import NDArray

from clpd_bench.corpus.example import SPLITS
from clpd_bench.corpus.reader import Split, read_split
from clpd_bench.distillation.context import Context
from clpd_bench.flops.sizes import LOSS_BATCH_TOKENS
from clpd_bench.jobs.body import Measured
from clpd_bench.outside.plugins import load
from clpd_bench.settings.parts.difficulty import (
    Column,
    CotSteps,
    CotTokens,
    DifficultyPlugin,
    LengthResidual,
    StudentLoss,
    TeacherLoss,
)
from clpd_bench.settings.specs import DifficultySpec

RESIDUAL_RESOLUTION = 1e-9
STEPS: dict[str, str] = {
    "lines": r"[^\n]*\S[^\n]*",
    "sentences": r"(?s)\S.*?(?:[\p{Sentence_Terminal}…]+(?=\p{Sentence_Break=Close}*(?:\s|$))"
    r"|[^\P{Sentence_Break=STerm}!?]|$)[\p{Sentence_Terminal}…\p{Sentence_Break=Close}]*",
    "equations": r"=",
}
"""What counts as a step of a rationale: a line that is not blank; text up to a stop, with the stops, closing quotes
and brackets behind it, or up to the end; a sign of equality.

Stops are Unicode's Sentence_Terminal (PropList.txt) and the ellipsis. Those that UAX #29 calls STerm, such as the full
stops of Chinese, Hindi or Amharic, end a sentence wherever they stand. A point, which may be a decimal's, and `!` and
`?`, which mathematics has other uses for, do so before white space alone."""

Splits = dict[str, Split]
Values = dict[str, NDArray[np.float64]]


def run(spec: DifficultySpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    splits = {name: read_split(inputs["corpus"], name) for name in SPLITS}
    values, measured = DIFFICULTIES[spec.difficulty.name](spec.difficulty, splits, inputs, context)
    for name, split in splits.items():
        pq.write_table(pa.table({"id": split.ids, "difficulty": values[name]}), out / f"{name}.parquet")
    return measured


def _cot_tokens(
    metric: CotTokens, splits: Splits, inputs: dict[str, Path], context: Context
) -> tuple[Values, Measured]:
    return {name: split.numbers("rationale_tokens") for name, split in splits.items()}, Measured()


def _column(metric: Column, splits: Splits, inputs: dict[str, Path], context: Context) -> tuple[Values, Measured]:
    return {name: split.numbers(f"column.{metric.column}") for name, split in splits.items()}, Measured()


def count_steps(rationale: str, splitter: str) -> int:
    return len(regex.findall(STEPS[splitter], rationale))


def _cot_steps(metric: CotSteps, splits: Splits, inputs: dict[str, Path], context: Context) -> tuple[Values, Measured]:
    return {
        name: np.array([count_steps(text, metric.splitter) for text in split.texts("rationale")], dtype=np.float64)
        for name, split in splits.items()
    }, Measured()


def _model_loss(
    metric: StudentLoss | TeacherLoss, splits: Splits, inputs: dict[str, Path], context: Context
) -> tuple[Values, Measured]:
    # Other difficulties are made while planning, which does without torch.
    from transformers import AutoTokenizer

    from clpd_bench.distillation.likelihood import score
    from clpd_bench.distillation.shards import Shards
    from clpd_bench.distillation.spent_flops import scoring_flops
    from clpd_bench.distillation.vocabulary import Vocabulary
    from clpd_bench.jobs.reader import load_reader

    tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    longest = max(int(split.tokens.max()) for split in splits.values())
    model = load_reader(inputs["model"], tokenizer, longest, "the scoring model")
    shards = Shards(context)
    vocabulary = Vocabulary.of(tokenizer)
    examples, before, values = sum(len(split.ids) for split in splits.values()), 0, {}
    for name, split in splits.items():

        def progress(done: int, of: int, before: int = before) -> None:
            context.progress(before + done, examples)

        scores = score(model, split, LOSS_BATCH_TOKENS, vocabulary, shards.keep, progress)
        values[name] = scores.response_loss
        before += len(split.ids)
    tokens = sum(int(split.tokens.sum()) for split in splits.values())
    return values, Measured(tokens, scoring_flops(model, splits.values(), LOSS_BATCH_TOKENS, vocabulary.size))


def _length_residual(
    metric: LengthResidual, splits: Splits, inputs: dict[str, Path], context: Context
) -> tuple[Values, Measured]:
    inner = metric.difficulty
    values, measured = DIFFICULTIES[inner.name](inner, splits, inputs, context)
    lengths = {name: split.responses.lengths.astype(np.float64) for name, split in splits.items()}
    slope, intercept = least_squares(lengths["train"], values["train"])
    # Of a difficulty that is length nothing is left: ties, not an order made of rounding errors.
    unit = RESIDUAL_RESOLUTION * (float(values["train"].std()) or 1.0)
    return {
        name: np.round((values[name] - (intercept + slope * lengths[name])) / unit) * unit for name in splits
    }, measured


def least_squares(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 where all x are equal."""
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (y - y.mean())) / spread if spread else 0.0
    return slope, float(y.mean()) - slope * float(x.mean())


EXAMPLE = ("question", "prompt", "response", "rationale", "answer", "rationale_tokens")
"""What a plug-in sees of an example, its `columns` besides."""


def _own(
    metric: DifficultyPlugin, splits: Splits, inputs: dict[str, Path], context: Context
) -> tuple[Values, Measured]:
    function = load(metric)

    def value(row: dict[str, Any]) -> float:
        columns = {name.removeprefix("column."): row[name] for name in row if name.startswith("column.")}
        returned = function({**{name: row[name] for name in EXAMPLE}, "columns": columns})
        if isinstance(returned, bool) or not isinstance(returned, (int, float)) or not math.isfinite(returned):
            raise function.refused(returned, "a finite number")
        return float(returned)

    return {
        name: np.array([value(row) for row in split.table.to_pylist()], dtype=np.float64)
        for name, split in splits.items()
    }, Measured()


DIFFICULTIES: dict[str, Callable[[Any, Splits, dict[str, Path], Context], tuple[Values, Measured]]] = {
    "cot_tokens": _cot_tokens,
    "cot_steps": _cot_steps,
    "student_loss": _model_loss,
    "teacher_loss": _model_loss,
    "column": _column,
    "length_residual": _length_residual,
    "plugin": _own,
}
"""(metric, splits by name, the job's inputs and context) -> difficulties by split, and what they cost."""
