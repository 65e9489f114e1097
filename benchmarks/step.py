"""Speed and memory of a distillation step on the CPU, beside Hugging Face's Trainer and TRL's GKDTrainer.

`python benchmarks/step.py [--rounds 3] [--steps 1]`, a quarter of an hour; it wants trl:
`pip install -c constraints.txt -e '.[benchmarks]'`.

Student: 15 layers of SmolLM2-135M's shapes; teacher: 30; vocabulary 49,152; random weights, as time does not depend
on them. A step is one batch of 10 rows of about 165 tokens, 90 of them response, the same for all, with its AdamW
update; one thread, whose processor time is counted. Every variant runs in a process of its own, one after the other,
and round after round, so that what else the machine does hits all of them; the table has medians over rounds. Peak
memory is the process's largest resident set less what it was with the models loaded.

The peers compute logits of whole sequences, as they do out of the box; ours apply the head to response tokens, chunk
by chunk. `ours` is what `clpd_bench.distillation.train` does in a job, its checkpoints left out.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

VARIANTS = {
    "gkd": "TRL GKDTrainer, beta 0, live teacher",
    "trainer": "HF Trainer, plain KD loss, live teacher",
    "ours_live": "ours, live teacher",
    "ours_stored": "ours, stored top-64 targets",
    "ours_cross_entropy": "ours, cross-entropy, no teacher",
    "ours_live_bf16": "ours, live teacher, bfloat16",
    "ours_stored_bf16": "ours, stored top-64 targets, bfloat16",
}
VOCABULARY, ROWS, PROMPT, RESPONSE = 49_152, 10, 75, 90
PAD, END = 2, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1, help="timed ones; one more goes before them")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.variant:
        print(json.dumps(measure(arguments.variant, arguments.steps)))
        return
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in arguments.only}
    for i in range(arguments.rounds):
        for name in arguments.only:
            seen[name].append(in_its_own_process(name, arguments.steps))
            print(f"round {i + 1} {name}: {seen[name][-1]}", file=sys.stderr, flush=True)
    first = arguments.only[0]
    print(f"| step | tokens/s | x | extra peak memory, MiB | x |  (medians of {arguments.rounds} rounds)")
    print("|---|---|---|---|---|")
    for name in arguments.only:
        speed, memory = median(seen[name], "tokens_per_second"), median(seen[name], "extra_mib")
        less = memory / median(seen[first], "extra_mib")
        faster = statistics.median(
            a["tokens_per_second"] / b["tokens_per_second"] for a, b in zip(seen[name], seen[first], strict=True)
        )
        print(f"| {VARIANTS[name]} | {speed:.0f} | {faster:.2f} | {memory:.0f} | {less:.2f} |")


def median(runs: list[dict[str, float]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def in_its_own_process(variant: str, steps: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--variant", variant, "--steps", str(steps)]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=one_thread, check=False)
    if done.returncode:
        raise SystemExit(f"{variant} failed:\n{done.stderr[-3000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(variant: str, steps: int) -> dict[str, float]:
    """Tokens (with prompts, without padding) a second, and MiB."""
    times: list[float] = []
    tokens = [int(PROMPT + RESPONSE + d) for d in lengths()]
    with tempfile.TemporaryDirectory() as folder:
        run = {"gkd": peers_gkd, "trainer": peers_trainer}.get(variant, ours)(variant, steps + 1, Path(folder))
        before = resident()
        run(lambda: times.append(time.process_time()))
    seconds = np.diff(times)[-steps:]
    return {
        "tokens_per_second": round(sum(tokens) / float(np.median(seconds)), 1),
        "extra_mib": round(peak() - before, 1),
    }


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def lengths() -> np.ndarray[Any, np.dtype[np.int64]]:
    """By how many tokens a row's prompt is longer than the mean."""
    return np.linspace(-25, 25, ROWS).round().astype(np.int64)


def rows() -> list[tuple[list[int], list[int]]]:
    """(prompt, response) token ids."""
    rng = np.random.default_rng(0)
    draw: Callable[[int], list[int]] = lambda n: rng.integers(10, VOCABULARY, n).tolist()  # noqa: E731
    return [(draw(PROMPT + int(d)), [*draw(RESPONSE - 1), END]) for d in lengths()]


def model(layers: int, dtype: str = "float32") -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(layers)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=layers,
        num_attention_heads=9,
        num_key_value_heads=3,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        eos_token_id=END,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config).to(getattr(torch, dtype))


def batch() -> list[dict[str, Any]]:
    return [{"input_ids": p + r, "attention_mask": [1] * len(p + r), "labels": [-100] * len(p) + r} for p, r in rows()]


def collate(examples: list[dict[str, Any]]) -> dict[str, Any]:
    import torch

    width = max(len(e["input_ids"]) for e in examples)
    filler = {"input_ids": PAD, "attention_mask": 0, "labels": -100}
    return {
        name: torch.tensor([e[name] + [value] * (width - len(e[name])) for e in examples])
        for name, value in filler.items()
    }


def _trainer_settings(folder: Path, steps: int) -> dict[str, Any]:
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": ROWS,
        "max_steps": steps,
        "learning_rate": 1e-4,
        "lr_scheduler_type": "constant",
        "adam_beta2": 0.95,
        "max_grad_norm": 1.0,
        "report_to": [],
        "use_cpu": True,
        "bf16": False,
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def _clock(tick: Callable[[], None]) -> Any:
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            tick()

        def on_train_end(self, *args: Any, **kwargs: Any) -> None:
            tick()

    return Clock()


