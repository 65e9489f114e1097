"""Facts about a cluster, each from one call: partitions, nodes, how many jobs it lets this user have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clpd_bench.errors import UserError
from clpd_bench.launch.slurm.accounting import Accounting, ask_accounting
from clpd_bench.launch.slurm.batches import Limits
from clpd_bench.launch.slurm.printed import fields, names, number, only, text, time_limit
from clpd_bench.launch.slurm.queue import run, tasks
from clpd_bench.launch.slurm.site import Profile, Site

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


ARRAY = 1001
"""Slurm's own default of MaxArraySize."""


@dataclass(frozen=True)
class Config:
    """Attributes:
    max_array: tasks in one array; 1 where arrays are switched off.
    max_jobs: that the whole cluster keeps at a time.
    kill_wait: seconds from SIGTERM to SIGKILL.
    requeue: whether jobs are requeued unless they say otherwise.
    enforced: of what accounting says: `associations`, `limits`, `qos`, ...
    """

    name: str
    version: str
    max_array: int
    max_jobs: int | None
    kill_wait: int
    requeue: bool
    enforced: frozenset[str]

    @property
    def enforces_accounts(self) -> bool:
        """Whether a job for an account that isn't this user's is refused; all other kinds include it."""
        return bool(self.enforced)

    @property
    def enforces_qos(self) -> bool:
        return bool(self.enforced & {"qos", "limits", "safe", "all"})

    @property
    def enforces_limits(self) -> bool:
        return bool(self.enforced & {"limits", "safe", "all"})


@dataclass(frozen=True)
class Cluster:
    """Attributes:
    no_accounting: what sacctmgr said, where it has no answer.
    """

    config: Config
    partitions: tuple[Partition, ...]
    nodes: tuple[Node, ...]
    accounting: Accounting | None
    no_accounting: str = ""

    def partitions_of(self, profile: Profile) -> list[str]:
        """Names of the partitions that a job of this profile may run in."""
        if profile.partition:
            return [name.strip() for name in profile.partition.split(",")]
        return [partition.name for partition in self.partitions if partition.is_default]

    def partition(self, name: str) -> Partition | None:
        return next((partition for partition in self.partitions if partition.name == name), None)


def ask_cluster() -> Cluster:
    """Raises:
    UserError: Slurm could not be asked.
    """
    known = config(run("scontrol", "show", "config"))
    # -a: a partition that is hidden from lists takes jobs all the same.
    found = partitions(run("scontrol", "-a", "show", "partition", "-o"))
    there = nodes(run("scontrol", "-a", "show", "node", "-o"))
    try:
        return Cluster(known, found, there, ask_accounting(known.name))
    except UserError as error:
        return Cluster(known, found, there, None, error.message)


def config(printed: str) -> Config:
    """From `scontrol show config`."""
    found = {match[1]: match[2].strip() for match in re.finditer(r"^(\w+)\s*=(.*)$", printed, re.MULTILINE)}
    array, wait = number(found.get("MaxArraySize")), number(found.get("KillWait"))
    return Config(
        text(found.get("ClusterName")) or "",
        found.get("SLURM_VERSION", ""),
        ARRAY if array is None else max(1, array),
        number(found.get("MaxJobCount")),
        30 if wait is None else wait,
        found.get("JobRequeue") != "0",
        names(found.get("AccountingStorageEnforce")),
    )


def limits(site: Site, in_use: Iterable[str], cluster: Cluster) -> Limits:
    """What Slurm takes from this user now, of these profiles: the least of what accounting says, else the
    site file's `max_submit`; and never more than the whole cluster keeps.

    Raises:
        UserError: the queue could not be asked.
    """
    found = _said_by_accounting(site, in_use, cluster)
    if not found and site.max_submit is not None:
        found = [(site.max_submit, "max_submit in the site file")]
    if cluster.config.max_jobs is not None:
        found.append((cluster.config.max_jobs, "MaxJobCount of the whole cluster"))
    submit, said_by = min(found, default=(None, "nothing says how many"), key=lambda one: one[0])
    queued = sum(task.is_alive for task in tasks())
    return Limits(cluster.config.max_array, submit, said_by, queued)


def _said_by_accounting(site: Site, in_use: Iterable[str], cluster: Cluster) -> list[tuple[int, str]]:
    accounting = cluster.accounting
    if accounting is None or not cluster.config.enforces_limits:
        return []
    found: list[tuple[int | None, str]] = []
    for profile in (site.profiles[name] for name in in_use):
        own, qos = accounting.of(profile)[:1], accounting.qos_of(profile)
        found += [(one.max_submit, f"account {one.account}") for one in own]
        found += [(qos.max_submit, f"qos {qos.name}")] if qos else []
        for partition in filter(None, map(cluster.partition, cluster.partitions_of(profile))):
            of_partition = accounting.qos.get(partition.qos or "")
            found += [(of_partition.max_submit, f"qos {of_partition.name}")] if of_partition else []
    return [(most, said_by) for most, said_by in found if most is not None]
