"""Which pairs of a comparison are complete, and what the others lack."""

from __future__ import annotations

from collections.abc import Collection

from clpd_bench.analysis.declaration import INTERACTION, Declaration, Factorial
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def incomplete_pairs(
    plan: Plan,
    store: Store,
    declaration: Declaration,
    factorial: Factorial | None,
    dropped: Collection[tuple[str, int]],
) -> list[str]:
    """A sentence for each comparison and benchmark that not every seed of the file takes part in.

    Args:
        dropped: (arm, seed) of students that diverged and are left out.
    """
    lacking: dict[tuple[str, str, int], str] = {}
    seeds: dict[str, set[int]] = {}
    for cell in plan.cells:
        seeds.setdefault(cell.name, set()).add(cell.seed)
        for benchmark, key in cell.evaluations.items():
            if (cell.name, cell.seed) in dropped:
                lacking[cell.name, benchmark, cell.seed] = "diverged"
            elif not store.is_done(key):
                lacking[cell.name, benchmark, cell.seed] = store.state(key)
    compared = {arm: [arm, declaration.baseline] for arm in seeds if arm != declaration.baseline}
    if factorial is not None:
        compared[INTERACTION] = list(vars(factorial).values())
    sentences = []
    for name, arms in compared.items():
        planned = set.union(*(seeds.get(arm, set()) for arm in arms))
        for benchmark in dict.fromkeys(benchmark for _, benchmark, _ in lacking):
            without = [
                (arm, seed, lacking[arm, benchmark, seed])
                for arm in arms
                for seed in sorted(planned)
                if (arm, benchmark, seed) in lacking
            ]
            if without:
                complete = len(planned) - len({seed for _, seed, _ in without})
                listed = ", ".join(f"{arm} at seed {seed} ({why})" for arm, seed, why in without)
                pairs = "seeds are complete" if name == INTERACTION else "pairs are complete"
                title = name if name == INTERACTION else f"{name} against {declaration.baseline}"
                sentences.append(f"{title} on {benchmark}: {complete} of {len(planned)} {pairs}; without {listed}.")
    return sentences