def peers_trainer(variant: str, steps: int, folder: Path) -> Callable[[Callable[[], None]], None]:
    """A Trainer whose loss is KL(teacher || student) over response tokens, as tutorials write it."""
    import torch
    import torch.nn.functional as F
    from datasets import Dataset
    from transformers import Trainer, TrainingArguments

    student, teacher = model(15), model(30).eval()

    class Distil(Trainer):  # type: ignore[misc]
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            labels = inputs.pop("labels")
            out = model(**inputs)
            with torch.no_grad():
                taught = teacher(**inputs).logits
            mask = labels[:, 1:] != -100
            q = F.log_softmax(out.logits[:, :-1][mask], -1)
            p = F.log_softmax(taught[:, :-1][mask], -1)
            loss = F.kl_div(q, p, reduction="batchmean", log_target=True)
            return (loss, out) if return_outputs else loss

    trainer = Distil(
        student,
        TrainingArguments(remove_unused_columns=False, **_trainer_settings(folder, steps)),
        data_collator=collate,
        train_dataset=Dataset.from_list(batch()),
    )

    def run(tick: Callable[[], None]) -> None:
        trainer.add_callback(_clock(tick))
        trainer.train()

    return run


def peers_gkd(variant: str, steps: int, folder: Path) -> Callable[[Callable[[], None]], None]:
    """GKDTrainer on given responses (lmbda 0) with beta 0, which is KL(teacher || student)."""
    from datasets import Dataset
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast
    from trl.experimental.gkd import GKDConfig, GKDTrainer

    vocabulary = {f"t{i}": i for i in range(VOCABULARY)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="t0")), pad_token="t2", eos_token="t2"
    )
    settings = GKDConfig(lmbda=0.0, beta=0.0, temperature=1.0, **_trainer_settings(folder, steps))
    settings.gradient_checkpointing = False
    trainer = GKDTrainer(
        model=model(15),
        teacher_model=model(30),
        args=settings,
        data_collator=collate,
        train_dataset=Dataset.from_list(batch()),
        processing_class=tokenizer,
    )

    def run(tick: Callable[[], None]) -> None:
        trainer.add_callback(_clock(tick))
        trainer.train()

    return run


def ours(variant: str, steps: int, folder: Path) -> Callable[[Callable[[], None]], None]:
    import pyarrow as pa

    from clpd_bench.corpus.reader import Ragged, Split
    from clpd_bench.curriculum.schedule import Schedule
    from clpd_bench.curriculum.streams import Streams
    from clpd_bench.distillation.batch_loss import BatchLoss
    from clpd_bench.distillation.context import Context
    from clpd_bench.distillation.live import LiveTeacher
    from clpd_bench.distillation.scheduled import ScheduledBatches
    from clpd_bench.distillation.targets import read_targets, write_targets
    from clpd_bench.distillation.train import train
    from clpd_bench.distillation.validation import ValidationChecks
    from clpd_bench.distillation.vocabulary import Vocabulary
    from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl, TargetsSettings
    from clpd_bench.settings.parts.training import Training

    precision = "bfloat16" if variant.endswith("bf16") else "float32"

    def ragged(lists: list[list[int]]) -> Ragged:
        ends = np.cumsum([0, *map(len, lists)])
        return Ragged(np.concatenate(lists).astype(np.int32), ends.astype(np.int64))

    def split(chosen: list[tuple[list[int], list[int]]]) -> Split:
        ids = np.array([f"{i:02}" for i in range(len(chosen))])
        return Split(ids, ragged([p for p, _ in chosen]), ragged([r for _, r in chosen]), pa.table({"id": ids}))

    shown, tokens = split(rows()), Vocabulary(VOCABULARY, PAD)
    teachers: list[Any] = []
    if "live" in variant:
        teachers = [LiveTeacher(model(30, precision), tokens.size, 1.0)]
    elif "stored" in variant:
        settings = TargetsSettings(top_k=64)
        write_targets(model(30), shown, settings, 2048, tokens, folder, lambda done, of: None)
        teachers = [read_targets(folder, shown, 1.0)]
    student = model(15)
    schedule = Schedule(
        shown.ids,
        np.tile(np.arange(ROWS), steps),
        np.repeat(np.arange(1, steps + 1), ROWS),
        np.full(ROWS * steps, min(1, len(teachers))),
        np.ones(steps, dtype=np.int64),
    )
    training = Training(
        steps=steps, learning_rate=1e-4, precision=precision, micro_batch_tokens=1024, checkpoint_seconds=1e9
    )
    loss = ForwardKl(name="forward_kl") if teachers else CrossEntropy(name="cross_entropy")

    def run(tick: Callable[[], None]) -> None:
        train(
            BatchLoss(student, loss, tokens),
            ScheduledBatches(student, shown, schedule, teachers, tokens, Streams(0), training.micro_batch_tokens),
            training,
            ValidationChecks(student, split(rows()[:1]), training, tokens),
            Context(folder / "checkpoints", progress=lambda done, of: tick()),
        )

    return run


if __name__ == "__main__":
    main()
