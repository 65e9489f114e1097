"""What a partition can never run is said before it is submitted."""

from __future__ import annotations

from typing import Any

import pytest
from fabricated_cluster import a_cluster, a_node, a_partition, a_profile, a_qos, an_accounting, an_association

from clpd_bench.launch.slurm.cluster import Cluster
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.launch.slurm.preflight.profiles import at_once, check_profile, memory_mb


def found(cluster: Cluster | None = None, **settings: Any) -> list[Finding]:
    return check_profile("big", a_profile(**{"partition": "gpu", **settings}), cluster or a_cluster())


def fatal(cluster: Cluster | None = None, **settings: Any) -> Finding:
    (finding,) = found(cluster, **settings)
    assert finding.level == "fatal"
    return finding


def test_what_the_partition_can_hold_is_no_finding() -> None:
    asked = {"gpus": 4, "gpu_type": "a100", "cpus": 4, "tasks": 4, "memory": "62G", "time": 240, "nodes": 2}
    assert found(**asked, constraint="ib&amd") == []


def test_an_absent_partition_is_fatal_and_the_nearest_is_named() -> None:
    finding = fatal(partition="gpuu")
    assert "no partition 'gpuu'" in finding.what
    assert "Did you mean 'gpu'?" in finding.fix


def test_the_default_partition_is_meant_where_none_is_named() -> None:
    cluster = a_cluster(partitions=(a_partition("other", max_time=5), a_partition("gpu", max_time=30)))
    assert "partition gpu allows 30 min" in fatal(cluster, partition=None).what
    none = a_cluster(partitions=(a_partition(is_default=False),))
    assert "names no partition" in fatal(none, partition=None).what


@pytest.mark.parametrize("state", ["DOWN", "DRAIN", "INACTIVE"])
def test_a_partition_that_is_not_up_is_fatal(state: str) -> None:
    assert state in fatal(a_cluster(partitions=(a_partition(state=state),))).what


def test_time_over_the_partitions_limit_is_fatal() -> None:
    finding = fatal(time="4:00:01")
    assert "allows 4 h, and 4 h 1 min are asked for" in finding.what
    assert "240 or less" in finding.fix
    assert found(time="4:00:00") == []


def test_a_partition_without_a_time_limit_allows_any() -> None:
    assert found(a_cluster(partitions=(a_partition(max_time=None),)), time="30-0") == []


def test_a_qos_may_lift_the_partitions_time() -> None:
    lifting = a_qos("long", flags=frozenset({"PartitionTimeLimit"}))
    cluster = a_cluster(accounting=an_accounting(an_association(), qos=(lifting,)))
    assert found(cluster, time=300, qos="long") == []
    assert fatal(cluster, time=300, qos="normal")


TOO_MUCH = {
    "CPUs": ({"cpus": 17}, "17 CPUs are asked for on one node, and the largest has 16"),
    "CPUs of all tasks": ({"cpus": 6, "tasks": 3}, "18 CPUs are asked for on one node"),
    "memory": ({"memory": "63G"}, "63 GB of memory are asked for on one node, and the largest has 62.5 GB"),
    "GPUs": ({"gpus": 5}, "5 GPUs are asked for on one node, and the largest has 4"),
    "GPUs of a type": ({"gpus": 5, "gpu_type": "a100"}, "5 a100 GPUs"),
    "another type": ({"gpus": 1, "gpu_type": "a10"}, "no GPUs of type 'a10'"),
    "a feature": ({"constraint": "ibb"}, "no node with the features 'ibb'"),
    "one feature of two": ({"constraint": "ib&nvlink"}, "no node with the features"),
    "an unknown feature, counted": ({"constraint": "[nvlink*2]"}, "no node with the features"),
    "nodes": ({"nodes": 3}, "gives 2 nodes to such a job, and 3 are asked for"),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_more_than_any_node_has_is_fatal_and_the_largest_is_named(what: str) -> None:
    settings, said = TOO_MUCH[what]
    assert said in fatal(**settings).what


@pytest.mark.parametrize("constraint", ["ib", "nvlink|ib", "ib&amd", "[ib*1&nvlink*1]", "(ib|opa)&amd", "ib*2"])
def test_features_that_a_node_may_have_are_no_finding(constraint: str) -> None:
    assert found(constraint=constraint) == []


def test_the_nearest_gpu_type_and_feature_are_named() -> None:
    assert "Did you mean 'a100'?" in fatal(gpus=1, gpu_type="A100").fix
    assert "Did you mean 'ib'?" in fatal(constraint="ibb").fix
    untyped = a_cluster(nodes=(a_node(gpus={"": 2}),))
    assert "Leave profiles.big.gpu_type out" in fatal(untyped, gpus=1, gpu_type="a100").fix


def test_all_that_is_asked_must_be_on_one_node() -> None:
    nodes = (a_node("fat", gpus={}, memory=512000), a_node("gpu", memory=32000))
    finding = fatal(a_cluster(nodes=nodes), gpus=1, memory="128G")
    assert "no node with all at once: 1 CPUs, 128G of memory, 1 GPUs" in finding.what


def test_only_nodes_of_the_partition_count() -> None:
    elsewhere = a_node("n3", partitions=frozenset({"other"}), cpus=64)
    assert fatal(a_cluster(nodes=(a_node(), elsewhere)), cpus=32)
    assert "has no nodes" in fatal(a_cluster(nodes=(elsewhere,))).what


def test_a_partitions_own_limits_on_a_node_count() -> None:
    assert fatal(a_cluster(partitions=(a_partition(max_cpus=8),)), cpus=9)
    assert "the largest has 1 GB" in fatal(a_cluster(partitions=(a_partition(max_memory=1024),)), memory="2G").what
    assert fatal(a_cluster(partitions=(a_partition(max_nodes=1),)), nodes=2)


def test_nodes_that_are_down_are_a_warning_since_they_may_come_back() -> None:
    cluster = a_cluster(nodes=(a_node("n1", state="DOWN*"), a_node("n2", cpus=1)))
    (finding,) = found(cluster, cpus=4)
    assert finding.level == "warning"
    assert "of 1 nodes that can hold the job 0 are up (DOWN*)" in finding.what


def test_of_several_partitions_one_is_enough() -> None:
    small = a_partition("short", max_time=10)
    nodes = (a_node(partitions=frozenset({"gpu", "short"})),)
    cluster = a_cluster(partitions=(a_partition(), small), nodes=nodes)
    assert found(cluster, partition="short,gpu") == []
    assert fatal(cluster, partition="short")
    assert fatal(cluster, partition="gpu,shrot")


def test_memory_is_read_as_slurm_reads_it() -> None:
    assert [memory_mb(text) for text in ("32G", "1T", "100", "100M", "2048K")] == [32768, 1048576, 100, 100, 2]


def test_as_many_workers_as_the_scarcest_allows_run_at_once() -> None:
    assert at_once(a_profile(gpus=1), a_cluster()) == 8
    assert at_once(a_profile(gpus=4, tasks=4), a_cluster()) == 8
    assert at_once(a_profile(cpus=8), a_cluster()) == 4
    assert at_once(a_profile(memory="32G"), a_cluster()) == 2
    assert at_once(a_profile(cpus=17), a_cluster()) == 0
