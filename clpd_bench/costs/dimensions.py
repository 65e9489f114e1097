"""How large the models of a plan are, without their weights."""

from __future__ import annotations

import json
from pathlib import Path

from clpd_bench.corpus.reader import read_summary
from clpd_bench.costs.gguf_header import dimensions_of_gguf
from clpd_bench.errors import UserError
from clpd_bench.flops.parameters import NAMES, dimensions_of_config
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.settings.parts.model import Cosine, Every, FirstLast, KeepLayers, Listed, Llama, Qwen3
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local
from clpd_bench.settings.specs import CorpusSpec, ModelSpec
from clpd_bench.store import Store


def dimensions_in(config: Path, source: str) -> Dimensions | None:
    """None where the file cannot be read, or is of a family that is not known here.

    Args:
        source: what the file is called.
    """
    try:
        found = json.loads(config.read_text())
    except (OSError, ValueError):
        return None
    return dimensions_of_config(found, source) if isinstance(found, dict) else None


class KnownDimensions:
    """Of the plan's models, out of artifacts, settings, configurations, the hub's cache, GGUF files, and what the
    ablation file declares: the first of these that there is."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan, self._store = plan, store
        self._known: dict[str, Dimensions | None] = {}
        self._declared: set[str] = set()
        self._vocabularies: dict[str, int | None] = {}

    def of(self, key: str) -> Dimensions | None:
        """Of a model job; None where nothing tells.

        Raises:
            UserError: the ablation file declares others than the model's own configuration has.
        """
        if key not in self._known:
            self._known[key] = self._find(key)
        return self._known[key]

    def is_declared(self, key: str) -> bool:
        """Whether the ablation file alone says so, and no file of the model."""
        self.of(key)
        return key in self._declared

    def vocabulary(self, corpus: str) -> int | None:
        """Tokens that there are: of a corpus that is not made yet, rows of the embedding of the model whose tokenizer
        it takes, which may be a few more."""
        if corpus not in self._vocabularies:
            self._vocabularies[corpus] = self._count(corpus)
        return self._vocabularies[corpus]

    def _find(self, key: str) -> Dimensions | None:
        job, done = self._plan.jobs[key], self._store.is_done(key)
        spec = job.spec
        assert isinstance(spec, ModelSpec)
        if done:
            own = dimensions_in(self._store.artifact(key) / "config.json", f"config.json of {job.label}")
            if own is not None:
                return own
        if spec.architecture is not None:
            vocabulary = self.vocabulary(job.parents["corpus"])
            return None if vocabulary is None else _of_architecture(spec.architecture, vocabulary)
        if spec.start is not None:
            found = of_source(spec.start.source)
            if found is not None and found is spec.start.source.dimensions:
                self._declared.add(key)
            return found
        initial = job.parents["initial"]
        whole = self.of(initial)
        if initial in self._declared:
            self._declared.add(key)
        return _cut(whole, spec.keep_layers) if whole and spec.keep_layers else whole

    def _count(self, corpus: str) -> int | None:
        if self._store.is_done(corpus):
            return int(read_summary(self._store.artifact(corpus))["vocabulary_size"])
        job = self._plan.jobs[corpus]
        if "tokenizer" in job.parents:
            return self.vocabulary(job.parents["tokenizer"])
        assert isinstance(job.spec, CorpusSpec)
        model = of_source(job.spec.tokenizer_of.source) if job.spec.tokenizer_of else None
        return model.vocab_size if model else None


def of_source(source: Hub | Local | Gguf) -> Dimensions | None:
    """Of pretrained weights, without them.

    Raises:
        UserError: what is declared is not what the configuration has.
    """
    own, declared = _own(source), source.dimensions
    if own is None or declared is None:
        return own or declared
    differing = sorted(name for name in NAMES if _meant(own, name) != _meant(declared, name))
    if differing:
        listed = ", ".join(f"{name} {_meant(declared, name)} against {_meant(own, name)}" for name in differing)
        raise UserError(
            f"the dimensions that are declared of {source.label} ({declared.source}) are not those of {own.source}: "
            f"{listed}",
            key="dimensions",
            fix="Correct them, or leave them out: the model's own are at hand",
        )
    return own


def _meant(d: Dimensions, name: str) -> object:
    """A value with what stands for it where it is left out."""
    said = {"num_key_value_heads": d.key_value_heads, "head_dim": d.head_size}
    return said.get(name, getattr(d, name))


def _own(source: Hub | Local | Gguf) -> Dimensions | None:
    if isinstance(source, Gguf):
        return dimensions_of_gguf(source.files, f"the header of {source.label}")
    file = source.folder / "config.json" if isinstance(source, Local) else _cached(source)
    return None if file is None else dimensions_in(file, f"config.json of {source.label}")


def _cached(source: Hub) -> Path | None:
    from huggingface_hub import try_to_load_from_cache  # half a second to import

    found = try_to_load_from_cache(source.model, "config.json", revision=source.revision)
    return Path(found) if isinstance(found, str) else None


def _of_architecture(a: Llama | Qwen3, vocabulary: int) -> Dimensions:
    return Dimensions(
        model_type=a.name,
        hidden_size=a.hidden_size,
        num_hidden_layers=a.num_hidden_layers,
        num_attention_heads=a.num_attention_heads,
        intermediate_size=a.intermediate_size or 4 * a.hidden_size,
        vocab_size=vocabulary,
        tie_word_embeddings=a.tie_word_embeddings,
        source="the ablation file",
    )


def _cut(whole: Dimensions, rule: KeepLayers) -> Dimensions | None:
    """None where there are not as many layers as the rule wants, which the job will tell."""
    layers = whole.num_hidden_layers
    match rule:
        case Listed():
            wanted, kept = max(rule.layers) + 1, len(rule.layers)
        case FirstLast():
            wanted = kept = rule.first + rule.last
        case Every():
            wanted, kept = 1, -(-layers // rule.n)
        case Cosine():
            wanted = kept = rule.layers
    return whole.model_copy(update={"num_hidden_layers": kept}) if 0 < wanted <= layers else None
