"""How a model came about, in sentences of Markdown."""

from __future__ import annotations

import inspect
from typing import Any

from clpd_bench.corpus.reader import read_summary
from clpd_bench.plan.plan import Job
from clpd_bench.report.card.markdown import block, bullets, code
from clpd_bench.report.card.subject import ExampleText, Subject, settings_of
from clpd_bench.settings.base import Settings
from clpd_bench.settings.parts.curriculum import shorthand_of
from clpd_bench.settings.plugin import Plugin
from clpd_bench.settings.specs import CorpusSpec, ModelSpec, Supervision
from clpd_bench.store import Store
from clpd_bench.tables.rounding import count

OWN = "A function of the user's own."


def training_text(subject: Subject, store: Store, shown: ExampleText | None) -> str:
    """Start, corpus, arm, teachers, loss, steps; then an example."""
    job, corpus = subject.job, subject.corpus
    assert isinstance(job.spec, ModelSpec)
    sentences = [f"Started from: {start_text(subject.line)}."]
    if corpus is not None:
        sentences.append(_corpus_text(*corpus, store))
    if job.spec.supervision is None:
        sentences.append("Not trained any further here.")
    else:
        sentences += [
            f"Order of the data: {_named(job.spec.supervision.order)}",
            *_teaching(subject, job.spec.supervision, store),
            f"Loss: {_named(job.spec.supervision.loss)}",
            _length(job, store),
        ]
    return "\n\n".join([bullets(sentences), *_example(shown)])


def _teaching(subject: Subject, supervision: Supervision, store: Store) -> list[str]:
    """Who taught it, when, and what stages there were."""
    teachers = [f"{_names(one.names, one.job)}, {_origin(one.job, subject, store)}." for one in subject.teachers]
    out = [f"Teacher: {teachers[0]}"] if len(teachers) == 1 else []
    if not teachers:
        out.append("Teachers: none. It learnt the corpus's own responses.")
    elif len(teachers) > 1:
        numbered = "".join(f"\n  {i}. {teacher}" for i, teacher in enumerate(teachers, start=1))
        out.append(f"Teachers, from the weakest to the strongest:{numbered}")
    if supervision.rule is not None:
        out.append(f"Who teaches when: {_named(supervision.rule)}")
    elif len(teachers) > 1:
        out.append(f"Who teaches when: in stage k of K teacher ceil(k x {len(teachers)} / K).")
    if supervision.stages is not None:
        pacing = f"; pacing {_written(supervision.pacing)}" if supervision.pacing else ""
        out.append(f"Curriculum: {supervision.stages} stages{pacing}{_difficulty(subject)}.")
    return out


def start_text(line: list[Job]) -> str:
    """What the last of these models is, and what was done to it on the way to the first."""
    root = settings_of(line[-1])
    if "start" in root:
        source = root["start"]["source"]
        where = source.get("model") or source.get("folder") or source.get("file") or source["parts"][0]
        at = f" at revision {code(source['revision'])}" if "revision" in source else ""
        text = f"pretrained weights, {code(where)}{at} ({source['name']})"
    else:
        text = f"fresh weights by seed {root['seed']}, {_fields(root.get('architecture', {}))}"
    for job in reversed(line):
        settings = settings_of(job)
        if "keep_layers" in settings:
            text += f"; of these the layers that {_fields(settings['keep_layers'])} keeps"
        if "step" in settings:
            text += f"; as they were after step {settings['step']}"
        if "training" in settings and job is not line[0]:
            text += f"; then trained as {code(job.label)}"
    return text


def _names(names: list[str], job: Job) -> str:
    return ", ".join(map(code, names)) or code(job.label)


def _origin(job: Job, subject: Subject, store: Store) -> str:
    """`llama (hidden_size 32, ...), 7,424 parameters, trained on sums for 60 steps`."""
    of = Subject(subject.plan, job, None, [], [], [])
    parts = [start_text(of.line)]
    details = (store.manifest(job.key) or {}).get("details", {})
    if "parameters" in details:
        parts.append(f"{count(details['parameters'])} parameters")
    if of.corpus is not None and "training" in settings_of(job):
        steps = f" for {details['steps']:,} steps" if "steps" in details else ""
        parts.append(f"trained by cross-entropy on {code(of.corpus[0])}{steps}")
    return ", ".join(parts)


def _corpus_text(name: str, job: Job, store: Store) -> str:
    settings = settings_of(job)["corpus"]
    text = f"Corpus: {code(name)}, source {_fields(settings['source'])}, tokenizer {_fields(settings['tokenizer'])}"
    text += f"; prompts {code(repr(settings['prompt']))}"
    assert isinstance(job.spec, CorpusSpec)
    if job.spec.corpus.has_rationale:
        text += f", responses with the answer behind {code(repr(settings['answer_marker']))}"
    if store.is_done(job.key):
        splits = read_summary(store.artifact(job.key))["splits"]
        counts = ", ".join(f"{split} {found['examples']:,}" for split, found in splits.items())
        text += f"; {counts} examples"
    return f"{text}."


def _difficulty(subject: Subject) -> str:
    key = subject.job.parents.get("difficulty")
    return (
        "" if key is None else f"; hard is what {code(subject.plan.jobs[key].label.removeprefix('difficulty '))} says"
    )


def _length(job: Job, store: Store) -> str:
    training = settings_of(job)["training"]
    manifest = store.manifest(job.key) or {}
    details = manifest.get("details", {})
    parts = [f"{details['steps']:,} steps" if "steps" in details else "", f"{training['epochs']} epochs"]
    parts.append(f"{count(manifest['tokens'])} tokens" if manifest.get("tokens") else "")
    parts.append(f"largest learning rate {training['learning_rate']:g}")
    parts.append(f"precision {training.get('precision', 'float32')}")
    parts.append(f"seed {settings_of(job)['seed']}")
    stop = training.get("stop")
    parts.append(f"to stop early once {stop['metric']} was at {stop['at']:g}" if stop else "")
    parts.append(str(details.get("stopped_early", "")))
    if chosen := details.get("chosen"):
        parts.append(f"as it was after step {chosen['step']:,.0f}, the best of its looks at the validation split")
    parts.append(f"{count(details['parameters'])} parameters" if "parameters" in details else "")
    return f"Training: {', '.join(part for part in parts if part)}."


def _named(setting: Settings) -> str:
    """A named setting as one writes it, and what its documentation says."""
    said = " ".join((inspect.getdoc(type(setting)) or "").split("\n\n")[0].split())
    return f"{_written(setting)}. {OWN if isinstance(setting, Plugin) else said}"


def _written(setting: Settings) -> str:
    return (
        code(shorthand_of(setting)) if isinstance(setting, Plugin) else _fields(setting.model_dump(exclude_none=True))
    )


def _fields(values: dict[str, Any]) -> str:
    """A named setting's dump as one may write it: `chained_sums(train=120)`."""
    inner = [f"{key}={_value(value)}" for key, value in values.items() if key != "name" and value != ""]
    name = str(values.get("name", ""))
    return code(f"{name}({', '.join(inner)})" if inner else name)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key}={_value(v)}" for key, v in value.items() if key != "name")
        return f"{value['name']}({inner})" if "name" in value else f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value)


def _example(shown: ExampleText | None) -> list[str]:
    if shown is None:
        return []
    return [
        "An example of the corpus. The prompt:",
        block(shown.prompt),
        f"The response that the model is to give, and behind it the end token {code(shown.end)}:",
        block(shown.response),
    ]
