"""The files of `clpd report --power`, beside the report's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.plan.whole import PointPlan
from clpd_bench.reporting.collect import factorial
from clpd_bench.reporting.figures.draw import saved
from clpd_bench.reporting.figures.power import curves, power_figure
from clpd_bench.reporting.figures.style import styled
from clpd_bench.reporting.power import Cost, blinded_spread, declared_spread, power_summary
from clpd_bench.reporting.power_markdown import power_markdown
from clpd_bench.reporting.power_pairs import comparisons_power
from clpd_bench.reporting.power_words import levels
from clpd_bench.reporting.seed_scores import primary_means
from clpd_bench.reporting.write import write_files
from clpd_bench.store import Store

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
