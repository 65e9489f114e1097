"""Processor time of a whole small grid: `clpd run` beside transformers, TRL and lm-eval as a careful user scripts them.

`python benchmarks/grid.py [--rounds 3]`, ten minutes a round on two cores; it wants trl and the data of
ablations/gsm8k_tiny.yaml: `pip install -c constraints.txt -e '.[benchmarks]'`, `export CLPD_DATA=FOLDER`.

The grid is benchmarks/grid/grid.yaml, whose head says how its settings were chosen. Ours is `clpd run --workers 1` into
an empty store. The peers are benchmarks/grid/peers.py: teachers are trained and stay loaded in one process, students
learn by GKDTrainer (lmbda 0, beta 0) from the live teacher whose turn it is, plain ones by Trainer, and lm-eval's
simple_evaluate gets each model as it lies in memory. In each round ours goes first, then the peers; all in one thread.

The same on both sides: tokenised rows; which rows a step shows and who supervises it; initial weights, optimizer and
learning rate of each step; float32; what is evaluated, with lm-eval's task, batch size and limit of new tokens. A test
compares the rows of each step, and losses. Not the same:

- The peers get rows, schedules and the task ready-made, out of our store. What it costs to make them is ours alone:
  reading all of GSM8K, looking for questions that stand there twice, training a tokenizer.
- Ours checks validation items at the start and the end of each training, and saves all models. The peers do neither.
- Ours has the 64 largest logits of a teacher and a residual; the peers all logits. So students differ a little.
- Ours cuts a step into micro-batches by length, of up to so many padded tokens. The peers cut it by length into two:
  of one, two and three the cheapest for them, or as cheap.

Processor time is that of all processes of a side, from their starts to their ends. Start-up is the imports: of the
peers as counted in their process, of ours as counted in two that import what `clpd run` and its worker have at their
ends, and do nothing else. Parts of ours are by what the worker had used up at each line of its log, to 0.03 s.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from grid.both import SHRUNK, one_round
from grid.tables import tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="each runs both sides; tables have medians over them")
    parser.add_argument("--shrink", action="store_true", help="a few rows and steps: the times of these say nothing")
    parser.add_argument("--json", action="store_true", help="print what each round found, as JSON, and no tables")
    arguments = parser.parse_args()
    rounds = []
    for i in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(one_round(Path(folder), SHRUNK if arguments.shrink else []))
        print(
            f"round {i + 1}: " + ", ".join(f"{side} {found['seconds']:.1f} s" for side, found in rounds[-1].items()),
            file=sys.stderr,
            flush=True,
        )
    print(json.dumps(rounds) if arguments.json else tables(rounds))


if __name__ == "__main__":
    main()
