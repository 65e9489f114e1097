"""Combinations that are well-formed each for itself and wrong together."""

from __future__ import annotations

from collections.abc import Iterable

from clpd_bench.errors import UserError
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.arms import resolve
from clpd_bench.settings.controls import check_difficulty, check_references_to_arms, check_seats, known
from clpd_bench.settings.corpus import Jsonl, SameAs
from clpd_bench.settings.curriculum import NoTeacher, Only
from clpd_bench.settings.difficulty import scored_by
from clpd_bench.settings.model import ModelSettings, StudentSettings, Trained
from clpd_bench.settings.plugin_places import check_plugins

MAX_SIBLINGS = 20
"""Files of a folder that an error about a missing one lists."""


def check(ablation: Ablation) -> None:
    """Every cross-reference and every combination of settings.

    Raises:
        UserError: with the key; whoever knows the file adds file and line.
    """
    _settings(ablation)
    for name, arm in ablation.arms.items():
        if arm.differs:
            _arm_settings(resolve(ablation, name), name)
    check_seats(ablation)
    check_references_to_arms(ablation)
    _analysis(ablation)
    _files(ablation)


def _settings(a: Ablation) -> None:
    check_plugins(a)
    _references(a)
    _models(a)
    _arms(a)
    _tokenizers(a)
    _limits(a)


def _arm_settings(a: Ablation, arm: str) -> None:
    """The same checks, of the file as an arm with `differs:` sees it."""
    try:
        _settings(a)
    except UserError as error:
        raise UserError(
            f"{error.key}: {error.message}",
            key=f"arms.{arm}.differs",
            found=error.found,
            allowed=error.allowed,
            fix=error.fix,
        ) from None


def _references(a: Ablation) -> None:
    for name, corpus in a.corpora.items():
        seen = [name]
        while isinstance(corpus.tokenizer, SameAs):
            key = f"corpora.{seen[-1]}.tokenizer"
            known(corpus.tokenizer.corpus, a.corpora, "corpus", key)
            if corpus.tokenizer.corpus in seen:
                raise UserError("these corpora borrow each other's tokenizer, and none makes one", key=key)
            seen.append(corpus.tokenizer.corpus)
            corpus = a.corpora[seen[-1]]
    for name, model in a.models.items():
        known(model.corpus, a.corpora, "corpus", f"models.{name}.corpus")
    known(a.student.corpus, a.corpora, "corpus", "student.corpus")
    for i, teacher in enumerate(a.teachers):
        known(teacher, a.models, "model", f"teachers.{i}")
    for name, benchmark in a.evaluation.benchmarks.items():
        known(benchmark.corpus, a.corpora, "corpus", f"evaluation.benchmarks.{name}.corpus")
    check_difficulty(a)


def _models(a: Ablation) -> None:
    for name in [*a.models, None]:
        seen: list[str] = [name] if name else []
        model = a.models[name] if name else a.student
        while isinstance(model.initial, Trained):
            key = f"models.{seen[-1]}.initial" if seen else "student.initial"
            known(model.initial.model, a.models, "model", key)
            if model.initial.model in seen:
                raise UserError("these models start from each other, and none from an architecture", key=key)
            seen.append(model.initial.model)
            model = a.models[seen[-1]]


def _tokenizer_owner(a: Ablation, corpus: str) -> str:
    tokenizer = a.corpora[corpus].tokenizer
    while isinstance(tokenizer, SameAs):
        corpus = tokenizer.corpus
        tokenizer = a.corpora[corpus].tokenizer
    return corpus


def _arms(a: Ablation) -> None:
    if not a.teachers:
        for name, arm in a.arms.items():
            if not isinstance(arm.teachers, NoTeacher):
                raise UserError(
                    f"arm {name!r} wants teachers, and the file's `teachers:` lists none",
                    key=f"arms.{name}.teachers",
                    fix="List models under `teachers:`, from the weakest to the strongest",
                )
    for name, arm in a.arms.items():
        if isinstance(arm.teachers, Only):
            known(arm.teachers.teacher, a.teachers, "teacher", f"arms.{name}.teachers.teacher")
    if a.loss.temperature not in a.targets.temperatures:
        raise UserError(
            f"loss.temperature {a.loss.temperature:g} is none of the temperatures whose normaliser is stored",
            key="targets.temperatures",
            allowed=a.targets.temperatures,
            fix=f"Add {a.loss.temperature:g} to targets.temperatures",
        )


def _tokenizers(a: Ablation) -> None:
    owner = _tokenizer_owner(a, a.student.corpus)
    for label, corpus, key in _token_partners(a):
        if _tokenizer_owner(a, corpus) != owner:
            raise UserError(
                f"{label} reads corpus {corpus!r}, whose tokenizer is another than that of the student's corpus "
                f"{a.student.corpus!r}; a loss between distributions over tokens wants one vocabulary",
                key=key,
                fix=f"Give corpus {corpus!r} `tokenizer: same_as:{a.student.corpus}`, or the other way round",
            )


def _all_models(a: Ablation) -> list[tuple[str, ModelSettings | StudentSettings]]:
    """Every model with its key in the file."""
    return [*((f"models.{name}", model) for name, model in a.models.items()), ("student", a.student)]


