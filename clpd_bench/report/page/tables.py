"""The tables of the page that are about one report and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from clpd_bench.analysis.ladder import Scored
from clpd_bench.analysis.series import METRICS
from clpd_bench.grid.tuned import TunedPoint
from clpd_bench.report.tuning.tables import chosen_rows, score_title
from clpd_bench.results.contrasts import Contrast, value_text
from clpd_bench.results.provenance import RunOtherwise, Varied
from clpd_bench.results.schedules import NO_TEACHER, ArmSchedule
from clpd_bench.results.spent import Cost, Spent
from clpd_bench.tables.rounding import UNITS, count, duration, mean_and_sd, power_of_ten, share
from clpd_bench.tables.table import Cell, Column, Section, Span, Table, number_columns, rows_of, table

_SPENT = ["job time", "tokens", "FLOPs"]


def scores(found: Table, baseline: str) -> Table:
    """With the means in bold, and the baseline named as such."""
    arms, *references = found.sections
    rows = [
        [replace(name, remark="baseline" if name.text == baseline else ""), replace(mean, strong=True), *others]
        for name, mean, *others in arms.rows
    ]
    return replace(found, sections=[replace(arms, rows=rows), *references])


def ladder(ladders: Sequence[Scored]) -> tuple[str, Table] | None:
    """Which score it is, and each teacher's in the file's order, of a report's one ladder; None where there is none, or
    none of its teachers is evaluated."""
    for one in ladders:
        if one.scores:
            metric, unit = one.ladder.metric, UNITS[one.ladder.metric]
            about = f"{one.ladder.corpus} {metric}, {unit.mean}, {METRICS[metric]} is better"
            rows = [[name, mean_and_sd(score, float("nan"), unit)] for name, score in one.scores.items()]
            return about, Table([Column(""), Column("")], [Section(rows_of(rows), soft=True)])
    return None


def cost_by_kind(cost: Cost) -> Table:
    rows = [[kind, f"{one.jobs}", *_spent(one)] for kind, one in cost.by_kind.items()]
    return table(number_columns("kind of job", "jobs", *_SPENT), rows)


def cost_by_arm(cost: Cost) -> Table:
    groups = ("training the student", "all it needs, run alone", "all it needs, as shared here")
    rows = [[one.arm, *_spent(one.training), *_spent(one.alone), *_spent(one.shared)] for one in cost.arms]
    columns, spans = number_columns("arm", *_SPENT * len(groups)), [Span(group, len(_SPENT)) for group in groups]
    return replace(table(columns, rows), spans=[spans])


def cost_shared(cost: Cost) -> Table:
    rows = [[job.label, f"{cells}", *_spent(one)] for job, one, cells in cost.shared]
    return table(number_columns("job, done once", "cells that need it", *_SPENT), rows)


def _spent(one: Spent) -> list[str]:
    return [duration(one.seconds), count(one.tokens), power_of_ten(one.flops)]


def differences(pairs: Sequence[Contrast], baseline: str) -> Table:
    """Each arm's settings beside the baseline's."""
    rows: list[list[str | Cell]] = []
    for pair in pairs:
        mine: list[list[str | Cell]] = [
            [Cell(one.key, remark="tuned" if one.tuned else ""), value_text(one.first), value_text(one.second)]
            for one in pair.differences
        ]
        rows += _headed(pair.arm, mine or [["nothing: the same settings", "", ""]])
    return table(["arm", "setting", f"{baseline} (baseline)", "the arm's"], rows)


def common(settings: dict[str, object]) -> Table:
    return table(["", ""], [[key, value_text(value)] for key, value in settings.items()])


def tuning(tuned: TunedPoint) -> Table:
    """What was chosen for each arm, and the score of each of its trials."""
    found = chosen_rows(tuned)
    trials = [name for name, _ in found[0].trials]
    columns = [Column("arm"), Column("chosen"), Column("on the edge")]
    columns += [Column(title, "right") for title in ("students", "steps", "tokens", *trials)]
    rows: list[list[str | Cell]] = [
        [
            *(one.arm, Cell(one.chosen, strong=True), one.edges or "no"),
            *(f"{one.students}", count(one.steps), count(one.tokens)),
            *(score for _, score in one.trials),
        ]
        for one in found
    ]
    spans = [Span("", 2), Span("budget", 3), Span(f"{score_title(tuned.tune)}, by trial", len(trials))]
    return replace(table(columns, rows), spans=[spans])


def exposure(schedules: dict[str, ArmSchedule]) -> Table:
    """What each stage showed under each teacher, by bucket from the easiest, and an arm's sums."""
    buckets = max(len(one.bucket_numbers) for one in schedules.values())
    numbers = [str(bucket) for bucket in range(1, buckets + 1)] * 2
    columns = [*number_columns("arm", "steps", "tokens"), Column("stage"), Column("teacher")]
    columns += [Column(number, "right") for number in numbers]
    sections = list(chain.from_iterable(_exposure(arm, one, buckets) for arm, one in schedules.items()))
    spans = [Span("", 4), Span("presentations by bucket", buckets), Span("response tokens by bucket", buckets)]
    return Table(columns, sections, [spans])


