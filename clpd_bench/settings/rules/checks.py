"""Combinations that are well-formed each for itself and wrong together."""

from __future__ import annotations

from collections.abc import Iterable

from clpd_bench.errors import UserError
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.corpus import Of, SameAs
from clpd_bench.settings.parts.curriculum import NoTeacher, Only
from clpd_bench.settings.parts.difficulty import scored_by
from clpd_bench.settings.parts.model import Cosine, Initial, ModelSettings, StudentSettings, Trained
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local
from clpd_bench.settings.rules.analysis import check_primary
from clpd_bench.settings.rules.plugins import check_plugins
from clpd_bench.settings.rules.references import (
    check_difficulty,
    check_followed,
    check_references_to_arms,
    check_seats,
    known,
)

PRETRAINED = (Hub, Local, Gguf)
MAX_SIBLINGS = 20
"""Files of a folder that an error about a missing one lists."""


def check(ablation: Ablation) -> None:
    """Every cross-reference and every combination of settings.

    Raises:
        UserError: with the key; whoever knows the file adds file and line.
    """
    _settings(ablation)
    for name, arm in ablation.arms.items():
        if arm.differs or arm.tuned:
            _arm_settings(resolve(ablation, name), name)
    check_seats(ablation)
    check_references_to_arms(ablation)
    check_followed(ablation)
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
        part = "differs" if a.arms[arm].differs else "tuned"
        raise error.at(message=f"{error.key}: {error.message}", key=f"arms.{arm}.{part}") from None


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
        if model.corpus is not None:
            known(model.corpus, a.corpora, "corpus", f"models.{name}.corpus")
        if isinstance(model.keep_layers, Cosine):
            known(model.keep_layers.corpus, a.corpora, "corpus", f"models.{name}.keep_layers.corpus")
    known(a.student.corpus, a.corpora, "corpus", "student.corpus")
    for i, teacher in enumerate(a.teachers):
        known(teacher, a.models, "model", f"teachers.{i}")
    for name, tested in a.evaluation.corpora.items():
        known(tested, a.corpora, "corpus", f"evaluation.benchmarks.{name}.corpus")
    check_difficulty(a)


def _models(a: Ablation) -> None:
    for name in [*a.models, None]:
        seen: list[str] = [name] if name else []
        model = a.models[name] if name else a.student
        while isinstance(model.initial, Trained):
            key = f"models.{seen[-1]}.initial" if seen else "student.initial"
            known(model.initial.model, a.models, "model", key)
            if model.initial.model in seen:
                raise UserError("these models start from each other, and none from weights or an architecture", key=key)
            _kept(a, model.initial, key)
            seen.append(model.initial.model)
            model = a.models[seen[-1]]
    for name, corpus in a.corpora.items():
        if isinstance(corpus.tokenizer, Of):
            key = f"corpora.{name}.tokenizer"
            known(corpus.tokenizer.model, a.models, "model", key)
            if not isinstance(_initial(a, corpus.tokenizer.model), PRETRAINED):
                raise UserError(
                    f"model {corpus.tokenizer.model!r} goes back to fresh weights, and so has no tokenizer of its own",
                    key=key,
                    fix="Name a model that starts from hub, local or gguf; or let the corpus make a tokenizer",
                )


def _kept(a: Ablation, initial: Trained, key: str) -> None:
    """A checkpoint that another model starts from is one that its training keeps."""
    training = a.models[initial.model].training
    if initial.step is None or (training and initial.step in training.keep_steps):
        return
    fix = f"Add {initial.step} to models.{initial.model}.training.keep_steps"
    raise UserError(
        f"model {initial.model!r} {'keeps no such step' if training else 'is not trained, and has no steps'}",
        key=f"{key}.step",
        found=initial.step,
        allowed=training.keep_steps or None if training else None,
        fix=fix if training else "Leave step out",
    )


def _tokenizer_owner(a: Ablation, corpus: str) -> str | None:
    """The corpus that makes the tokenizer of this one; None where it comes with pretrained weights."""
    tokenizer = a.corpora[corpus].tokenizer
    while isinstance(tokenizer, SameAs):
        corpus = tokenizer.corpus
        tokenizer = a.corpora[corpus].tokenizer
    return None if isinstance(tokenizer, Of) else corpus


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
    if not a.targets.live and a.loss.temperature not in a.targets.temperatures:
        raise UserError(
            f"loss.temperature {a.loss.temperature:g} is none of the temperatures whose normaliser is stored",
            key="targets.temperatures",
            allowed=a.targets.temperatures,
            fix=f"Add {a.loss.temperature:g} to targets.temperatures",
        )


