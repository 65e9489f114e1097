"""Looking at one cell or artifact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clpd_bench.corpus.reader import read_split, read_summary
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.store import Store

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def find_job(name: str, store: Store) -> tuple[Plan, Job]:
    """A job by its key (or the beginning of it), or the student of a cell by its id
    (`smoke/clpd/0`, or `clpd/0` for the newest ablation that has such a cell).

    Raises:
        UserError: nothing or more than one thing is called so.
    """
    known: list[str] = []
    for file in store.plans():
        try:
            plan = Plan.from_json(json.loads(file.read_text()))
        except ValidationError:  # of a version with other settings
            continue
        for cell in plan.cells:
            if cell.is_called(name):
                return plan, plan.jobs[cell.model]
        matches = [job for key, job in plan.jobs.items() if len(name) >= 4 and key.startswith(name)]
        if len(matches) == 1:
            return plan, matches[0]
        if len(matches) > 1:
            raise UserError(f"{len(matches)} keys begin with {name!r}", fix="Give more of its digits")
        known += [cell.id for cell in plan.cells if cell.id not in known]
    raise UserError(
        "the store knows no such cell or key",
        found=name,
        allowed=known or None,
        fix=None if known else f"Nothing has been planned or run with the store {store.root} yet",
    )


def describe(plan: Plan, job: Job, store: Store) -> dict[str, Any]:
    """Settings, parents, provenance and files, as plain JSON."""
    manifest = store.manifest(job.key) or {}
    provenance = ("git", "packages", "python", "host", "platform", "device", "created", "attempt")
    return {
        "label": job.label,
        "kind": job.kind,
        "key": job.key,
        "state": store.state(job.key),
        "folder": str(store.artifact(job.key)),
        "settings": job.spec.model_dump(mode="json"),
        "parents": {role: {"key": key, "label": plan.jobs[key].label} for role, key in job.parents.items()},
        "evaluations": {
            benchmark: key
            for cell in plan.cells
            if cell.model == job.key
            for benchmark, key in cell.evaluations.items()
        },
        "measured": {k: manifest[k] for k in ("seconds", "tokens", "flops", "details") if k in manifest},
        "provenance": {k: manifest[k] for k in provenance if k in manifest},
        "files": manifest.get("files", {}),
    }


def example_text(plan: Plan, job: Job, store: Store) -> str:
    """The first training example of the job's corpus.

    Raises:
        UserError: the job has no corpus, or it is not made yet.
    """
    key = job.key if job.kind == "corpus" else job.parents.get("corpus")
    if key is None or not store.is_done(key):
        raise UserError(
            f"the corpus of {job.label} does not exist yet", fix=f"Make it with clpd plan {plan.file} --corpus"
        )
    return first_example(store.artifact(key), plan.jobs[key].label)


def first_example(folder: Path, label: str) -> str:
    """The first training example of a corpus folder: its texts, then token by token, `.` before one that the loss
    leaves out, `*` before one that it counts."""
    from transformers import AutoTokenizer  # a second to import

    split, summary = read_split(folder, "train"), read_summary(folder)
    tokenizer = AutoTokenizer.from_pretrained(str(folder / "tokenizer"))
    prompt, response = split.prompts[0].tolist(), split.responses[0].tolist()
    lines = [f"example {split.ids[0]} of {label}: {len(prompt)} + {len(response)} tokens"]
    if "system" in summary:
        lines += _block("system message", summary["system"]) if summary["system"] else ["system message: none"]
    if "shots" in summary:
        lines += [f"worked examples in the prompt: {summary['shots']}"]
    lines += _block("prompt", split.texts("prompt")[0])
    lines += _block("response, which the loss counts", split.texts("response")[0])
    lines += [f"end token, which the loss counts too: {tokenizer.decode([response[-1]])!r}", ""]
    lines += ["position      id  loss  token"]
    pieces = _pieces([*prompt, *response], tokenizer)
    for i, (token, piece) in enumerate(zip([*prompt, *response], pieces, strict=True)):
        mark = "." if i < len(prompt) else "*"
        lines.append(f"{i:8} {token:7}  {mark:>4}  {piece}")
    return "\n".join(lines)


def _block(title: str, text: str) -> list[str]:
    """Each line of the text with a bar on both sides, so that white space at its ends is seen."""
    return [f"{title}:", *(f"  |{line}|" for line in text.split("\n"))]


def _pieces(ids: list[int], tokenizer: PreTrainedTokenizerFast) -> list[str]:
    """The text of each token, quoted; of one that is a part of a character, the token as the vocabulary has it."""
    return [
        tokenizer.convert_ids_to_tokens(i) if "\ufffd" in (text := tokenizer.decode([i])) else repr(text) for i in ids
    ]
