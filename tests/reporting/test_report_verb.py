"""`clpd report` prints the primary result, and the rest on request."""

from __future__ import annotations

from fabricated_report import World
from typer.testing import CliRunner

from clpd_bench.cli.app import app


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


def test_published_numbers_are_read_from_where_one_says(world: World) -> None:
    file = world.folder / "numbers.csv"
    file.write_text("system,benchmark,metric,value,spread,source\nclpd,sums,response_loss,1.25,,Table 2\n")
    assert "Published in Table 2: clpd." in said(world, "--reference", str(file))
    assert "Table 2" not in said(world)
    out = ["report", str(world.folder / "tiny.yaml"), "--store", str(world.folder / "store")]
    lost = CliRunner().invoke(app, [*out, "--reference", str(world.folder)])
    assert lost.exit_code != 0
    assert "tiny.csv: there are no published numbers" in str(lost.exception)
