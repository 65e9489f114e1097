"""`clpd report` prints the primary result, and the rest on request."""

from __future__ import annotations

from fabricated_report import World
from typer.testing import CliRunner

from clpd_bench.cli import app


def said(world: World, *arguments: str) -> str:
    out = ["--store", str(world.folder / "store"), "--out", str(world.folder / "printed")]
    result = CliRunner().invoke(app, ["report", str(world.folder / "tiny.yaml"), *out, *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_secondary_results_are_printed_on_request_alone(world: World) -> None:
    primary, everything = said(world), said(world, "--all")
    assert "response_loss" in primary
    assert "exact_match" not in primary
    assert "secondary.md" in primary  # where they are
    assert everything.startswith(primary[: primary.index("## Missing")])
    assert (world.folder / "printed" / "secondary.md").read_text() in everything
