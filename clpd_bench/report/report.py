"""A report: everything that the store knows of an ablation, in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from clpd_bench.analysis.comparisons import compare
from clpd_bench.analysis.ladder import falls, ladders_of
from clpd_bench.analysis.series import MACRO_AVERAGE, Series, metric_series
from clpd_bench.analysis.summary import summary
from clpd_bench.errors import UserError
from clpd_bench.grid.tuned import read_tuned
from clpd_bench.plan.plan import Plan
from clpd_bench.report.choices import choices_made
from clpd_bench.report.conditions import conditions, gold_dropped, overlaps_dropped
from clpd_bench.report.context import ReportContext
from clpd_bench.report.explanations import divergences_explained
from clpd_bench.report.figures.draw import FILES, draw
from clpd_bench.report.page.render import PageData, render
from clpd_bench.report.rows import Rows, is_primary, table_rows
from clpd_bench.report.tuning.text import caveats, notes
from clpd_bench.report.write import table_files, with_published, with_standing, without, write_files
from clpd_bench.results.capacity import Gap, capacity_gap, gap_csv
from clpd_bench.results.collect import SeedScores, collect_items, declared, factorial, floor_items, means_by_seed
from clpd_bench.results.contrasts import contrasts, incomplete_pairs
from clpd_bench.results.curves import overfitting, trained
from clpd_bench.results.diverged import biases, diverged_students, refuse_diverged
from clpd_bench.results.looks import UNRECORDED, leave_word, shown
from clpd_bench.results.provenance import provenance
from clpd_bench.results.published import Published
from clpd_bench.results.schedules import arm_schedules
from clpd_bench.results.spent import cost
from clpd_bench.results.standing import standings
from clpd_bench.results.truncation import ended_by_length, too_many, truncated_shares
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.rules.arms import own_exposure
from clpd_bench.store import Store

PAGE = "report.html"
SECONDARY = ("secondary.md", "secondary.tex")
GAP_FILE = "capacity_gap.csv"


@dataclass(frozen=True)
class Report:
    """Attributes:
    files: all that was written, table.md first.
    page: report.html, one of them.
    primary: the primary result's benchmark, and its metric as the tables name it.
    secondary: secondary.md, None where there is nothing but the primary result.
    scores: of every series, the mean over items of each run.
    gap: None where the ablation has no two arms that differ in their one teacher alone.
    """

    files: list[Path]
    page: Path
    means: pd.DataFrame
    comparisons: pd.DataFrame
    missing: list[str]
    primary: tuple[str, str]
    rows: Rows
    context: ReportContext
    scores: dict[Series, SeedScores]
    gap: Gap | None

    @property
    def secondary(self) -> Path | None:
        return next((file for file in self.files if file.name == "secondary.md"), None)


def write_report(
    ablation: Ablation, plan: Plan, store: Store, out: Path, published: Sequence[Published] = ()
) -> Report:
    """Tables, figures and a page, from the store alone: two reports of one store are equal byte for byte.

    It leaves word in the store of what it shows: what is declared afterwards is known to be.

    Args:
        published: numbers to set beside ours.

    Raises:
        UserError: no arm has been evaluated yet, outcomes cannot be compared, or students diverged and no policy
            for them was declared.
    """
    items, missing = collect_items(plan, store)
    if not len(items) or not (items["kind"] == "arm").any():
        raise UserError("nothing has been evaluated yet", file=plan.file, fix=f"Run it first: clpd run {plan.file}")
    floors = floor_items(items, ablation, plan, store)
    if len(floors):
        items = pd.concat([items, floors], ignore_index=True)
    factors, declaration = factorial(ablation), declared(ablation, metric_series(items))
    diverged = diverged_students(plan, store)
    refuse_diverged(diverged, ablation.analysis, plan.file)
    drops = ablation.analysis.diverged == "drop_pair"
    dropped = frozenset((one.arm, one.seed) for one in diverged if drops)
    biased = biases(diverged, list(ablation.arms), declaration.baseline, factors) if drops else {}
    comparisons = compare(items, declaration, factors, diverged=dropped)
    # First the word, then the look: one that nobody could write was perhaps not seen, and the other way round
    # one that was seen would be unknown.
    outcomes = shown(plan.cells, plan.jobs, store)
    unrecorded = [] if leave_word(outcomes, store) else [UNRECORDED]
    tuned = read_tuned(ablation.tuned)[0].at(plan.point) if ablation.tuned else None
    ladders = ladders_of(plan, store)
    references = [*dict.fromkeys(reference.name for reference in plan.references), *dict.fromkeys(floors["arm"])]
    lengths = truncated_shares(without(items, dropped), [*ablation.arms, *references])
    truncated = too_many(lengths, list(ablation.arms))
    asked = ablation.analysis.primary
    cut = truncated.get(asked.benchmark) if asked.metric != "response_loss" else None
    context = ReportContext(
        title=f"{plan.name} {plan.point}".rstrip(),
        question=ablation.question,
        arms=list(ablation.arms),
        references=references,
        declaration=declaration,
        factorial=factors,
        seeds=len(ablation.seeds),
        standings=standings(plan, outcomes, store, declaration, factors),
        diverged=diverged,
        missing=[
            *missing,
            *incomplete_pairs(plan, store, declaration, factors, dropped),
            *(sentence for ladder in ladders for sentence in ladder.missing),
        ],
        notes=[
            *divergences_explained(diverged, ablation.analysis.diverged, biased),
            *overfitting(plan, store, {(one.arm, one.seed) for one in diverged}),
            *ended_by_length(lengths),
            *conditions(ablation, plan, store),
            *_unequal(ablation),
            *notes(ablation, tuned, plan.file, plan.point),
            *choices_made(plan, store),
            *overlaps_dropped(plan, store),
            *gold_dropped(plan, store),
            *unrecorded,
        ],
        published=list(published),
        falls=falls(ladders),
        truncated=truncated,
        caveats=[*caveats(ablation, tuned), *([cut] if cut else [])],
        biased=biased,
    )
    primary = (declaration.primary_benchmark, declaration.primary_metric)
    kept = without(items, dropped)
    means = summary(kept)
    rows = table_rows(means, comparisons, metric_series(kept), context)
    schedules, schedules_absent = arm_schedules(ablation, plan, store)
    students, spent = trained(plan, store, schedules), cost(plan, store)
    scores = {one: means_by_seed(kept, one) for one in rows.series if one.benchmark != MACRO_AVERAGE}
    gaps = [capacity_gap(ablation, one, scores[one]) for one in scores if is_primary(one, context)]
    gap = gaps[0] if gaps else None
    curves, teachers = students.curves, ablation.teachers
    figures = draw(kept, comparisons, rows, context, curves, schedules, teachers, gap, spent.arms, tuned)
    page = render(
        PageData(
            context=context,
            rows=rows,
            comparisons=comparisons,
            figures=figures,
            cost=spent,
            contrasts=contrasts(ablation, plan, store),
            schedules=schedules,
            schedules_absent=schedules_absent,
            trained=students,
            ladders=ladders,
            tuned=tuned,
            provenance=provenance(plan, store, [declaration.baseline, *declaration.family]),
            settings=_as_yaml(ablation),
            file=plan.file,
        )
    )
    files = {**table_files(items, comparisons, context, dropped), **figures.files, PAGE: page.encode()}
    if gap is not None:
        files[GAP_FILE] = gap_csv({"": gap}).encode()
    written = write_files(files, out, stale=[*FILES, *SECONDARY, GAP_FILE])
    compared = with_standing(comparisons, context)
    return Report(
        written, out / PAGE, with_published(means, rows), compared, missing, primary, rows, context, scores, gap
    )


def _as_yaml(ablation: Ablation) -> str:
    settings = ablation.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=100)


def _unequal(ablation: Ablation) -> list[str]:
    """Arms whose exposure is their own: they match the others in tokens alone."""
    arms = [arm for arm in ablation.arms if own_exposure(ablation, arm)]
    if not arms:
        return []
    return [
        f"Matched in tokens alone, not in exposure: {', '.join(arms)}. They show some examples more often than others; "
        "`permuted` of the same arm is the control with the same presentations."
    ]
