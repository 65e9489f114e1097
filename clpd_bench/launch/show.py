"""Looking at one cell or artifact."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from pydantic import ValidationError

from clpd_bench.corpus.reader import read_split
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.store import Store


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
            if name in (cell.id, cell.id.split("/", 1)[1]):
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
    """The first training example of the job's corpus, token by token: `.` before a token that the
    loss leaves out, `*` before one that it counts.

    Raises:
        UserError: the job has no corpus, or it is not made yet.
    """
    key = job.key if job.kind == "corpus" else job.parents.get("corpus")
    if key is None or not store.is_done(key):
        raise UserError(
            f"the corpus of {job.label} does not exist yet", fix=f"Make it with clpd plan {plan.file} --corpus"
        )
    from transformers import AutoTokenizer  # a second to import

    split = read_split(store.artifact(key), "train")
    tokenizer = AutoTokenizer.from_pretrained(str(store.artifact(key) / "tokenizer"))
    prompt, response = split.prompts[0], split.responses[0]
    lines = [f"example {split.ids[0]} of {plan.jobs[key].label}: {len(prompt)} + {len(response)} tokens"]
    lines += [f"prompt    {split.texts('prompt')[0]!r}", f"response  {split.texts('response')[0]!r}", ""]
    lines += ["position      id  loss  token"]
    for i, token in enumerate(np.concatenate([prompt, response]).tolist()):
        mark = "." if i < len(prompt) else "*"
        lines.append(f"{i:8} {token:7}  {mark:>4}  {tokenizer.decode([token])!r}")
    return "\n".join(lines)
