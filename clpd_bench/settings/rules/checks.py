"""Combinations that are well-formed each for itself and wrong together."""

from __future__ import annotations

from clpd_bench.errors import UserError, known
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.corpus import SameAs
from clpd_bench.settings.parts.model import Cosine
from clpd_bench.settings.rules.analysis import check_analysis
from clpd_bench.settings.rules.arms import check_references_to_arms
from clpd_bench.settings.rules.curriculum import check_difficulty, check_followed, check_seats
from clpd_bench.settings.rules.models import check_limits, check_models, check_tokenizers
from clpd_bench.settings.rules.plugins import check_plugins

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
    check_analysis(ablation)
    _files(ablation)


def _settings(a: Ablation) -> None:
    check_plugins(a)
    _references(a)
    check_models(a)
    _arms(a)
    check_tokenizers(a)
    check_limits(a)


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


def _arms(a: Ablation) -> None:
    if not a.teachers:
        for name, arm in a.arms.items():
            if arm.teachers.has_teacher:
                raise UserError(
                    f"arm {name!r} wants teachers, and the file's `teachers:` lists none",
                    key=f"arms.{name}.teachers",
                    fix="List models under `teachers:`, from the weakest to the strongest",
                )
    for name, arm in a.arms.items():
        for teacher in arm.teachers.takes(a.teachers):
            known(teacher, a.teachers, "teacher", f"arms.{name}.teachers.teacher")
    if a.loss.whole_vocabulary and a.targets.top_k is not None:
        raise UserError(
            f"loss {a.loss.name} goes over the whole vocabulary, and of each teacher {a.targets.top_k} tokens are kept",
            key="targets.top_k",
            fix="Leave top_k out, or set targets.live to true",
        )
    if not a.targets.live and a.loss.temperature not in a.targets.temperatures:
        raise UserError(
            f"loss.temperature {a.loss.temperature:g} is none of the temperatures whose normaliser is stored",
            key="targets.temperatures",
            allowed=a.targets.temperatures,
            fix=f"Add {a.loss.temperature:g} to targets.temperatures",
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
