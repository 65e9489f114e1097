"""corpus: a source becomes token files. Everything that can be wrong with data is told here."""

from __future__ import annotations

import hashlib
from pathlib import Path

from clpd_bench.corpus.build import build
from clpd_bench.distillation.context import Context
from clpd_bench.errors import UserError
from clpd_bench.jobs.body import Measured
from clpd_bench.settings.specs import CorpusSpec


def run(spec: CorpusSpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    for role, file in spec.corpus.source.local_files.items():
        if hashlib.sha256(file.read_bytes()).hexdigest() != spec.file_hashes[role]:
            raise UserError("the file has changed since it was planned", file=file, fix="Run the command again")
    return Measured(details=build(spec.corpus, out, inputs.get("tokenizer"), spec.tokenizer_of))
