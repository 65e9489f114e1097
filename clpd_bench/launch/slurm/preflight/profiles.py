"""Whether a partition can ever run what a profile asks for: Slurm lets much of what can't be pend for ever."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from clpd_bench.launch.slurm.cluster import Cluster, Node, Partition
from clpd_bench.launch.slurm.preflight.finding import Finding, choice
from clpd_bench.launch.slurm.site import Profile
from clpd_bench.launch.watch.hours import duration

_MB = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}


def check_profile(name: str, profile: Profile, cluster: Cluster) -> list[Finding]:
    """Of several partitions one that can run it is enough."""
    wanted = cluster.partitions_of(profile)
    key = f"profiles.{name}.partition"
    there = {partition.name: partition for partition in cluster.partitions}
    if not wanted:
        what = f"profile {name} names no partition, and cluster {cluster.config.name} has no default one"
        return [Finding("fatal", what, f"Set {key}. There are: {', '.join(there)}")]
    absent = [one for one in wanted if one not in there]
    if absent:
        what = f"profile {name}: cluster {cluster.config.name} has no partition {absent[0]!r}"
        return [Finding("fatal", what, f"Correct {key}. {choice(absent[0], there)}")]
    found = [_in_partition(name, profile, there[one], cluster) for one in wanted]
    return min(found, key=lambda findings: sum(finding.level == "fatal" for finding in findings))


def memory_mb(written_as: str) -> int:
    """Of a profile's `memory`; Slurm takes a bare number for MB."""
    unit = written_as[-1] if written_as[-1] in _MB else "M"
    return math.ceil(int(written_as.rstrip("KMGT")) * _MB[unit])


def fitting(profile: Profile, partition: Partition, nodes: list[Node]) -> list[Node]:
    """Nodes of the partition that can hold one node's share of a job of this profile."""
    memory = memory_mb(profile.memory) if profile.memory else 0
    return [
        node
        for node in nodes
        if _most(node.cpus, partition.max_cpus) >= profile.cpus * profile.tasks
        and _most(node.memory, partition.max_memory) >= memory
        and node.gpus_of(profile.gpu_type) >= profile.gpus
        and (profile.constraint is None or _has(node, profile.constraint))
    ]


def _in_partition(name: str, profile: Profile, partition: Partition, cluster: Cluster) -> list[Finding]:
    at = f"profile {name}: partition {partition.name}"
    found = []
    if partition.state != "UP":
        fix = f"Wait until the cluster's staff opens it (sinfo -p {partition.name}), or choose another partition"
        found.append(Finding("fatal", f"{at} is {partition.state}", fix))
    if partition.max_time is not None and profile.time > partition.max_time and not _lifts_time(profile, cluster):
        what = f"{at} allows {duration(partition.max_time)}, and {duration(profile.time)} are asked for"
        fix = f"Lower profiles.{name}.time to {partition.max_time} or less: what takes longer is requeued and resumes"
        found.append(Finding("fatal", f"{what}: the job would pend for ever", fix))
    nodes = [node for node in cluster.nodes if partition.name in node.partitions]
    if not nodes:
        return [*found, Finding("fatal", f"{at} has no nodes", f"Set another profiles.{name}.partition")]
    return found + _on_nodes(name, at, profile, partition, nodes)


def _on_nodes(name: str, at: str, profile: Profile, partition: Partition, nodes: list[Node]) -> list[Finding]:
    found = _too_large(name, at, profile, partition, nodes)
    if found:
        return found
    able = fitting(profile, partition, nodes)
    if not able:
        what = f"{at} has no node with all at once: {_asked(profile)}"
        return [Finding("fatal", what, f"Lower one of them in profiles.{name}, or choose another partition")]
    most = _most(len(able), partition.max_nodes)
    if profile.nodes > most:
        what = f"{at} gives {most} nodes to such a job, and {profile.nodes} are asked for: it would pend for ever"
        return [Finding("fatal", what, f"Lower profiles.{name}.nodes to {most} or less")]
    up = sum(node.is_up for node in able)
    if up < profile.nodes:
        states = ", ".join(sorted({node.state for node in able if not node.is_up}))
        what = f"{at}: of {len(able)} nodes that can hold the job {up} are up ({states})"
        return [Finding("warning", what, "Jobs wait until nodes are back; choose another partition, or launch now")]
    return []