def _tokenizers(a: Ablation) -> None:
    """Whether two pretrained tokenizers are alike shows when both are read; jobs compare them."""
    owner = _tokenizer_owner(a, a.student.corpus)
    if owner is not None and isinstance(_initial_of(a, a.student), PRETRAINED):
        raise _pretrained_on_own_tokens("the student", a.student.corpus, "student.corpus")
    for label, model, key in _partner_models(a):
        corpus = a.models[model].corpus
        if isinstance(_initial(a, model), PRETRAINED):
            if owner is not None:
                raise _pretrained_on_own_tokens(label, a.student.corpus, key)
            if corpus is not None and _tokenizer_owner(a, corpus) is not None:
                raise _pretrained_on_own_tokens(label, corpus, f"{key}.corpus")
        elif corpus is not None and _tokenizer_owner(a, corpus) != owner:
            raise _other_tokenizer(a, label, corpus, f"{key}.corpus")
    for name, corpus in a.evaluation.corpora.items():
        if _tokenizer_owner(a, corpus) != owner:
            raise _other_tokenizer(a, f"benchmark {name!r}", corpus, f"evaluation.benchmarks.{name}.corpus")


def _pretrained_on_own_tokens(label: str, corpus: str, key: str) -> UserError:
    return UserError(
        f"{label} goes back to pretrained weights, and corpus {corpus!r} makes a tokenizer of its own, whose tokens "
        "they do not know",
        key=key,
        fix=f"Give corpus {corpus!r} `tokenizer: of:<model>`, a model that starts from those weights",
    )


def _other_tokenizer(a: Ablation, label: str, corpus: str, key: str) -> UserError:
    return UserError(
        f"{label} reads corpus {corpus!r}, whose tokenizer is another than that of the student's corpus "
        f"{a.student.corpus!r}; a loss between distributions over tokens wants one vocabulary",
        key=key,
        fix=f"Give corpus {corpus!r} `tokenizer: same_as:{a.student.corpus}`, or the other way round",
    )


def _all_models(a: Ablation) -> list[tuple[str, ModelSettings | StudentSettings]]:
    """Every model with its key in the file."""
    return [*((f"models.{name}", model) for name, model in a.models.items()), ("student", a.student)]


def _partner_models(a: Ablation) -> Iterable[tuple[str, str, str]]:
    """Models whose tokens are the student's: (what they are called, name, key)."""
    for teacher in a.teachers:
        yield f"teacher {teacher!r}", teacher, f"models.{teacher}"
    for key, model in _all_models(a):
        if isinstance(model.initial, Trained):
            initial = model.initial.model
            yield f"model {initial!r}, which {key} starts from,", initial, f"models.{initial}"
    scorer = scored_by(a.curriculum.difficulty)
    if scorer is not None:
        yield f"model {scorer!r}, whose loss is the difficulty,", scorer, f"models.{scorer}"


def root_of(a: Ablation, model: str) -> str:
    """The model whose architecture this one has: the first of those that start from each other."""
    initial = a.models[model].initial
    return root_of(a, initial.model) if isinstance(initial, Trained) else model


def _initial(a: Ablation, model: str) -> Initial:
    """What a model goes back to: an architecture or pretrained weights."""
    return a.models[root_of(a, model)].initial


def _initial_of(a: Ablation, settings: StudentSettings) -> Initial:
    return _initial(a, settings.initial.model) if isinstance(settings.initial, Trained) else settings.initial


def _limits(a: Ablation) -> None:
    """Of models from a configuration: what pretrained ones take stands in their files, and jobs look."""
    for reader, model, corpus in _readers(a):
        name = model if model is None else root_of(a, model)
        key = "student" if name is None else f"models.{name}"
        initial = a.student.initial if name is None else a.models[name].initial
        if isinstance(initial, PRETRAINED):
            continue
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
        if model.corpus is not None:
            yield f"model {name!r}", name, model.corpus
    yield "the student", student, a.student.corpus
    for teacher in a.teachers:
        yield f"teacher {teacher!r}", teacher, a.student.corpus
    scorer = scored_by(a.curriculum.difficulty)
    if scorer is not None:
        yield f"model {scorer!r}, whose loss is the difficulty,", scorer, a.student.corpus
        for corpus in a.evaluation.corpora.values():
            yield f"model {scorer!r}, whose loss is the difficulty,", scorer, corpus
    for corpus in a.evaluation.corpora.values():
        yield "the student", student, corpus
        for teacher in a.teachers:
            yield f"teacher {teacher!r}", teacher, corpus


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
    check_primary(a)
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
        for role, file in corpus.source.local_files.items():
            if not file.is_file():
                siblings = sorted(file.parent.iterdir())[:MAX_SIBLINGS] if file.parent.is_dir() else []
                raise UserError(
                    f"{str(file)!r} is a directory" if file.is_dir() else f"there is no file {str(file)!r}",
                    key=f"corpora.{name}.source.{role}",
                    found=str(file),
                    allowed=[str(f) for f in siblings if f.is_file()] or None,
                    fix="A relative path starts at the ablation file's folder",
                )
