"""The text of a model card."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from clpd_bench.report.card.markdown import block, bullets, code, front_matter
from clpd_bench.report.card.scores import Score
from clpd_bench.report.card.subject import ExampleText, Subject, settings_of
from clpd_bench.report.card.tasks import Task
from clpd_bench.report.card.trained import training_text
from clpd_bench.report.cells import about
from clpd_bench.results.diverged import diverged_students
from clpd_bench.results.truncation import percent
from clpd_bench.store import Store
from clpd_bench.tables.markdown import markdown
from clpd_bench.tables.rounding import UNITS, interval, mean_and_sd
from clpd_bench.tables.table import table

TO_LOAD = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # this folder
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
prompt = {prompt}
inputs = tokenizer(prompt, return_tensors="pt", add_special_tokens={special}, return_token_type_ids=False)
output = model.generate(**inputs, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :]))"""

ONE_SEED = (
    "**The score of one seed says little about the method.** Trained again with another seed, the model scores "
    "otherwise; compare arms by seed-paired differences over many seeds (`clpd report`)."
)


def model_card(
    subject: Subject,
    store: Store,
    scores: list[Score],
    missing: list[str],
    tasks: list[Task],
    shown: ExampleText | None,
    exported: str,
) -> str:
    """README.md of an exported model.

    Args:
        missing: a sentence for each evaluation that is not done.
        exported: the command that exports it.
    """
    blocks = [
        front_matter(metadata(subject)),
        f"# {_title(subject)}",
        *_about(subject, store),
        "## How it was trained",
        training_text(subject, store, shown),
        "## Scores",
        *_scores(subject, store, scores, missing),
        "## How to load it",
        block(
            TO_LOAD.format(prompt=repr(shown.prompt if shown else ""), special=bool(shown and shown.special_tokens)),
            "python",
        ),
        *_evaluating(tasks),
        "## Where it comes from",
        *_provenance(subject, store, exported),
        "## Licence",
        "Unknown: nobody has stated one. That of the initial weights (if they were pretrained), of the teachers and of "
        "the corpus may bind this model; whoever uses or passes it on has to check them.",
    ]
    return "\n\n".join(blocks) + "\n"


def metadata(subject: Subject) -> dict[str, object]:
    """The fields that a hub reads."""
    fields: dict[str, object] = {"library_name": "transformers", "pipeline_tag": "text-generation"}
    fields["license"] = "unknown"
    fields["tags"] = ["clpd_bench", *(["knowledge-distillation"] if subject.teachers else [])]
    source = settings_of(subject.line[-1]).get("start", {}).get("source", {})
    if source.get("name") == "hub":
        fields["base_model"] = source["model"]
    corpus = settings_of(subject.corpus[1])["corpus"]["source"] if subject.corpus else {}
    if "dataset" in corpus:
        fields["datasets"] = [corpus["dataset"]]
    return fields


def _title(subject: Subject) -> str:
    if subject.cell:
        return f"{code(subject.plan.name)}: arm {code(subject.arm)}, seed {subject.cell.seed}"
    return f"{code(subject.plan.name)}: {_called(subject)}"


def _called(subject: Subject) -> str:
    if subject.names:
        return f"model {', '.join(map(code, subject.names))}"
    return code(subject.references[0].id if subject.references else subject.job.label)


def _about(subject: Subject, store: Store) -> list[str]:
    if subject.cell:
        how = "taught by " + ("one teacher" if len(subject.teachers) == 1 else f"{len(subject.teachers)} teachers")
        if not subject.teachers:
            how = "trained by cross-entropy, without a teacher"
        what = f"A causal language model, {how}: the student of arm {code(subject.arm)} at seed {subject.cell.seed}."
    else:
        what = f"A causal language model: {_called(subject)} of an ablation."
    text = [
        f"{what} It was made by clpd_bench in the ablation {code(subject.plan.name)}, to be compared with models that "
        "differ from it in one known thing, and for nothing else."
    ]
    if subject.others:
        text.append(f"These cells have this very model, too: {', '.join(map(code, subject.others))}.")
    diverged = (store.manifest(subject.job.key) or {}).get("details", {}).get("diverged")
    if diverged:
        text.append(f"**It diverged** and is as it was before the step that failed: {code(diverged)}.")
    return text