def _too_large(name: str, at: str, profile: Profile, partition: Partition, nodes: list[Node]) -> list[Finding]:
    """What no node has, each by itself."""
    found: list[Finding] = []

    def compare(what: str, asked: int, of: Callable[[Node], int], key: str, show: Callable[[int], str] = str) -> None:
        largest = max(map(of, nodes))
        if asked > largest:
            problem = f"{at}: {show(asked)} {what} are asked for on one node, and the largest has {show(largest)}"
            fix = f"Lower profiles.{name}.{key}, or choose another partition"
            found.append(Finding("fatal", f"{problem}: the job would never start", fix))

    cpus, key = profile.cpus * profile.tasks, "cpus" if profile.tasks == 1 else "tasks x cpus"
    compare("CPUs", cpus, lambda node: _most(node.cpus, partition.max_cpus), key)
    if profile.memory:
        asked = memory_mb(profile.memory)
        compare("of memory", asked, lambda node: _most(node.memory, partition.max_memory), "memory", _memory)
    types = {kind for node in nodes for kind in node.gpus if kind}
    if profile.gpu_type and profile.gpu_type not in types:
        what = f"{at} has no GPUs of type {profile.gpu_type!r}"
        fix = f"Correct profiles.{name}.gpu_type. {choice(profile.gpu_type, types)}"
        found.append(Finding("fatal", what, fix if types else f"Leave profiles.{name}.gpu_type out: they have no type"))
    elif profile.gpus:
        kind = f"{profile.gpu_type} GPUs" if profile.gpu_type else "GPUs"
        compare(kind, profile.gpus, lambda node: node.gpus_of(profile.gpu_type), "gpus")
    if profile.constraint and not any(_has(node, profile.constraint) for node in nodes):
        features = {feature for node in nodes for feature in node.features}
        absent = next((one for one in _names(profile.constraint) if one not in features), profile.constraint)
        what = f"{at} has no node with the features {profile.constraint!r}"
        fix = f"Correct profiles.{name}.constraint. {choice(absent, features)}"
        found.append(Finding("fatal", what, fix))
    return found


def _has(node: Node, constraint: str) -> bool:
    """Whether a node may be one of those that a constraint wants.

    Where it counts nodes or has brackets, each of them need not have all: one name is enough.
    """
    if re.search(r"[\[\](){}*]", constraint):
        return bool(set(_names(constraint)) & node.features)
    return any(set(_names(either)) <= node.features for either in constraint.split("|"))


def _names(constraint: str) -> list[str]:
    return [word for word in re.split(r"[&|,\[\](){}\s]+", re.sub(r"\*\d+", "", constraint)) if word]


def _lifts_time(profile: Profile, cluster: Cluster) -> bool:
    """Whether the job's quality of service stands above its partition's time."""
    qos = cluster.accounting.qos_of(profile) if cluster.accounting else None
    return qos is not None and "PartitionTimeLimit" in qos.flags


def _most(there: int, limit: int | None) -> int:
    return there if limit is None else min(there, limit)


def _asked(profile: Profile) -> str:
    gpus = f"{profile.gpus} {profile.gpu_type or ''} GPUs".replace("  ", " ") if profile.gpus else ""
    memory = f"{profile.memory} of memory" if profile.memory else ""
    return ", ".join(filter(None, (f"{profile.cpus * profile.tasks} CPUs", memory, gpus, profile.constraint or "")))


def _memory(mb: int) -> str:
    return f"{mb / 1024:.4g} GB"


def at_once(profile: Profile, cluster: Cluster) -> int:
    """How many workers of this profile the cluster's nodes can hold at a time, at most."""
    memory = memory_mb(profile.memory) if profile.memory else 0
    out = 0
    for partition in filter(None, map(cluster.partition, cluster.partitions_of(profile))):
        for node in fitting(profile, partition, [n for n in cluster.nodes if partition.name in n.partitions]):
            shares = [node.cpus // (profile.cpus * profile.tasks)]
            shares += [node.memory // memory] if memory else []
            shares += [node.gpus_of(profile.gpu_type) // profile.gpus] if profile.gpus else []
            out += min(shares) * profile.tasks
    return out
