"""Clusters as tests want them, without Slurm."""

from __future__ import annotations

from typing import Any

from clpd_bench.launch.slurm.accounting import Accounting, Association, Qos
from clpd_bench.launch.slurm.cluster import Cluster, Config, Node, Partition
from clpd_bench.launch.slurm.site import Profile, Site


def a_config(**other: Any) -> Config:
    given: dict[str, Any] = {"name": "lab", "version": "22.05.8", "max_array": 1001, "max_jobs": 10000}
    return Config(**{**given, "kill_wait": 30, "requeue": True, "enforced": frozenset({"limits"}), **other})


def a_partition(name: str = "gpu", **other: Any) -> Partition:
    given: dict[str, Any] = {"state": "UP", "is_default": name == "gpu", "max_time": 240, "max_nodes": None}
    given |= {"max_cpus": None, "max_memory": None, "qos": None, "accounts": None, "qos_names": None, "groups": None}
    return Partition(name, **{**given, **other})


def a_node(name: str = "n1", **other: Any) -> Node:
    given: dict[str, Any] = {"partitions": frozenset({"gpu"}), "cpus": 16, "memory": 64000, "gpus": {"a100": 4}}
    return Node(name, **{**given, "features": frozenset({"ib", "amd"}), "state": "IDLE", **other})


def a_cluster(**other: Any) -> Cluster:
    given: dict[str, Any] = {"config": a_config(), "partitions": (a_partition(),), "accounting": None}
    return Cluster(**{**given, "nodes": (a_node("n1"), a_node("n2")), **other})


def an_association(account: str = "proj", **other: Any) -> Association:
    given: dict[str, Any] = {"is_default": True, "partition": None, "max_submit": None, "max_wall": None}
    return Association(account, **{**given, "qos": frozenset({"normal", "short"}), "default_qos": None, **other})


def a_qos(name: str, **other: Any) -> Qos:
    return Qos(name, **{"max_submit": None, "max_wall": None, "flags": frozenset(), **other})


def an_accounting(*associations: Association, qos: tuple[Qos, ...] = ()) -> Accounting:
    known = (a_qos("normal"), a_qos("short"), a_qos("long"), *qos)
    return Accounting(associations or (an_association(),), {one.name: one for one in known})


def a_site(**other: Any) -> Site:
    """With one profile `gpu`, its settings overridden by `profile=`."""
    profile = {"partition": "gpu", "time": 60, **other.pop("profile", {})}
    return Site.model_validate({"profiles": {"gpu": profile}, "use": {"default": "gpu"}, "shared": ["/"], **other})


def a_profile(**settings: Any) -> Profile:
    return Profile.model_validate({"time": 60, **settings})
