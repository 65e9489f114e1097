"""What conclusions are conditional on: what the seeds vary, what all of them share, what was left out."""

from __future__ import annotations

from clpd_bench.corpus.reader import read_summary
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.model import Llama, Qwen3, StudentSettings, Trained
from clpd_bench.settings.specs import CorpusSpec, ModelSpec
from clpd_bench.store import Store


def conditions(ablation: Ablation, plan: Plan, store: Store) -> list[str]:
    """What the conclusions are conditional on, as far as it is shared by all seeds."""
    students = [resolve(ablation, name).student for name in ablation.arms]
    shared = [*dict.fromkeys(filter(None, map(_start, students)))]
    if ablation.teachers:
        shared.append(f"these teachers ({', '.join(ablation.teachers)}), each trained once")
    shared.append(f"this corpus ({ablation.student.corpus})")
    *most, last = shared
    listed = f"{', '.join(most)}, and {last}" if most else last
    varied = varied_by_seeds(ablation, plan, store)
    varying = f"{varied[0]} alone" if len(varied) == 1 else f"{', '.join(varied[:-1])} and {varied[-1]}"
    return [
        f"The seeds vary {varying}; all conclusions are conditional on {listed}.",
        *shared_with_starts(ablation, plan),
    ]


def _start(student: StudentSettings) -> str | None:
    """What students of all seeds start from; None where each seed has fresh weights."""
    initial = student.initial
    if isinstance(initial, Llama | Qwen3):
        return None
    name = initial.model if isinstance(initial, Trained) else initial.label
    return f"one pretrained student ({name})"


def varied_by_seeds(ablation: Ablation, plan: Plan, store: Store) -> list[str]:
    """All that differs between two seeds of an arm: what settings say, and of dropout what students' jobs found."""
    varied = ["the order of the data"]
    fresh = [isinstance(resolve(ablation, name).student.initial, Llama | Qwen3) for name in ablation.arms]
    if any(fresh):
        varied.insert(0, "the student's initial weights")
    drawn = [name for name, arm in ablation.arms.items() if arm.order.drawn or arm.teachers.drawn]
    if drawn:
        varied.append(f"what {', '.join(drawn)} draw{'s' if len(drawn) == 1 else ''} at random")
    manifests = [store.manifest(cell.model) or {} for cell in plan.cells]
    if any(manifest.get("details", {}).get("dropout") for manifest in manifests):
        varied.append("dropout")
    return varied


def shared_with_starts(ablation: Ablation, plan: Plan) -> list[str]:
    """What teachers have in common with what students start from: weights, or the data that they were trained on.

    Random draws are none of it: each model has streams of its own.
    """
    starts = {reference.model for reference in plan.references if reference.name.startswith("student before")}
    named = {reference.name: reference.model for reference in plan.references}
    teachers = {name: named[f"teacher {name}"] for name in ablation.teachers}
    said: dict[str, list[str]] = {}
    for name, teacher in teachers.items():
        for what in dict.fromkeys(one for start in sorted(starts) for one in _shared(plan, start, teacher)):
            said.setdefault(what, []).append(name)
    shared = "; ".join(f"{', '.join(names)}: {what}" for what, names in said.items())
    return [f"What teachers share with what the student starts from: {shared}."] if shared else []


def _shared(plan: Plan, start: str, teacher: str) -> list[str]:
    if start == teacher:
        return ["the very model"]
    its, theirs = plan.ancestors(start), plan.ancestors(teacher)
    if teacher in its:
        return ["the start is made out of it"]
    if start in theirs:
        return ["it is trained from that start"]
    models = [plan.jobs[key].label for key in its & theirs if plan.jobs[key].kind == "model"]
    if models:
        return [f"weights that both go back to ({', '.join(sorted(models))})"]
    corpora = _trained_on(plan, its) & _trained_on(plan, theirs)
    names = sorted(name for name, key in plan.corpora.items() if key in corpora)
    return [f"the training data {', '.join(names)}, each in an order of its own"] if names else []


def _trained_on(plan: Plan, keys: set[str]) -> set[str]:
    """Corpora whose training data models among these jobs were trained on."""
    jobs = (plan.jobs[key] for key in keys)
    return {job.parents["corpus"] for job in jobs if isinstance(job.spec, ModelSpec) and job.spec.training is not None}


def overlaps_dropped(plan: Plan, store: Store) -> list[str]:
    """A sentence for each corpus whose source says what gives way, and each of its parts that lost examples."""
    return [
        sentence
        for name, key in plan.corpora.items()
        if isinstance(spec := plan.jobs[key].spec, CorpusSpec)
        and getattr(spec.corpus.source, "overlap", "refuse") != "refuse"
        and store.is_done(key)
        for sentence in _sentences(name, **read_summary(store.artifact(key))["overlap"])
    ]


def gold_dropped(plan: Plan, store: Store) -> list[str]:
    """A sentence for each benchmark that `gold: drop` took items from, and one for each filter of a task of lm-eval
    under which no target has the form of an output."""
    found: dict[str, None] = {}
    for model in (*plan.cells, *plan.references):
        for benchmark, key in model.evaluations.items():
            details = (store.manifest(key) or {}).get("details", {})
            if lost := details.get("gold_dropped"):
                found[
                    f"Benchmark {benchmark}, gold drop: {lost['items']} of {lost['of']} items "
                    f"({lost['items'] / lost['of']:.1%}) are left out: their own right answer is scored wrong, or has "
                    "no room."
                ] = None
            if unchecked := details.get("gold_unchecked"):
                found[
                    f"Benchmark {benchmark}: no target gets full marks as an output under {' and '.join(unchecked)}, "
                    "so whether right answers do is not checked there."
                ] = None
    return list(found)


def _sentences(name: str, policy: str, dropped: dict[str, dict[str, int]]) -> list[str]:
    if not dropped:
        return [f"Corpus {name}, overlap {policy}: no question stood in two parts of its source."]
    return [
        f"Corpus {name}, overlap {policy}: {lost['examples']} of {lost['of']} examples of its {part} part "
        f"({lost['examples'] / lost['of']:.0%}) stood in another part too, and were left out of it."
        for part, lost in dropped.items()
    ]
