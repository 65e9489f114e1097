"""Where an ablation may have plug-ins, each checked."""

from __future__ import annotations

from collections.abc import Iterable

from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.difficulty import LengthResidual, plain
from clpd_bench.settings.plugin import Plugin
from clpd_bench.settings.signature import check_plugin


def check_plugins(a: Ablation) -> None:
    """Raises:
    UserError: a file, a function or an argument that will not do; with its key.
    """
    for setting, kind, key in _places(a):
        if isinstance(setting, Plugin):
            check_plugin(setting, kind, key)


def _places(a: Ablation) -> Iterable[tuple[object, str, str]]:
    """(what stands there, which kind of function it would be, its key)."""
    for name, corpus in a.corpora.items():
        yield corpus.source, "corpus", f"corpora.{name}.source"
    if a.curriculum.difficulty:
        inner = ".difficulty" if isinstance(a.curriculum.difficulty, LengthResidual) else ""
        yield plain(a.curriculum.difficulty), "difficulty", f"curriculum.difficulty{inner}"
    yield a.curriculum.pacing, "pacing", "curriculum.pacing"
    yield a.loss, "loss", "loss"
    for name, arm in a.arms.items():
        yield arm.teachers, "teacher rule", f"arms.{name}.teachers"