def _token_partners(a: Ablation) -> Iterable[tuple[str, str, str]]:
    for teacher in a.teachers:
        yield f"teacher {teacher!r}", a.models[teacher].corpus, f"models.{teacher}.corpus"
    for key, model in _all_models(a):
        if isinstance(model.initial, Trained):
            initial = model.initial.model
            yield (
                f"model {initial!r}, which {key} starts from,",
                a.models[initial].corpus,
                f"models.{initial}.corpus",
            )
    scorer = scored_by(a.curriculum.difficulty)
    if scorer is not None:
        yield f"model {scorer!r}, whose loss is the difficulty,", a.models[scorer].corpus, f"models.{scorer}.corpus"
    for name, benchmark in a.evaluation.benchmarks.items():
        yield f"benchmark {name!r}", benchmark.corpus, f"evaluation.benchmarks.{name}.corpus"


def _root(a: Ablation, model: str) -> str:
    """The model whose architecture this one has: the first of those that start from each other."""
    initial = a.models[model].initial
    return _root(a, initial.model) if isinstance(initial, Trained) else model


def _limits(a: Ablation) -> None:
    for reader, model, corpus in _readers(a):
        name = model if model is None else _root(a, model)
        key = "student" if name is None else f"models.{name}"
        initial = a.student.initial if name is None else a.models[name].initial
        assert not isinstance(initial, Trained)
        limit, longest = initial.max_position_embeddings, a.corpora[corpus].max_tokens
        if limit < longest:
            raise UserError(
                f"{reader} takes {limit} tokens at most, and corpus {corpus!r}, which it reads, admits examples of "
                f"{longest}",
                key=f"{key}.initial.max_position_embeddings",
                fix=f"Raise the limit, or lower corpora.{corpus}.max_tokens (longer examples are then refused)",
            )


def _readers(a: Ablation) -> Iterable[tuple[str, str | None, str]]:
    """(who reads, the model whose architecture it has, None for the student's own; what is read)."""
    initial = a.student.initial
    student = initial.model if isinstance(initial, Trained) else None
    for name, model in a.models.items():
        yield f"model {name!r}", name, model.corpus
    yield "the student", student, a.student.corpus
    for teacher in a.teachers:
        yield f"teacher {teacher!r}", teacher, a.student.corpus
    scorer = scored_by(a.curriculum.difficulty)
    if scorer is not None:
        yield f"model {scorer!r}, whose loss is the difficulty,", scorer, a.student.corpus
        for benchmark in a.evaluation.benchmarks.values():
            yield f"model {scorer!r}, whose loss is the difficulty,", scorer, benchmark.corpus
    for benchmark in a.evaluation.benchmarks.values():
        yield "the student", student, benchmark.corpus
        for teacher in a.teachers:
            yield f"teacher {teacher!r}", teacher, benchmark.corpus


def _analysis(a: Ablation) -> None:
    if "macro average" in a.evaluation.benchmarks:
        raise UserError(
            "no benchmark may be called so: it is the mean over benchmarks", key="evaluation.benchmarks.macro average"
        )
    if "interaction" in a.arms:
        raise UserError("no arm may be called so: it is the name of a test", key="arms.interaction")
    known(a.analysis.baseline, a.arms, "arm", "analysis.baseline")
    for i, name in enumerate(a.analysis.family):
        known(name, [*a.arms, "interaction"], "arm", f"analysis.family.{i}")
        if name == a.analysis.baseline:
            raise UserError(
                f"arm {name!r} is the baseline and cannot be compared with itself", key=f"analysis.family.{i}"
            )
    if "interaction" in a.analysis.family:
        _factorial(a)
    known(a.analysis.primary.benchmark, a.evaluation.benchmarks, "benchmark", "analysis.primary.benchmark")
    if len(a.seeds) < 2:
        raise UserError(
            f"a paired test over seeds wants at least 2 of them, and there is {len(a.seeds)}",
            key="seeds",
            fix="Add seeds (80 % power for one paired test takes about 10 / 6 / 5 seeds at an effect of 1 / 1.5 / 2 "
            "standard deviations of the paired difference)",
        )


def _factorial(a: Ablation) -> None:
    """An interaction is that of a 2 x 2: {shuffled, easy_to_hard} x {strongest, weak_to_strong}."""
    corners = {(arm.order.name, arm.teachers.name) for arm in a.arms.values() if not arm.differs}
    for order in ("shuffled", "easy_to_hard"):
        for teachers in ("strongest", "weak_to_strong"):
            if (order, teachers) not in corners:
                raise UserError(
                    f"the interaction wants an arm with order {order} and teachers {teachers} (without `differs:`), "
                    "and there is none",
                    key=f"analysis.family.{a.analysis.family.index('interaction')}",
                    fix="Add the arm, or take the interaction out of the family",
                )


def _files(a: Ablation) -> None:
    for name, corpus in a.corpora.items():
        if not isinstance(corpus.source, Jsonl):
            continue
        for role, file in (("train", corpus.source.train), ("test", corpus.source.test)):
            if not file.is_file():
                siblings = sorted(file.parent.iterdir())[:MAX_SIBLINGS] if file.parent.is_dir() else []
                raise UserError(
                    f"{str(file)!r} is a directory" if file.is_dir() else f"there is no file {str(file)!r}",
                    key=f"corpora.{name}.source.{role}",
                    found=str(file),
                    allowed=[str(f) for f in siblings if f.is_file()] or None,
                    fix="A relative path starts at the ablation file's folder",
                )
