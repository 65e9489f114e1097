"""What a report has to know beside the outcomes."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.analysis.declaration import Declaration, Factorial


@dataclass(frozen=True)
class ReportContext:
    """What the ablation declared, and sentences to print.

    Attributes:
        title, question: as in the ablation file.
        arms, references: names in declared order; a reference is the student before distillation or
            a teacher.
        declaration, factorial: what was tested.
        missing: one sentence for each cell without outcomes.
        notes: sentences to print as they are, such as what the conclusions are conditional on.
    """

    title: str
    question: str
    arms: list[str]
    references: list[str]
    declaration: Declaration
    factorial: Factorial | None
    missing: list[str]
    notes: list[str]
