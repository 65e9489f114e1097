"""A launch for people: what was, or would be, submitted."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from clpd_bench.launch.slurm.batches import Batch
from clpd_bench.launch.slurm.site import Site
from clpd_bench.launch.slurm.submit import Prepared
from clpd_bench.launch.slurm.times import written
from clpd_bench.plan.plan import Plan


def print_prepared(plan: Plan, prepared: Prepared, site: Site, jobs: list[str], console: Console) -> None:
    """A line an array: Slurm's number, where it runs, what it does, for what it waits, how long it may take."""
    table = Table(box=None, pad_edge=False)
    for name in ("array", "profile", "tasks", "what", "after", "estimated"):
        table.add_column(name, justify="right" if name == "tasks" else "left")
    numbers = {number: jobs[a] if jobs else f"#{a + 1}" for a, ms in enumerate(prepared.arrays) for number in ms}
    for a, members in enumerate(prepared.arrays):
        made = [prepared.batches[number] for number in members]
        after = {numbers[number] for batch in made for number in batch.after}
        after |= {prepared.slurm_ids[key] for batch in made for key in batch.outside}
        name = jobs[a] if jobs else f"#{a + 1}"
        table.add_row(
            name, made[0].profile, str(len(members)), what(plan, made), " ".join(sorted(after)) or "-", estimated(made)
        )
    console.print(table)
    console.print(total(prepared, site), markup=False)
    if prepared.slurm_ids:
        others = sorted(set(prepared.slurm_ids.values()))
        console.print(f"waits for jobs of other launches: {' '.join(others)}", markup=False)
    if prepared.failed:
        console.print(
            f"left out: {len(prepared.failed)} jobs that failed or were given up, and {len(prepared.held)} that need "
            f"them. Why: clpd status {plan.file} --failures; then clpd retry {plan.file} and launch again",
            markup=False,
        )


def print_options(options: dict[str, list[str]], console: Console) -> None:
    """What sbatch would be asked for, by profile."""
    for profile, asked in options.items():
        console.print(f"\nsbatch of profile {profile}, with --array and --dependency by array", markup=False)
        for option in asked:
            console.print(f"  {option}", markup=False, highlight=False)


def what(plan: Plan, made: list[Batch]) -> str:
    """`20 model, 20 evaluation`, or the label of a single job."""
    keys = [key for batch in made for key in batch.keys]
    if len(keys) == 1:
        return plan.jobs[keys[0]].label
    return ", ".join(f"{n} {kind}" for kind, n in Counter(plan.jobs[key].kind for key in keys).items())


def estimated(made: list[Batch]) -> str:
    known = [batch.seconds for batch in made if batch.seconds is not None]
    return written(sum(known) / 60) if len(known) == len(made) else "unknown"


def total(prepared: Prepared, site: Site) -> str:
    """Slurm jobs and hours in all, as far as they are known."""
    made = prepared.batches
    known = [batch for batch in made if batch.seconds is not None]
    seconds = sum(batch.seconds or 0.0 for batch in known)
    gpu = sum(
        (batch.seconds or 0.0) * site.profiles[batch.profile].gpus * site.profiles[batch.profile].nodes
        for batch in known
    )
    keys = sum(len(batch.keys) for batch in made)
    unknown = len(made) - len(known)
    rest = f", and {unknown} Slurm jobs of which nothing alike has run yet" if unknown else ""
    estimate = f"estimated {written(seconds / 60)} in all, {gpu / 3600:.1f} GPU-hours{rest}"
    return f"{keys} jobs in {len(made)} Slurm jobs, {len(prepared.arrays)} submissions: " + (
        estimate if known else "no estimate, since nothing alike has run yet"
    )
