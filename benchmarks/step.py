"""Speed and memory of a distillation step on the CPU, beside Hugging Face's Trainer and TRL's GKDTrainer.

`python benchmarks/step.py [--rounds 3] [--steps 1]`, a quarter of an hour; it wants trl:
`pip install -c constraints.txt -e '.[benchmarks]'`.

Student: 15 layers of SmolLM2-135M's shapes; teacher: 30; vocabulary 49,152. A step is one batch of 10 rows of about 165
tokens, 90 of them response, the same for all, with its AdamW update; one thread, whose processor time is counted.
Every variant runs in a process of its own, one after the other, and round after round, so that what else the machine
does hits all of them; the table has medians over rounds. Peak memory is the process's largest resident set less what it
was with the models loaded.

The floor is the processor time of a step's own matrix products, each measured in the same process as a plain product of
its shape and dtype on warm operands; a variant's share of it is what the machine can do at most that the step does.

The peers compute logits of whole sequences, as they do out of the box; ours apply the head to response tokens, chunk
by chunk. `ours` is what `clpd_bench.distillation.train` does in a job and its environment, its checkpoints left out.

`--profile VARIANT` prints where a step of it spends its time, by torch's profiler: profiled.py.
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

from workload import Size, Workload

from clpd_bench.launch.processes import job_environment

PEERS = ("gkd", "trainer")
VARIANTS = {
    "gkd": "TRL GKDTrainer, beta 0, live teacher",
    "trainer": "HF Trainer, plain KD loss, live teacher",
    "live": "ours, live teacher",
    "stored": "ours, stored top-64 targets",
    "cross_entropy": "ours, cross-entropy, no teacher",
    "live_bfloat16": "ours, live teacher, bfloat16",
    "stored_bfloat16": "ours, stored top-64 targets, bfloat16",
}
SMOLLM2 = {"hidden": 576, "intermediate": 1536, "heads": 9, "kv_heads": 3, "head_size": 64}
WORKLOAD = Workload(
    vocabulary=49_152,
    student=Size(layers=15, **SMOLLM2),
    teacher=Size(layers=30, **SMOLLM2),
    rows=10,
    prompt=75,
    response=90,
    spread=25,
    micro_batch_tokens=1024,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1, help="timed ones; two more go before them")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--profile", choices=VARIANTS, metavar="VARIANT")
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--profiled", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.profile:
        print(in_its_own_process(arguments.profile, "--profiled"))
    elif arguments.variant:
        print(
            profile(arguments.variant)
            if arguments.profiled
            else json.dumps(measure(arguments.variant, arguments.steps))
        )
    else:
        compare(arguments.only, arguments.rounds, arguments.steps)


def compare(names: list[str], rounds: int, steps: int) -> None:
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for i in range(rounds):
        for name in names:
            seen[name].append(json.loads(in_its_own_process(name, "--steps", str(steps)).splitlines()[-1]))
            print(f"round {i + 1} {name}: {seen[name][-1]}", file=sys.stderr, flush=True)
    print(f"| step | tokens/s | x | floor / step | extra peak memory, MiB | x |  (medians of {rounds} rounds)")
    print("|---|---|---|---|---|---|")
    first = seen[names[0]]
    for name in names:
        speed, memory, share = (
            statistics.median(run[what] for run in seen[name])
            for what in ("tokens_per_second", "extra_mib", "floor_share")
        )
        faster, larger = (
            statistics.median(a[what] / b[what] for a, b in zip(seen[name], first, strict=True))
            for what in ("tokens_per_second", "extra_mib")
        )
        print(f"| {VARIANTS[name]} | {speed:.0f} | {faster:.2f} | {share:.2f} | {memory:.0f} | {larger:.2f} |")


def in_its_own_process(variant: str, *words: str) -> str:
    """What it prints."""
    command = [sys.executable, __file__, "--variant", variant, *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    if variant not in PEERS:
        environment |= job_environment()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{variant} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def run_of(variant: str, steps: int, folder: Path) -> Callable[[Callable[[], None]], None]:
    """What trains a variant, and calls its argument once a step."""
    import ours
    import peers
    import torch

    torch.set_num_threads(1)
    if variant in PEERS:
        settings = {"use_cpu": True, "dataloader_pin_memory": False}
        return {"gkd": peers.gkd, "trainer": peers.trainer}[variant](WORKLOAD, steps, folder, **settings)
    supervision = variant.removesuffix("_bfloat16")
    precision = "bfloat16" if variant.endswith("bfloat16") else "float32"
    return ours.ours(WORKLOAD, supervision, steps, folder, precision=precision)


def measure(variant: str, steps: int) -> dict[str, float]:
    """Tokens (with prompts, without padding) a second, MiB, and the floor's share of a step's time."""
    from floor import Products, seconds

    products, took, floors, peaks = Products(), list[float](), list[float](), list[float]()
    done, began = 0, 0.0

    def tick() -> None:
        """The second step's products are counted. Those behind it are timed, and the floor after each: what else the
        machine does hits both."""
        nonlocal done, began
        done += 1
        if done == 2:
            products.__enter__()
        elif done == 3:
            products.__exit__(None, None, None)
        elif done > 3:
            took.append(time.process_time() - began)
            peaks.append(peak())
            floors.append(seconds(products.seen))
        began = time.process_time()

    with tempfile.TemporaryDirectory() as folder:
        run = run_of(variant, steps + 2, Path(folder))
        before = resident()
        if variant not in PEERS:
            tick()  # theirs come before a step, and ours behind it
        run(tick)
    return {
        "tokens_per_second": round(WORKLOAD.tokens / statistics.median(took), 1),
        "extra_mib": round(peaks[0] - before, 1),
        "floor_share": round(statistics.median(least / step for least, step in zip(floors, took, strict=True)), 3),
        "floor_seconds": round(statistics.median(floors), 3),
        "floor_gflops": round(products.flops / 1e9, 1),
    }


def profile(variant: str) -> str:
    from profiled import by_group

    with tempfile.TemporaryDirectory() as folder:
        return by_group(run_of(variant, 2, Path(folder)), WORKLOAD)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
