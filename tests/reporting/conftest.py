"""Reports of fabricated stores, each made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fabricated_report import World
from page_text import Page
from pictures import sketched, undrawn


@pytest.fixture(scope="package", autouse=True)
def _undrawn() -> Iterator[None]:
    """Only what is about figures makes any."""
    with undrawn():
        yield


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A store in which no arm differs from another; its report lies in `report/`."""
    world = World(tmp_path_factory.mktemp("null"))
    with sketched():
        world.report()
    return world


@pytest.fixture(scope="package")
def broken(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A store that lacks much and mixes revisions and devices; nothing was declared."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "report" / "figures").mkdir(parents=True)
    (folder / "report" / "figures" / "training.pdf").write_text("of an older report")
    world = World(
        folder,
        curves=False,
        difficulties=1,
        declared=False,
        undone=("student clpd/1", "evaluation clpd/1", "evaluation teacher large"),
        fields={"student clpd/2": {"git": "b" * 40 + "-dirty"}, "evaluation clpd/2 on sums": {"device": "H100"}},
    )
    with sketched():
        world.report()
    return world


@pytest.fixture(scope="package")
def folder(world: World) -> Path:
    return world.folder / "report"


@pytest.fixture(scope="package")
def page(folder: Path) -> Page:
    return Page(folder / "report.html")
