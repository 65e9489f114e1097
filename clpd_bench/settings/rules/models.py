"""Models that start from others, whose tokens they read, and how long an example they take."""

from __future__ import annotations

from collections.abc import Iterable

from clpd_bench.errors import UserError, known
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.corpus import Of, SameAs
from clpd_bench.settings.parts.model import Initial, ModelSettings, StudentSettings, Trained
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local

PRETRAINED = (Hub, Local, Gguf)


def check_models(a: Ablation) -> None:
    """What models and tokenizers start from is there, without a circle, and kept."""
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


def check_tokenizers(a: Ablation) -> None:
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
    difficulty = a.curriculum.difficulty
    if difficulty and (scorer := difficulty.scored_by):
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


def check_limits(a: Ablation) -> None:
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
    difficulty = a.curriculum.difficulty
    if difficulty and (scorer := difficulty.scored_by):
        yield f"model {scorer!r}, whose loss is the difficulty,", scorer, a.student.corpus
        for corpus in a.evaluation.corpora.values():
            yield f"model {scorer!r}, whose loss is the difficulty,", scorer, corpus
    for corpus in a.evaluation.corpora.values():
        yield "the student", student, corpus
        for teacher in a.teachers:
            yield f"teacher {teacher!r}", teacher, corpus
