"""The files of `clpd report --power`: what the declared seeds can find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.plan.plan import PointPlan
from clpd_bench.report import power_words as words
from clpd_bench.report.figures.draw import saved
from clpd_bench.report.figures.power import caption, curves, power_figure
from clpd_bench.report.figures.style import styled
from clpd_bench.report.power_words import levels
from clpd_bench.report.write import write_files
from clpd_bench.results.collect import factorial
from clpd_bench.results.power import Cost, blinded_spread, comparisons_power, declared_spread, power_summary
from clpd_bench.results.seed_scores import primary_means
from clpd_bench.store import Store
from clpd_bench.tables.markdown import markdown
from clpd_bench.tables.table import table

NOTES = (
    "No power is told at a difference that was observed: it is the p-value in other words, and can neither excuse "
    "nor confirm a result. Choose the difference that would matter, and read off what it takes.",
    "The spread is itself estimated, of few seeds roughly: hold its interval's upper end against the seeds before "
    "relying on them. Seeds that are added after a look at outcomes make their comparisons exploratory.",
)


def power_markdown(title: str, power: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]) -> str:
    """Args:
    power: a `power_of`.
    pairs: a `comparisons_power`.
    """
    lines = [
        f"# Power: {title}",
        "",
        f"What the test can find: {words.claim(power)}.",
        *_levels(power),
        "",
        "## Each comparison, by its own differences",
        "",
        *_pairs(power, pairs),
        "",
        "## Any difference",
        "",
        f"- sd of a paired difference: {words.spread_text(power)}.",
        f"- smallest found: {words.finds_text(power)}.",
        f"- one more seed, all arms: {words.cost_text(power)}.",
        "",
        *_effects(power),
        "",
        "![Power against seeds](figures/power.png)",
        "",
        caption(power),
        "",
    ]
    if power["warning"]:
        lines += [f"Warning: {power['warning']}.", ""]
    return "\n".join([*lines, *(line for note in NOTES for line in (note, ""))])


def _levels(power: Mapping[str, Any]) -> list[str]:
    """What the two columns of a family mean."""
    family = power["comparisons"]
    if family == 1:
        return []
    return [
        "",
        "- alone: p is held against alpha, as Holm does where every other of the family has been found.",
        f"- {words.worst(power)}: p is held against alpha / {family}, as Holm does where no other has been found, "
        "so that the first of the family to be found needs it. More than this power a comparison may have, not less.",
    ]


def _pairs(power: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    levels, metric = words.levels(power), power["metric"]
    target = f"{power['power'] * 100:.0f} %"
    head = ["comparison", "finished pairs", f"sd of its differences ({words.unit(metric)}), 95% interval"]
    head += [f"smallest found in {target} with {power['seeds']} seeds, {heading}" for heading in levels.values()]
    head += [f"seeds to find half as much, {list(levels.values())[-1]}", "seeds to add", "at a cost of"]
    rows = []
    for pair in pairs:
        if pair["spread"] is None:
            rows.append([pair["comparison"], str(pair["seeds"]), "no spread", *["-"] * (len(levels) + 3)])
            continue
        one = pair["spread"]
        sd, low, high = (words.amount(one[name], metric, one["sd"]) for name in ("sd", "low", "high"))
        least = [words.amount(pair["detectable"][level]["difference"], metric) for level in levels]
        half = pair["seeds_for_half"]
        more = None if half is None else max(0, half - power["seeds"])
        rows.append(
            [
                pair["comparison"],
                str(pair["seeds"]),
                f"{sd}, {low} to {high}",
                *least,
                words.count(half),
                "-" if more is None else str(more),
                _cost(power, more),
            ]
        )
    return [markdown(table(head, rows))]


def _effects(power: Mapping[str, Any]) -> list[str]:
    levels, known = words.levels(power), power["spread"] is not None
    strictest = list(levels)[-1]
    target = f"{power['power'] * 100:.0f} %"
    head = ["true difference (sd)", *([words.unit(power["metric"])] if known else [])]
    head += [f"power with {power['seeds']} seeds, {heading}" for heading in levels.values()]
    head += [f"seeds for {target}, {heading}" for heading in levels.values()]
    head += ["seeds to add", "at a cost of"]
    rows = []
    for row in power["effects"]:
        more = row["added_seeds"][strictest]
        rows.append(
            [
                f"{row['d_z']:g}",
                *([words.amount(row["difference"], power["metric"])] if known else []),
                *(words.percent(row["power"][level]) for level in levels),
                *(words.count(row["seeds_needed"][level]) for level in levels),
                "-" if more is None else str(more),
                _cost(power, more),
            ]
        )
    return [markdown(table(head, rows))]


def _cost(power: Mapping[str, Any], seeds: int | None) -> str:
    cost = power["one_more_seed"]
    if cost is None or seeds is None:
        return "unknown"
    return words.cost_of(seeds * cost["seconds"], cost["device"]) if seeds else "-"


FILES = ("power.md", "power.csv", "figures/power.png", "figures/power.svg", "figures/power.pdf")


def write_power(point: PointPlan, store: Store, out: Path, cost: Cost | None) -> list[Path]:
    """power.md, the curve as power.csv, and its figure.

    Raises:
        UserError: no arm has been evaluated on the primary benchmark.
    """
    ablation, plan = point.point.ablation, point.plan
    means = primary_means(plan, store, ablation.analysis.primary)
    if not means:
        what = f"nothing has been evaluated on the primary benchmark yet, {ablation.analysis.primary.benchmark}"
        raise UserError(what, file=plan.file, fix=f"Run it first: clpd run {plan.file}")
    power = power_summary(ablation, declared_spread(ablation) or blinded_spread(means), cost)
    pairs = comparisons_power(ablation.analysis, factorial(ablation), means, len(ablation.seeds))
    with styled():
        svg, pdf, png = saved(power_figure(power))
    text = power_markdown(f"{plan.name} {plan.point}".rstrip(), power, pairs)
    contents = (text.encode(), _csv(power).encode(), png, svg, pdf)
    return write_files(dict(zip(FILES, contents, strict=True)), out)


def remove_power(out: Path) -> None:
    """What an older report left: it is not about the outcomes that now stand beside it."""
    for name in FILES:
        (out / name).unlink(missing_ok=True)


def _csv(power: Mapping[str, Any]) -> str:
    """The curve. `difference` is in the metric's own unit, and empty where the spread is unknown."""
    differences = {row["d_z"]: row["difference"] for row in power["effects"]}
    lines = ["test,d_z,difference,seeds,power"]
    for level in levels(power):
        for effect, curve in curves(power, level).items():
            raw = "" if differences[effect] is None else repr(differences[effect])
            lines += [f"{level},{effect},{raw},{seeds},{value!r}" for seeds, value in curve]
    return "\n".join(lines) + "\n"
