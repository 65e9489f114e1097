"""From a source's settings to examples by split."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from clpd_bench.corpus import benchmarks, chained_sums, plugin_source
from clpd_bench.corpus.example import Example
from clpd_bench.corpus.rows import Row, rows
from clpd_bench.corpus.splits import Ledger, carved, settled
from clpd_bench.errors import UserError
from clpd_bench.outside.hub import cached_folder
from clpd_bench.settings.parts.sources import ChainedSums, Gsm8k, HubRows, Jsonl, Rows, Source, Svamp
from clpd_bench.settings.plugin import CorpusPlugin


def _mapped(row: Row, settings: Jsonl | HubRows) -> Example:
    """
    Raises:
        UserError: a field is missing or will not do, or holds no result behind `split_on`.
    """
    answer = row.text(settings.answer)
    rationale = row.text(settings.rationale) if settings.rationale else ""
    if settings.split_on:
        before, mark, after = answer.rpartition(settings.split_on)
        if not mark or not after.strip():
            raise row.refused(
                f"field {settings.answer!r} holds no result behind {settings.split_on!r}", found=answer[-60:]
            )
        rationale, answer = "\n".join(part for part in (rationale, before.strip()) if part), after.strip()
    columns = {name: row.number(name) for name in settings.columns}
    return Example(row.text(settings.question), rationale, answer, columns, str(row.file), row.line)


def examples(source: Source) -> tuple[dict[str, list[Example]], Ledger | None]:
    """Examples by split, and what was left out of a part for standing in another; None where none could.

    Raises:
        UserError: files that are not there, bad rows, a question in two splits.
    """
    if isinstance(source, ChainedSums):
        return chained_sums.generate(source), None
    if isinstance(source, CorpusPlugin):
        return plugin_source.read(source)
    files = _files(source)
    made = {role: [_example(row, source) for row in rows(files[role])] for role in files}
    if isinstance(source, Svamp):
        training, test = benchmarks.svamp_split([e for part in made.values() for e in part])
    else:
        training, test = made["train"], made["test"]
    read = [file for part in files.values() for file in part]
    parts, ledger = settled({"training": training, "test": test}, source.overlap, read[0])
    return carved(parts["training"], parts["test"], source.validation, source.limit, (read[0], read[-1])), ledger


def _example(row: Row, source: Rows) -> Example:
    if isinstance(source, Jsonl | HubRows):
        return _mapped(row, source)
    if isinstance(source, Gsm8k):
        return benchmarks.gsm8k(row, source)
    return benchmarks.svamp(row) if isinstance(source, Svamp) else benchmarks.commonsense_qa(row)


def _files(source: Rows) -> dict[str, list[Path]]:
    """Files by role, of this machine or of the hub's cache.

    Raises:
        UserError: the hub's are not in its cache.
    """
    if isinstance(source, Jsonl) or source.revision is None:
        return {role: [file] for role, file in source.local_files.items()}
    wanted = source.hub_files
    folder = cached_folder(source.dataset, source.revision, list(wanted.values()), "dataset")
    there = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    found = {role: [folder / path for path in there if fnmatch(path, pattern)] for role, pattern in wanted.items()}
    for role, pattern in wanted.items():
        if not found[role]:
            raise UserError(
                f"data set {source.dataset} at revision {source.revision} has no file {pattern}, or it is not in the "
                "hub's cache",
                key=f"source.{role}",
                found=pattern,
                allowed=there or None,
                fix="Correct the path; or, where there is a network, fetch it: `clpd lock FILE --fetch`",
            )
    return found
