"""One job's cost, worked out line by line."""

from __future__ import annotations

import json

from rich.console import Console

from clpd_bench.errors import UserError
from clpd_bench.plan.cost.parameters import parameters
from clpd_bench.plan.cost.terms import Term
from clpd_bench.plan.cost.whole import PlanCost, Seconds
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.reporting.amounts import hours, short
from clpd_bench.reporting.cost_json import job_json
from clpd_bench.settings.dimensions import Dimensions

SHORTEST = 6
"""Digits of a key that name a job."""
BY = {
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
    return f"Time: {hours(seconds.value)}, {BY[seconds.by]}"
