"""One distillation step at Gemma-3-270M's vocabulary of 262,144; prints what memory it took. Run by test_gemma.py."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from transformers import AutoTokenizer

from clpd_bench.corpus.reader import Ragged, Split
from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batch_loss import BatchLoss
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.models import load_model
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.train import train
from clpd_bench.distillation.validation import ValidationChecks
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.settings.parts.loss import ForwardKl
from clpd_bench.settings.parts.training import Training

ROWS, PROMPT, RESPONSE = 8, 16, 240


def main(student_folder: Path, teacher_folder: Path) -> None:
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(str(student_folder))
    vocabulary = Vocabulary.of(tokenizer)
    student = load_model(student_folder)
    teacher = LiveTeacher(load_model(teacher_folder, "auto").eval(), vocabulary.size, 1.0)
    split = random_split(vocabulary.size)
    ones = np.ones(ROWS, dtype=np.int64)
    schedule = Schedule(split.ids, np.arange(ROWS), ones, ones, np.ones(1, dtype=np.int64))
    training = Training(steps=1, learning_rate=1e-4, precision="bfloat16", freeze_embeddings=True)
    before = resident()
    with tempfile.TemporaryDirectory() as folder:
        training = training.model_copy(update={"micro_batch_tokens": 4096})
        record = train(
            BatchLoss(student, ForwardKl(name="forward_kl"), vocabulary),
            ScheduledBatches(student, split, schedule, [teacher], vocabulary, Streams(0), 4096),
            training,
            ValidationChecks(student, split, training, vocabulary),
            Context(Path(folder)),
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    block = ROWS * RESPONSE * vocabulary.size * 4
    print(json.dumps({"loss": record.loss, "vocabulary": vocabulary.size, "extra": peak - before, "block": block}))


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) * 1024


def random_split(vocabulary: int) -> Split:
    rng = np.random.default_rng(0)

    def ragged(length: int) -> Ragged:
        values = rng.integers(10, vocabulary - 10, ROWS * length).astype(np.int32)
        return Ragged(values, np.arange(ROWS + 1, dtype=np.int64) * length)

    ids = np.array([f"{i:02}" for i in range(ROWS)])
    return Split(ids, ragged(PROMPT), ragged(RESPONSE), pa.table({"id": ids}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
