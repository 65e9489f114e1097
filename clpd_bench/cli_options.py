"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(metavar="FILE", help="An ablation file (YAML).")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help="Replace a value of the file; may be given several times."),
]
StoreDir = Annotated[
    Path, typer.Option("--store", envvar="CLPD_STORE", help="Where artifacts are kept.", show_default=True)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead.")]
DEFAULT_STORE = Path("clpd_store")
