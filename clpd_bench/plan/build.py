"""From cells to the plan."""

from __future__ import annotations

import functools
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from clpd_bench.errors import UserError
from clpd_bench.grid.cells import Cell, cells
from clpd_bench.grid.points import Point, points
from clpd_bench.outside.lm_eval_tasks import find_task
from clpd_bench.outside.local_files import sha256_of
from clpd_bench.outside.weights import start_of
from clpd_bench.plan.code_versions import code_version
from clpd_bench.plan.keys import digest, identities, job_key, settings_of
from clpd_bench.plan.lock import Lock, read_lock
from clpd_bench.plan.plan import Job, Ladder, Plan, PlannedEvaluation, PointPlan, in_order, whole
from clpd_bench.plan.questions import declaration
from clpd_bench.plan.supervision import needs_difficulty, supervision_of, teachers_of
from clpd_bench.settings.base import files_under
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.corpus import Of, SameAs
from clpd_bench.settings.parts.curriculum import shorthand_of
from clpd_bench.settings.parts.difficulty import Difficulty
from clpd_bench.settings.parts.evaluation import Benchmark
from clpd_bench.settings.parts.model import Cosine, Llama, ModelSettings, Qwen3, StudentSettings, Trained
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local, Start
from clpd_bench.settings.rules.models import root_of
from clpd_bench.settings.specs import (
    READ,
    BenchmarkSpec,
    ChoiceSpec,
    CorpusSpec,
    DifficultySpec,
    EvaluationSpec,
    Kind,
    ModelSpec,
    Spec,
    Supervision,
    TargetsSpec,
    TaskSpec,
)

SHUFFLED = Shuffled(name="shuffled")
LOSS_ALONE = BenchmarkSpec(max_new_tokens=None, answer_marker=None)


def build_plan(ablation: Ablation, file: Path) -> Plan:
    """Jobs in a workable order: data, then teachers and starts, then targets, students, evaluations.

    Raises:
        UserError: a local file is missing.
    """
    return whole(point_plans(ablation, file))


def point_plans(ablation: Ablation, file: Path, lock: Lock | None = None) -> list[PointPlan]:
    """A plan for each point of the grid; what several share has one key.

    Args:
        lock: what branches and tags stand for; by default the one beside the file.
    """
    lock = read_lock(file) if lock is None else lock
    hashes: dict[Path, str] = {}
    return [PointPlan(point, _plan(point, file, lock, hashes)) for point in points(ablation)]


def _plan(point: Point, file: Path, lock: Lock, hashes: dict[Path, str]) -> Plan:
    ablation = point.ablation
    builder = _Builder(ablation, file, lock, hashes)
    grid = cells(ablation, file.stem, point.label)
    corpora = {name: builder.corpus(name) for name in ablation.corpora}
    arm_data = {cell.arm_name: builder.data(cell) for cell in grid}
    # The strongest teacher is most often the longest job, and most arms wait for it.
    for name in (*reversed(ablation.teachers), *ablation.models):
        builder.model(name)
    ladders = builder.ladders(point.label)  # before any student: who sees that it does not rise can still stop
    planned = [builder.evaluated_cell(cell) for cell in grid]
    references = builder.references(grid)
    declared = declaration(ablation, planned, builder.jobs)
    jobs = in_order(builder.jobs)
    models: dict[str, list[str]] = {}
    for name in ablation.models:
        for key in (builder.model(name), *builder.on_the_way[name]):
            models.setdefault(key, []).append(name)
    return Plan(
        file.stem, str(file), jobs, planned, references, corpora, arm_data, declared, point.label, models, ladders
    )


