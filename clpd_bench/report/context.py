"""What a report has to know beside the outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field

from clpd_bench.analysis.declaration import Declaration, Factorial
from clpd_bench.results.diverged import DivergedStudent
from clpd_bench.results.published import Published
from clpd_bench.results.standing import Standings


@dataclass(frozen=True)
class ReportContext:
    """What the ablation declared, and sentences to print.

    Attributes:
        title, question: as in the ablation file.
        arms, references: names in declared order; a reference is the student before distillation or
            a teacher.
        declaration, factorial: what was tested.
        seeds: the number of seeds that the file asks for.
        standings: of each comparison, whether it is confirmatory.
        diverged: the students that did, whatever the policy for them.
        missing: one sentence for each cell without outcomes, and for each incomplete set of pairs.
        notes: sentences to print as they are, such as what the conclusions are conditional on.
        published: numbers to set beside ours.
        biased: {arm: why its comparison is}, a clause.
        falls: a clause for each ladder of teachers that does not rise.
        truncated: {benchmark: a clause}, where an arm's outputs ended by length too often.
        caveats: clauses without which, and without those of `falls`, no sentence of the verdict may stand ("at one
            learning rate for all arms, not tuned").
    """

    title: str
    question: str
    arms: list[str]
    references: list[str]
    declaration: Declaration
    factorial: Factorial | None
    seeds: int
    standings: Standings
    diverged: list[DivergedStudent]
    missing: list[str]
    notes: list[str]
    published: list[Published] = field(default_factory=list)
    biased: dict[str, str] = field(default_factory=dict)
    falls: list[str] = field(default_factory=list)
    truncated: dict[str, str] = field(default_factory=dict)
    caveats: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """That teachers do not rise and that outputs were cut, as sentences, for the top of whatever shows results."""
        return [f"Warning: {said}." for said in [*self.falls, *self.truncated.values()]]

    @property
    def clauses(self) -> list[str]:
        """What each sentence of the verdict carries."""
        return [*self.falls, *self.caveats]
