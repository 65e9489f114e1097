"""What a plan costs, and one job worked out line by line, for people."""

from __future__ import annotations

import json
from collections import Counter

from rich.console import Console

from clpd_bench.cli.plan_cost_json import CostRow, by_arm, by_kind, job_json
from clpd_bench.costs.cost import OnProfile, PlanCost, Seconds, flops
from clpd_bench.errors import UserError
from clpd_bench.flops.parameters import parameters
from clpd_bench.flops.passes import Term
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.tables.rounding import hours, short
from clpd_bench.tables.table import Table, number_columns, table
from clpd_bench.tables.terminal import terminal

BY = {
    "alike": "jobs like them that are done there",
    "corrected": "their FLOPs, corrected by jobs of their kind that are done there",
    "arithmetic": "their FLOPs at the profile's speed",
}


def print_cost(plan: Plan, cost: PlanCost, tuning: CostRow | None, console: Console) -> None:
    """`tuning`: what it would cost besides."""
    estimated = any(job.estimated for job in cost.jobs.values())
    console.print(f"\nWhat it costs{' (~: something in it is expected, and not counted)' if estimated else ''}:")
    console.print(terminal(_table("kind", by_kind(plan, cost), bool(cost.seconds))))
    console.print("\nStudents of each arm:")
    console.print(terminal(_table("arm", by_arm(plan, cost), bool(cost.seconds))))
    for line in _unknown(cost):
        console.print(line, markup=False, highlight=False)
    for line in [*_together(cost, "~" if estimated else ""), *([_tuning(tuning)] if tuning else [])]:
        console.print(line, markup=False, highlight=False)
    if cost.profiles:
        console.print("\nOn the site, of what is not done:")
        console.print(terminal(_profiles(cost)))
        console.print(_hours_by(cost), markup=False, highlight=False)


def _table(first: str, rows: list[CostRow], timed: bool) -> Table:
    lines = []
    for row in rows:
        if row.parameters is None and not row.flops and not row.unknown:
            continue
        about = "~" if row.estimated else ""
        cells = [
            "" if row.parameters is None else short(row.parameters),
            _flops(row, about),
            "" if row.peak is None else about + short(row.peak, "B"),
            *(["?" if row.seconds is None else about + hours(row.seconds)] if timed else []),
        ]
        lines.append([row.name, str(row.jobs), *cells])
    columns = (first, "jobs", "largest model", "FLOPs", "peak memory", *(["hours"] if timed else []))
    return table(number_columns(*columns, wraps=False), lines)


def _flops(row: CostRow, about: str) -> str:
    if row.unknown == row.jobs:
        return "?"
    return about + short(row.flops) + (f" + ? of {row.unknown}" if row.unknown else "")


def _unknown(cost: PlanCost) -> list[str]:
    return [
        f"Not known of {jobs} jobs: {what}."
        for what, jobs in Counter(j.unknown for j in cost.jobs.values()).items()
        if what
    ]


def _together(cost: PlanCost, about: str) -> list[str]:
    all_flops = flops(cost.jobs.values())
    stay = cost.disk.bytes - cost.disk.checkpoints
    disk = f"; {short(stay, 'B')} in {cost.disk.files:,} files are still to be written"
    passing = f", and {short(cost.disk.checkpoints, 'B')} of checkpoints for a while if all models train at once"
    disk += passing if cost.disk.checkpoints else ""
    without = f", without {cost.disk.unknown} jobs of unknown size" if cost.disk.unknown else ""
    lines = [f"All jobs: {about}{short(all_flops, 'FLOP')}{disk}{without}."]
    naive = cost.naive
    if naive is not None and naive.given[0]:
        given, alone = (
            f"{ratio:,.3g} times" for ratio in (naive.given[1] / naive.given[0], naive.alone / naive.planned)
        )
        lines.append(
            f"Each cell alone, with trained teachers live in its steps and nothing shared: "
            f"{about}{short(naive.given[1], 'FLOP')}, {given} what the cells need as planned, "
            f"{about}{short(naive.given[0], 'FLOP')}"
            f"{'' if alone == given else f' ({alone} where each cell trains its teachers, too)'}."
        )
    return lines


def _tuning(row: CostRow) -> str:
    about = "~" if row.estimated else ""
    took = "" if row.seconds is None else f", {about}{hours(row.seconds)}"
    flop = _flops(row, about)
    return f"Tuning, besides: {row.jobs} jobs, {flop if row.unknown == row.jobs else flop + 'FLOP'}{took}."


