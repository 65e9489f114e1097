"""One at a time, of all that share a store; and a dead one holds nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from clpd_bench.store import Store

HOLD = (
    "import sys, time; from pathlib import Path; from clpd_bench.store import Store\n"
    "with Store(Path(sys.argv[1])).turn('launch', print):\n"
    "    print('in', flush=True); time.sleep(60)\n"
)


def test_turns_never_overlap(tmp_path):
    inside, overlaps, order = 0, 0, []

    def go(i: int) -> None:
        nonlocal inside, overlaps
        with Store(tmp_path).turn("launch", lambda owner: None):
            inside += 1
            overlaps += inside > 1
            time.sleep(0.02)
            order.append(i)
            inside -= 1

    threads = [threading.Thread(target=go, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (overlaps, sorted(order)) == (0, list(range(8)))


def test_a_killed_launcher_holds_nobody_up(tmp_path: Path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "in\n"
    waited: list[int] = []
    entered = threading.Event()

    def enter() -> None:
        with Store(tmp_path).turn("launch", lambda owner: waited.append(owner.pid if owner else 0)):
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.6)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert entered.wait(10)
    thread.join()
    assert waited == [holder.pid]
