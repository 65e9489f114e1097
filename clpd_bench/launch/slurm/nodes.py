"""A cluster's partitions and nodes, each from one call of scontrol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from clpd_bench.launch.slurm.printed import fields, names, number, only, text, time_limit

_OUT = {
    *("DOWN", "DRAIN", "DRAINED", "DRAINING", "FAIL", "FAILING", "ERROR", "UNKNOWN", "FUTURE"),
    *("NOT_RESPONDING", "INVALID_REG"),
}


@dataclass(frozen=True)
class Partition:
    """Attributes:
    max_time: minutes, None without a limit.
    max_nodes: of one job.
    max_cpus, max_memory: on one node, the memory in MB.
    qos: whose limits hold for all jobs of the partition.
    accounts, qos_names, groups: who is let in; None for all.
    """

    name: str
    state: str
    is_default: bool
    max_time: int | None
    max_nodes: int | None
    max_cpus: int | None
    max_memory: int | None
    qos: str | None
    accounts: frozenset[str] | None
    qos_names: frozenset[str] | None
    groups: frozenset[str] | None


@dataclass(frozen=True)
class Node:
    """Attributes:
    memory: MB that jobs may have.
    gpus: by type, "" for one without.
    """

    name: str
    partitions: frozenset[str]
    cpus: int
    memory: int
    gpus: Mapping[str, int]
    features: frozenset[str]
    state: str

    @property
    def is_up(self) -> bool:
        """Whether it takes jobs; one that sleeps is woken for them."""
        return not {word.rstrip("*~#!%$@^-") for word in self.state.split("+")} & _OUT

    def gpus_of(self, wanted: str | None) -> int:
        """Of a type, or of any."""
        return sum(self.gpus.values()) if wanted is None else self.gpus.get(wanted, 0)


def partitions(printed: str) -> tuple[Partition, ...]:
    """From `scontrol show partition -o`."""
    return tuple(_partition(fields(line)) for line in printed.splitlines() if line.startswith("PartitionName="))


def nodes(printed: str) -> tuple[Node, ...]:
    """From `scontrol show node -o`."""
    return tuple(_node(fields(line)) for line in printed.splitlines() if line.startswith("NodeName="))


def _partition(of: dict[str, str]) -> Partition:
    return Partition(
        of["PartitionName"],
        of.get("State", "UP"),
        of.get("Default") == "YES",
        time_limit(of.get("MaxTime")),
        number(of.get("MaxNodes")),
        number(of.get("MaxCPUsPerNode")),
        number(of.get("MaxMemPerNode")) or None,  # 0 is none, too
        text(of.get("QoS")),
        only(of.get("AllowAccounts")),
        only(of.get("AllowQos")),
        only(of.get("AllowGroups")),
    )


def _node(of: dict[str, str]) -> Node:
    memory = (number(of.get("RealMemory")) or 0) - (number(of.get("MemSpecLimit")) or 0)
    cpus = number(of.get("CPUEfctv")) or number(of.get("CPUTot")) or 0  # without those that Slurm keeps, from 22.05 on
    features = names(of.get("AvailableFeatures") or of.get("Features"))
    return Node(
        of["NodeName"],
        names(of.get("Partitions")),
        cpus,
        memory,
        gpus(of.get("Gres")),
        features,
        of.get("State", "UNKNOWN"),
    )


def gpus(gres: str | None) -> dict[str, int]:
    """By type, out of `gpu:a100:4(S:0-1),gpu:2,shard:8`."""
    out: dict[str, int] = {}
    for entry in re.sub(r"\([^)]*\)", "", text(gres) or "").split(","):
        name, *rest = (part for part in entry.split(":") if part != "no_consume")
        if name == "gpu":
            count = int(rest.pop()) if rest and rest[-1].isdigit() else 1
            kind = rest[0] if rest else ""
            out[kind] = out.get(kind, 0) + count
    return out