def _profiles(cost: PlanCost) -> Table:
    rows = [
        [
            name,
            str(one.jobs),
            _gpu_hours(one),
            short(one.peak, "B") if one.peak else "",
            short(one.memory, "B") if one.memory else "",
        ]
        for name, one in cost.profiles.items()
    ]
    return table(number_columns("profile", "jobs", "GPU-hours", "largest peak", "of", wraps=False), rows)


def _gpu_hours(one: OnProfile) -> str:
    """`12.3`, and of how many jobs they are not known."""
    if one.without == one.jobs:
        return "?"
    return f"{one.gpu_seconds / 3600:,.3g}{f' + ? of {one.without}' if one.without else ''}"


def _hours_by(cost: PlanCost) -> str:
    by: Counter[str] = Counter()
    for one in cost.profiles.values():
        by.update(one.by)
    said = [f"{by[what]} jobs by {phrase}" for what, phrase in BY.items() if by[what]]
    without = sum(one.without for one in cost.profiles.values())
    said += [f"{without} not known (gpu_tflops of the profile, or what is named above)"] if without else []
    # What a lone token costs is the reading of all weights, which no count of FLOPs knows.
    least = " Where text is generated, that is the least that it takes." if by["arithmetic"] else ""
    return f"Hours: {'; '.join(said)}.{least}"


SHORTEST = 6
"""Digits of a key that name a job."""
TIME_BY = {
    "done": "as it took",
    "alike": "as jobs like it took on its profile",
    "corrected": "by its FLOPs at the profile's speed, corrected by jobs of its kind that are done there",
    "arithmetic": "by its FLOPs at the profile's speed",
}


def job_named(plan: Plan, name: str) -> Job:
    """A job by its label, by a cell's (its student), or by the beginning of its key.

    Raises:
        UserError: there is none, or several begin so.
    """
    labels: dict[str, list[Job]] = {}
    for job in plan.jobs.values():
        labels.setdefault(job.label, []).append(job)
    called = (labels.get(label) for label in (name, f"student {name}", f"student {name.partition('/')[2]}"))
    begins = [job for key, job in plan.jobs.items() if len(name) >= SHORTEST and key.startswith(name)]
    found = next(filter(None, called), begins)
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"{len(found)} jobs are called so", key="--cost", found=name, allowed=[job.key for job in found]
        )
    raise UserError("there is no such job", key="--cost", found=name, allowed=labels)


def print_job_cost(job: Job, cost: PlanCost, as_json: bool, console: Console) -> None:
    mine, seconds = cost.jobs[job.key], cost.seconds.get(job.key)
    if as_json:
        print(json.dumps({"key": job.key, "label": job.label, **job_json(mine, seconds)}, indent=2))
        return
    lines = [f"{job.label} ({job.kind} {job.key})"]
    if mine.unknown:
        lines.append(f"Not known: {mine.unknown}.")
    if mine.estimated:
        lines.append("~ Something in it is expected, and not counted: lengths of outputs, or what the file declares.")
    if mine.dimensions:
        lines += ["", *_weights(mine.dimensions)]
    if mine.flops:
        lines += ["", "FLOPs", *_sum(mine.flops, "FLOP")]
    if mine.peak:
        lines += ["", f"Memory of the device at its peak, {mine.peak.at}", *_sum(mine.peak.terms, "B")]
    if mine.alone:
        lines += [
            "",
            "Were its teachers live in its steps, they would cost, instead of targets",
            *_sum(mine.alone, "FLOP"),
        ]
    if seconds:
        lines += ["", _time(seconds)]
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _weights(d: Dimensions) -> list[str]:
    p = parameters(d)
    queries, keys, inner = d.queries, d.keys, d.intermediate_size
    wide, rows = f"{d.hidden_size:,}", f"{d.vocab_size:,}"
    head = f" + head {p.head:,}" if p.head else ", which the head shares"
    layer = f"{wide} x ({queries:,} + 2 x {keys:,}) + {queries:,} x {wide} + 3 x {wide} x {inner:,}"
    layers = f"{p.layers} x ({p.matrices:,} + {p.vectors:,})"
    return [
        f"Weights, by {d.source}",
        f"  a layer's matrices: {layer} = {p.matrices:,}",
        f"  a layer's biases and norms: {p.vectors:,}",
        f"  in all: {layers} + last norm {p.norm:,} + embeddings {rows} x {wide}{head} = {p.total:,}",
    ]


def _sum(terms: tuple[Term, ...], unit: str) -> list[str]:
    lines = [f"  {one.what}: {one.formula} = {one.value:,.0f}" for one in terms]
    total = sum(one.value for one in terms)
    return [*lines, f"  sum: {total:,.0f} = {short(total, unit)}"]


def _time(seconds: Seconds) -> str:
    return f"Time: {hours(seconds.value)}, {TIME_BY[seconds.by]}"
