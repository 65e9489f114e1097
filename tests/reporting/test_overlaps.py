"""What a corpus left out because two parts of its source shared it stands on the page and in the tables."""

from __future__ import annotations

import json
from pathlib import Path

from fabricated_report import World
from page_text import Page

from clpd_bench.corpus.sources import examples
from clpd_bench.plan.plan import Job
from clpd_bench.settings.specs import CorpusSpec

MADE = "{name: chained_sums, operations: [1, 3], train: 60, validation: 10, test: 12}"
MORE = "{name: chained_sums, operations: [1, 3], train: 80, validation: 10, test: 12, seed: 1}"


class Overlapping(World):
    """A corpus of which 4 of 5 test questions stand in training, and one without any such."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        for name, numbers in (("train", range(40)), ("test", range(36, 41)), ("other", range(50, 60))):
            rows = ({"question": f"What is {i}?", "why": "so", "answer": str(i)} for i in numbers)
            (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        shared = "{name: jsonl, train: train.jsonl, test: test.jsonl, rationale: why, overlap: drop_test}"
        apart = "{name: jsonl, train: train.jsonl, test: other.jsonl, rationale: why, overlap: drop_train}"
        self.edits = {MADE: shared, MORE: apart}
        super().__post_init__()

    def _corpus(self, job: Job, out: Path) -> None:
        super()._corpus(job, out)
        assert isinstance(job.spec, CorpusSpec)
        _, ledger = examples(job.spec.corpus.source)
        assert ledger
        (out / "corpus.json").write_text(json.dumps({"overlap": ledger.summary()}))


def test_what_was_left_out_of_a_part_is_said_on_the_page_and_under_the_table(tmp_path: Path) -> None:
    world = Overlapping(tmp_path / "world")
    world.report()
    shown = (
        Page(world.folder / "report" / "report.html").sections["verdict"],
        (world.folder / "report" / "table.md").read_text(),
    )
    for text in shown:
        assert "Corpus sums, overlap drop_test: 4 of 5 examples of its test part (80%) stood in another part" in text
        assert "Corpus many, overlap drop_train: no question stood in two parts of its source." in text
