"""Before any training: the corpora made, and everything checked that needs their data."""

from __future__ import annotations

from collections.abc import Callable

from clpd_bench.corpus.example import normalised
from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.curriculum.exposure import Exposure
from clpd_bench.errors import UserError
from clpd_bench.grid import Cell, cells
from clpd_bench.launch.worker import work
from clpd_bench.plan.exposure import cell_exposure
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.ablation import Ablation
from clpd_bench.store import Store

DATA_KINDS = ("corpus", "difficulty")


def data_keys(plan: Plan) -> list[str]:
    """Keys of the jobs that need no model."""
    return [key for key, job in plan.jobs.items() if job.kind in DATA_KINDS]


def data_exists(plan: Plan, store: Store) -> bool:
    return all(store.is_done(key) for key in data_keys(plan))


def make_data(plan: Plan, store: Store, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Makes corpora and difficulties in this process, whatever became of earlier tries.

    Raises:
        UserError: what is wrong with the data, as the job said it.
    """
    keys = data_keys(plan)
    for key in keys:
        store.retry(key)
    work(plan, store, keys, should_stop)
    for key in keys:
        last = store.last_attempt(key)
        if store.state(key) == "failed" and last and last.failure:
            failure, label = last.failure, plan.jobs[key].label
            if failure["type"] == "UserError":
                raise UserError(f"{label}: {failure['message']}")
            raise UserError(f"{label} failed: {failure['type']}: {failure['message']}", fix=f"Its log is {last.log}")


def check_data(ablation: Ablation, plan: Plan, store: Store) -> dict[str, Exposure]:
    """What each arm's first seed shows, by arm, once no test question stands in any training data.

    Raises:
        UserError: an overlap, or a schedule that cannot be built.
    """
    _refuse_leaks(ablation, plan, store)
    first = [cell for cell in cells(ablation, plan.name) if cell.seed == ablation.seeds[0]]
    return {cell.arm_name: _exposure(cell, ablation, plan, store) for cell in first}


def _exposure(cell: Cell, ablation: Ablation, plan: Plan, store: Store) -> Exposure:
    data = plan.arm_data[cell.arm_name]
    split = read_split(store.artifact(data["corpus"]), "train")
    difficulty = read_difficulty(store.artifact(data["difficulty"]), "train")
    return cell_exposure(cell, ablation.teachers, split.ids, split.tokens, split.responses.lengths, difficulty)


def _refuse_leaks(ablation: Ablation, plan: Plan, store: Store) -> None:
    """Corpora split themselves; that one's test questions are not another's training is seen here."""

    def questions(corpus: str, split: str) -> set[str]:
        return {normalised(text) for text in read_split(store.artifact(plan.corpora[corpus]), split).texts("question")}

    trained_on = {ablation.student.corpus, *(model.corpus for model in ablation.models.values())}
    for benchmark, settings in ablation.evaluation.benchmarks.items():
        test = questions(settings.corpus, "test")
        for corpus in sorted(trained_on):
            shared = test & (questions(corpus, "train") | questions(corpus, "validation"))
            if shared:
                raise UserError(
                    f"{len(shared)} of {len(test)} test questions stand in corpus {corpus!r}, which models are "
                    f"trained on, first {min(shared)[:60]!r}",
                    key=f"evaluation.benchmarks.{benchmark}",
                    fix="Take them out of one of the two corpora",
                )
