"""What the page says in words."""

from __future__ import annotations

import shlex

from clpd_bench.results.curves import StudentsTraining
from clpd_bench.results.provenance import Provenance
from clpd_bench.results.spent import Cost
from clpd_bench.results.standing import date
from clpd_bench.tables.rounding import duration


def dates(provenance: Provenance) -> str:
    if not provenance.first:
        return "No job has left an artifact."
    return f"Artifacts were made between {date(provenance.first)} and {date(provenance.last)}."


def cost(spent: Cost) -> str:
    """As run against each cell by itself."""
    run, alone = spent.as_run.seconds, spent.alone.seconds
    times = f", {alone / run:.1f} times as much" if run > 0 else ""
    text = (
        f"All cells together took {duration(run)} of job time, each teacher trained and each set of targets computed "
        f"once. Each cell run alone, with its own teachers and targets, would have taken {duration(alone)}{times}."
    )
    if spent.besides.jobs:
        besides = duration(spent.besides.seconds)
        text += f" Evaluating the references, and the teachers on validation items, took {besides} more."
    return text


def cost_notes(spent: Cost) -> list[str]:
    notes = [
        "Job time is the sum over jobs, not time on a clock: several run side by side. A job that was interrupted and "
        "resumed counts its last attempt. As shared: a job that n cells need counts 1/n for each. FLOPs are those of "
        "matrix products, from dimensions and tokens read, as `clpd plan` counts them."
    ]
    if spent.unknown:
        notes.append(f"{spent.unknown} jobs are not done, and their cost is not counted.")
    return notes


def consumed(trained: StudentsTraining) -> list[str]:
    """Whether students saw what their schedules say."""
    out = []
    if trained.checked and not trained.strayed:
        out.append(
            f"All {len(trained.checked)} students consumed exactly the presentations of their schedules: the running "
            "hashes agree."
        )
    if trained.strayed:
        out.append(
            f"These students consumed other presentations than their schedules hold: {', '.join(trained.strayed)}."
        )
    if trained.shorter:
        out.append(
            "The exposure above is of whole schedules. Early stopping ended these students: "
            f"{', '.join(trained.shorter)}."
        )
    if trained.rebuilt:
        out.append(
            "The exposure above is of schedules as this version builds them; these arms were trained by others: "
            f"{', '.join(trained.rebuilt)}."
        )
    return out


def commands(provenance: Provenance, file: str) -> str:
    """What to type, the revision first where there is one and only one."""
    name = shlex.quote(file)
    lines = [f"clpd plan {name}", f"clpd run {name}", f"clpd report {name}"]
    revisions = [revision.removesuffix("-dirty") for revision in provenance.revisions]
    if len(set(revisions)) == 1:
        lines.insert(0, f"git checkout {revisions[0]}")
    return "\n".join(lines)


def rerun_note(provenance: Provenance) -> str:
    text = (
        "Jobs that are in the store (clpd_store/, or what --store and CLPD_STORE say) are not run again; with an empty "
        "store everything is. The settings below are those of the file with every --set that was given."
    )
    if not provenance.revisions:
        text += " No git revision was recorded, since the code ran outside a checkout: its version is all there is."
    elif len(set(provenance.revisions)) > 1:
        text += " Jobs were run by more than one revision, as listed above: one checkout will not repeat them all."
    if any(revision.endswith("-dirty") for revision in provenance.revisions):
        text += " The checkout had changes that were not committed: they are not in the revision."
    return text