def _scores(subject: Subject, store: Store, scores: list[Score], missing: list[str]) -> list[str]:
    blocks = []
    if scores:
        over_seeds = any(score.arm for score in scores)
        head = ["benchmark and metric", "this model", "95% interval over items"]
        head += ["the arm's mean ± sd", "95% interval over seeds", "seeds"] if over_seeds else []
        blocks.append(markdown(table(head, [_row(score, over_seeds) for score in scores])))
        reading = [
            "This model: its mean over items. The interval over items (Wilson's for a metric of 0 and 1, else "
            "Student's t) is about other items like these, for this very model.",
        ]
        if over_seeds:
            reading.append(
                "The arm: mean and standard deviation over seeds of the mean over items. The interval over seeds "
                "(Student's t) is about other trainings like these, on these very items."
            )
        reading += [
            f"Of its outputs on {code(benchmark)} {percent(share)} ended by length, before it had ended them."
            for benchmark, share in {one.series.benchmark: one.truncated for one in scores}.items()
            if share is not None
        ]
        if subject.cell:
            reading.append(ONE_SEED)
        blocks.append(bullets(reading))
    diverged = [one for one in diverged_students(subject.all_seeds, store) if subject.cell]
    if diverged:
        blocks.append(f"Of the arm's students these diverged: {code('; '.join(map(str, diverged)))}.")
    gone = [code(sentence) for sentence in missing]
    if not scores and not missing:
        gone = ["This model was not evaluated."]
    return [*blocks, *([f"Not there: {' '.join(gone)}" if missing else gone[0]] if gone else [])]


def _row(score: Score, over_seeds: bool) -> list[str]:
    unit = UNITS[score.series.metric]
    mean, items = interval(score.mean, score.low, score.high, unit)
    row = [f"{code(str(score.series))} ({about(score.series, score.items)})", mean, items]
    if not over_seeds:
        return row
    if score.arm is None:
        return [*row, "", "", ""]
    _, seeds = interval(score.arm.mean, score.arm_low, score.arm_high, unit)
    arm = mean_and_sd(score.arm.mean, score.arm.sd, unit)
    return [*row, arm, seeds or "the same at every seed", str(score.arm.seeds)]


def _evaluating(tasks: list[Task]) -> list[str]:
    here = [task for task in tasks if task.folder]
    blocks = []
    if here:
        blocks.append("lm-eval's own command line gives the scores above again, response_loss apart. In this folder:")
        blocks += [block(task.command, "sh") for task in here]
    if spaced := [code(task.benchmark) for task in here if task.spaced]:
        blocks.append(
            f"It reckons the white space at the end of a prompt to each choice of {', '.join(spaced)}, so that "
            "likelihoods, and so a score, may differ there."
        )
    absent = [code(task.benchmark) for task in tasks if not task.folder]
    if absent:
        blocks.append(f"The task files of {', '.join(absent)} are not in this folder.")
    return blocks


def _provenance(subject: Subject, store: Store, exported: str) -> list[str]:
    job, manifest = subject.job, store.manifest(subject.job.key) or {}
    file = Path(subject.plan.file)
    settings = yaml.safe_dump(settings_of(job), sort_keys=False, allow_unicode=True, width=100)
    packages = ", ".join(f"{name} {version}" for name, version in manifest.get("packages", {}).items() if version)
    facts: list[tuple[str, Any]] = [
        ("key", job.key),
        ("made", manifest.get("created")),
        ("source of clpd_bench", manifest.get("git") or "no checkout"),
        ("packages", packages),
        ("python", manifest.get("python")),
        ("platform", manifest.get("platform")),
        ("device", manifest.get("device")),
        ("made by", f"clpd run {shlex.quote(file.name if file.is_absolute() else str(file))}"),
        ("exported by", exported),
    ]
    return [
        bullets([f"{what}: {code(str(value))}" for what, value in facts if value]),
        "Settings of its job; every `--set` is in them:",
        block(settings, "yaml"),
    ]