def _exposure(arm: str, one: ArmSchedule, buckets: int) -> list[Section]:
    shown = one.exposure

    def line(stage: int, teacher: int) -> list[int]:
        counts = (shown.presentations, shown.response_tokens)
        return [of.get((bucket, stage, teacher), 0) for of in counts for bucket in range(1, buckets + 1)]

    stages = sorted({(stage, teacher) for _, stage, teacher in shown.presentations})
    lines = [line(*one) for one in stages]
    rows = [
        ["", "", "", str(stage), one.teachers.get(teacher, NO_TEACHER), *map(str, mine)]
        for (stage, teacher), mine in zip(stages, lines, strict=True)
    ]
    rows[0][:3] = [arm, f"{shown.steps}", count(shown.tokens)]
    sums = [sum(numbers) for numbers in zip(*lines, strict=True)]
    return [Section(rows_of(rows)), Section(rows_of([["", "", "", "all stages", "", *map(str, sums)]]), soft=True)]


def learning_rate_spent(schedules: dict[str, ArmSchedule]) -> Table:
    rows = []
    for arm, one in schedules.items():
        by_stage, by_teacher = one.exposure.learning_rate_by_stage, one.exposure.learning_rate_by_teacher
        teachers = [f"{one.teachers.get(t, NO_TEACHER)} {share(value)}" for t, value in sorted(by_teacher.items())]
        rows.append([arm, " / ".join(share(value) for _, value in sorted(by_stage.items())), ", ".join(teachers)])
    return table(["arm", "share of the learning rate spent, by stage", "by teacher"], rows)


def environment(found: Iterable[Varied]) -> Table:
    rows: list[list[str | Cell]] = []
    for one in found:
        several = len(one.values) > 1
        mine = [
            [Cell(value or "not recorded", remark=f"{len(jobs)} jobs: {some(jobs)}" if several else "")]
            for value, jobs in one.values
        ]
        rows += _headed(one.field, mine)
    return table(["", ""], rows)


def differing(found: Iterable[Varied]) -> Table:
    rows: list[list[str | Cell]] = []
    for one in found:
        rows += _headed(one.field, [[value or "none", ", ".join(cells)] for value, cells in one.values])
    return table(["field", "value", "cells"], rows)


def otherwise(found: Iterable[RunOtherwise]) -> Table:
    rows = [[one.setting, one.then or "none", one.now or "none", f"{len(one.jobs)}: {some(one.jobs)}"] for one in found]
    return table(["setting", "as run", "in the file now", "jobs"], rows)


def _headed(name: str, rows: Sequence[Sequence[str | Cell]]) -> list[list[str | Cell]]:
    """With the name before the first of them."""
    return [["" if place else name, *row] for place, row in enumerate(rows)]


def some(names: Sequence[str], most: int = 6) -> str:
    """`a, b, c and 4 more`."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