class _Builder:
    def __init__(self, ablation: Ablation, file: Path, lock: Lock, hashes: dict[Path, str]) -> None:
        self.ablation, self.file, self.lock, self.hashes = ablation, file, lock, hashes
        self.on_the_way: dict[str, list[str]] = {name: [] for name in ablation.models}
        """Keys of what a model's own settings have made before it is trained."""
        self.jobs: dict[str, Job] = {}
        self._identity = identities(self.jobs)
        # Most cells need the same ones: each key is worked out once.
        self.corpus = functools.cache(self._corpus)
        self.model = functools.cache(self._model)
        self.targets = functools.cache(self._targets)
        self.task = functools.cache(self._task)
        self.read_by = functools.cache(self._read_by)

    @functools.cached_property
    def _lm_eval(self) -> str:
        return version("lm_eval")

    def _add(self, kind: Kind, label: str, spec: Spec, parents: dict[str, str]) -> str:
        libraries = {"lm_eval": self._lm_eval} if kind == "evaluation" else {}
        code = code_version(kind)
        key = job_key(kind, spec, parents, code, libraries)
        self.jobs.setdefault(key, Job(key, kind, label, spec, parents, code, libraries))
        return key

    def _corpus(self, name: str) -> str:
        settings = self.ablation.corpora[name]
        tokenizer = settings.tokenizer
        parents: dict[str, str] = {}
        tokenizer_of = None
        if isinstance(tokenizer, SameAs):
            parents["tokenizer"] = self.corpus(tokenizer.corpus)
            # Whose tokenizer it is stands in the parent's key; the name is the file's own affair.
            settings = settings.model_copy(update={"tokenizer": SameAs(name="same_as", corpus="")})
        elif isinstance(tokenizer, Of):
            tokenizer_of = self._start(tokenizer.model, tokenizer_alone=True)
            settings = settings.model_copy(update={"tokenizer": Of(name="of", model="")})
        hashes = {
            role: self._file_hash(path, f"corpora.{name}.source.{role}")
            for role, path in settings.source.local_files.items()
        }
        settings = settings.model_copy(update={"source": self.lock.source(settings.source)})
        spec = CorpusSpec(corpus=settings, file_hashes=hashes, tokenizer_of=tokenizer_of)
        return self._add("corpus", f"corpus {name}", spec, parents)

    def _file_hash(self, path: Path, key: str) -> str:
        if path in self.hashes:
            return self.hashes[path]
        try:
            self.hashes[path] = sha256_of(path)
            return self.hashes[path]
        except OSError as error:
            raise UserError(f"{str(path)!r} cannot be read: {error.strerror}", file=self.file, key=key) from None

    def difficulty(self, difficulty: Difficulty, corpus: str) -> str:
        parents = {"corpus": self.corpus(corpus)}
        if difficulty.scored_by is not None:
            parents["model"] = self.model(difficulty.scored_by)
        label = f"difficulty {shorthand_of(difficulty)} of {corpus}"
        return self._add("difficulty", label, DifficultySpec(difficulty=difficulty.nameless()), parents)

    def data(self, cell: Cell) -> dict[str, str]:
        corpus, by = cell.student.corpus, cell.curriculum.difficulty
        return {"corpus": self.corpus(corpus), **({"difficulty": self.difficulty(by, corpus)} if by else {})}

    def _model(self, name: str) -> str:
        settings = self.ablation.models[name]
        if isinstance(settings.initial, Llama | Qwen3):
            return self._trained(name, settings, settings.initial, {})
        initial = self._begun(settings.initial, f"models.{name}.initial")
        made = [] if isinstance(settings.initial, Trained) and settings.initial.step is None else [initial]
        if settings.keep_layers is not None:
            rule, parents = settings.keep_layers, {"initial": initial}
            if isinstance(rule, Cosine):
                parents["corpus"] = self.corpus(rule.corpus)
                rule = rule.model_copy(update={"corpus": ""})
            initial = self._add("model", f"layers of {name}", ModelSpec(keep_layers=rule, seed=0), parents)
            made.append(initial)
        out = self._trained(name, settings, None, {"initial": initial}) if settings.training else initial
        self.on_the_way[name] = [key for key in made if key != out]
        return out

    def _trained(
        self, name: str, settings: ModelSettings, architecture: Llama | Qwen3 | None, parents: dict[str, str]
    ) -> str:
        assert settings.corpus is not None
        spec = ModelSpec(
            architecture=architecture,
            training=settings.training,
            supervision=Supervision(order=SHUFFLED),
            seed=settings.seed,
        )
        parents = {"corpus": self.corpus(settings.corpus), **parents}
        owned = spec.model_copy(update={"owner": digest(settings_of(spec, parents, self._identity))})
        return self._add("model", f"model {name}", owned, parents)

    def _begun(self, initial: Trained | Hub | Local | Gguf, key: str) -> str:
        """The model that another one starts from, before anything is done to it."""
        if isinstance(initial, Trained):
            whole = self.model(initial.model)
            if initial.step is None:
                return whole
            spec = ModelSpec(step=initial.step, seed=0)
            return self._add("model", f"{initial.model} at step {initial.step}", spec, {"initial": whole})
        initial = self.lock.weights(initial)
        try:
            spec = ModelSpec(start=start_of(initial), seed=0)
        except UserError as error:
            raise error.at(file=self.file, key=key) from None
        return self._add("model", f"weights of {initial.label}", spec, {})

    def _start(self, model: str, tokenizer_alone: bool) -> Start:
        """The pretrained weights that a model goes back to."""
        root = root_of(self.ablation, model)
        initial = self.ablation.models[root].initial
        assert isinstance(initial, Hub | Local | Gguf)
        try:
            return start_of(self.lock.weights(initial), tokenizer_alone)
        except UserError as error:
            raise error.at(file=self.file, key=f"models.{root}.initial") from None

    def initial(self, settings: StudentSettings, seed: int) -> str:
        """The student before distillation: a model of the file, pretrained weights, or fresh ones by the seed."""
        if not isinstance(settings.initial, Llama | Qwen3):
            return self._begun(settings.initial, "student.initial")
        spec = ModelSpec(architecture=settings.initial, seed=seed)
        return self._add("model", f"initial weights/{seed}", spec, {"corpus": self.corpus(settings.corpus)})

    def _targets(self, teacher: str, corpus: str) -> str:
        parents = {"model": self.model(teacher), "corpus": self.corpus(corpus)}
        spec = TargetsSpec(targets=self.ablation.targets)
        return self._add("targets", f"targets of {teacher} on {corpus}", spec, parents)

    def student(self, cell: Cell) -> str:
        corpus = cell.student.corpus
        parents = {"corpus": self.corpus(corpus), "initial": self.initial(cell.student, cell.seed)}
        supervision = supervision_of(cell, self.ablation.teachers)
        if needs_difficulty(supervision):
            assert cell.curriculum.difficulty
            parents["difficulty"] = self.difficulty(cell.curriculum.difficulty, corpus)
        mine = teachers_of(cell, self.ablation.teachers)
        if mine and self.ablation.targets.live:
            supervision = supervision.model_copy(update={"live": True})
            parents |= {f"teacher.{m}": self.model(teacher) for m, teacher in enumerate(mine, start=1)}
        else:
            parents |= {f"targets.{m}": self.targets(teacher, corpus) for m, teacher in enumerate(mine, start=1)}
        keeps = self.ablation.analysis.diverged == "last_checkpoint"
        spec = ModelSpec(
            training=cell.student.training,
            supervision=supervision,
            seed=cell.seed,
            on_divergence="keep_last" if keeps else "fail",
        )
        return self._add("model", f"student {cell.label}", spec, parents)

    def evaluations(self, label: str, model: str) -> dict[str, str]:
        out = {}
        for name, benchmark in self.ablation.evaluation.benchmarks.items():
            tested = self._benchmark(benchmark) if benchmark.task is None else self.task(name)
            out[name] = self._evaluation(f"evaluation {label} on {name}", model, tested, benchmark.corpus, "test")
        return out

    def _evaluation(
        self,
        label: str,
        model: str,
        tested: BenchmarkSpec | ChoiceSpec | TaskSpec,
        corpus: str | None,
        split: Literal["test", "validation"],
    ) -> str:
        evaluation = self.ablation.evaluation
        spec = EvaluationSpec(benchmark=tested, batch_size=evaluation.batch_size, dtype=evaluation.dtype, split=split)
        parents = {"model": model}
        if split == "test":
            parents |= {f"{READ}{n}": read for n, read in enumerate(sorted(self.read_by(model)), start=1)}
        if corpus is not None:
            parents["corpus"] = self.corpus(corpus)
            if self.ablation.curriculum.difficulty:
                parents["difficulty"] = self.difficulty(self.ablation.curriculum.difficulty, corpus)
        return self._add("evaluation", label, spec, parents)

    def ladders(self, point: str) -> list[Ladder]:
        """Each teacher on validation items, by the primary metric; none where no arm has teachers to choose from.

        A task of lm-eval has no validation items of ours: there it is the response loss on the student's corpus.
        """
        a = self.ablation
        if len(a.teachers) < 2 or not any(arm.teachers.has_teacher for arm in a.arms.values()):
            return []
        primary, benchmark = a.analysis.primary, a.evaluation.benchmarks[a.analysis.primary.benchmark]
        metric, kept = ("response_loss", None) if benchmark.corpus is None else (primary.metric, primary.filter)
        corpus = benchmark.corpus or a.student.corpus
        tested = LOSS_ALONE if metric == "response_loss" else self._benchmark(benchmark)
        keys = [
            self._evaluation(
                f"validation of teacher {name} on {corpus}", self.model(name), tested, corpus, "validation"
            )
            for name in a.teachers
        ]
        return [Ladder(point, corpus, metric, kept, tuple(zip(a.teachers, keys, strict=True)))]

    def _read_by(self, key: str) -> frozenset[str]:
        """Corpora that a model has read, and those that what it was made of has."""
        job = self.jobs[key]
        if job.kind == "corpus":
            return frozenset()
        fresh = isinstance(job.spec, ModelSpec) and job.spec.architecture is not None and job.spec.training is None
        own = {job.parents["corpus"]} if "corpus" in job.parents and not fresh else set[str]()
        return frozenset(own).union(*map(self.read_by, job.parents.values()))

    def _task(self, name: str) -> TaskSpec:
        """The task of a benchmark. One that is not there, or not one alone, is for the job to tell."""
        benchmark = self.ablation.evaluation.benchmarks[name]
        assert benchmark.task is not None
        if benchmark.include is None:
            locked = self.lock.task(benchmark.task)
            sha256, data = (locked.sha256, locked.data) if locked else (None, None)
        else:
            found = find_task(benchmark.task, benchmark.include)
            sha256, data = None, found.data if found else None  # its file's bytes stand in include_hashes
        return TaskSpec(
            task=benchmark.task,
            shots=benchmark.shots,
            limit=benchmark.limit,
            gold=benchmark.gold,
            include=benchmark.include,
            include_hashes=self._folder_hashes(benchmark.include, f"evaluation.benchmarks.{name}.include"),
            sha256=sha256,
            data=self.lock.data(data) if data else None,
        )

    def _benchmark(self, benchmark: Benchmark) -> BenchmarkSpec | ChoiceSpec:
        if benchmark.kind == "choice":
            return ChoiceSpec(kind="choice", gold=benchmark.gold)
        assert benchmark.corpus is not None
        corpus = self.ablation.corpora[benchmark.corpus]
        if benchmark.max_new_tokens is None:
            return LOSS_ALONE
        return BenchmarkSpec(
            max_new_tokens=benchmark.max_new_tokens,
            ignore=benchmark.ignore,
            extract=benchmark.extracts(corpus),
            answer_marker=corpus.answer_marker if corpus.has_rationale else None,
            stops=(corpus.next_question,) if corpus.next_question else (),
            strict_match=benchmark.has_strict_match(corpus),
            gold=benchmark.gold,
        )

    def _folder_hashes(self, folder: Path | None, key: str) -> dict[str, str]:
        if folder is None:
            return {}
        files = files_under(folder)
        if not files:
            raise UserError(f"there is no file in {str(folder)!r}", file=self.file, key=key)
        return {name: self._file_hash(folder / name, key) for name in files}

    def evaluated_cell(self, cell: Cell) -> PlannedEvaluation:
        student = self.student(cell)
        evaluations = self.evaluations(cell.label, student)
        return PlannedEvaluation(cell.id, cell.arm_name, cell.seed, student, evaluations)

    def references(self, grid: list[Cell]) -> list[PlannedEvaluation]:
        """The student before distillation and each teacher: evaluated, tested against nothing."""
        own = {self.initial(self.ablation.student, seed) for seed in self.ablation.seeds}
        before: dict[str, tuple[str, int]] = {}
        for cell in grid:
            key = self.initial(cell.student, cell.seed)
            # An arm may declare another student than the file's.
            name = "student before" if key in own else f"student before ({cell.arm_name})"
            before.setdefault(key, (name, cell.seed))
        keys_of = Counter(name for name, _ in before.values())
        models = [(name, -1 if keys_of[name] == 1 else seed, key) for key, (name, seed) in before.items()]
        models += [(f"teacher {name}", -1, self.model(name)) for name in self.ablation.teachers]
        out = []
        for name, seed, key in models:
            label = name if seed < 0 else f"{name}/{seed}"
            out.append(PlannedEvaluation(label, name, seed, key, self.evaluations(label, key)))
        return out
