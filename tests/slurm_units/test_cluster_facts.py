"""What Slurm's commands print, of any version, is read as what it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from clpd_bench.launch.slurm.accounting import accounting
from clpd_bench.launch.slurm.cluster import config, gpus, nodes, partitions

PRINTED = Path(__file__).parent / "printed"
"""By Slurm 22.05.8 with accounting, its limits enforced."""

NODE_20_11 = (
    "NodeName=g01 Arch=x86_64 CoresPerSocket=32 CPUAlloc=12 CPUTot=64 CPULoad=11.94 AvailableFeatures=amd,a100 "
    "ActiveFeatures=amd,a100 Gres=gpu:a100:4(S:0-1) NodeAddr=g01 NodeHostName=g01 Version=20.11.9 OS=Linux "
    "4.18.0-305.el8.x86_64 #1 SMP Thu Apr 29 08:54:30 EDT 2021 RealMemory=515000 AllocMem=98304 FreeMem=401234 "
    "Sockets=2 Boards=1 MemSpecLimit=3000 State=MIXED+DRAIN ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A "
    "MCS_label=N/A Partitions=gpu,long BootTime=2021-06-01T10:00:00 CfgTRES=cpu=64,mem=515000M,billing=64,gres/gpu=4 "
    "Reason=low, says RealMemory=1 again [root@2021-06-02T10:00:00]"
)
NODE_24_05 = (
    "NodeName=h-001 Arch=x86_64 CoresPerSocket=56 CPUAlloc=0 CPUEfctv=220 CPUTot=224 CPULoad=0.02 "
    "AvailableFeatures=(null) ActiveFeatures=(null) Gres=gpu:h100:8(S:0-1),shard:h100:32,craynetwork:no_consume:4 "
    "GresDrain=N/A GresUsed=gpu:h100:0(IDX:N/A) NodeAddr=h-001 NodeHostName=h-001 Version=24.05.3 RealMemory=2051000 "
    "State=IDLE+CLOUD+POWERED_DOWN ThreadsPerCore=2 Partitions=h100 SomethingNew=yes InstanceId= Comment=(null)"
)
PARTITION_24_05 = (
    "PartitionName=h100 AllowGroups=ml,ops AllowAccounts=proj AllowQos=normal,long AllocNodes=ALL Default=NO "
    "QoS=part_h100 DefaultTime=01:00:00 MaxNodes=4 MaxTime=7-00:00:00 MinNodes=0 MaxCPUsPerNode=96 "
    "MaxCPUsPerSocket=UNLIMITED Nodes=h-[001-020] State=DRAIN TotalCPUs=4480 TotalNodes=20 DefMemPerNode=UNLIMITED "
    "MaxMemPerNode=0 TRES=cpu=4480"
)


def test_the_config_of_a_real_cluster_is_read() -> None:
    found = config((PRINTED / "config.txt").read_text())
    assert (found.name, found.version) == ("lab", "22.05.8")
    assert (found.max_array, found.max_jobs, found.kill_wait, found.requeue) == (1001, 10000, 5, True)
    assert found.enforces_accounts
    assert found.enforces_limits


def test_a_config_that_says_nothing_is_slurms_default() -> None:
    found = config("Configuration data as of 2021\nClusterName = (null)\nAccountingStorageEnforce = none\n")
    assert (found.name, found.max_array, found.max_jobs, found.kill_wait) == ("", 1001, None, 30)
    assert not found.enforces_accounts


def test_only_limits_and_what_includes_them_enforce_limits() -> None:
    for word, enforced in (("associations", False), ("qos", False), ("associations,limits", True), ("safe", True)):
        assert config(f"AccountingStorageEnforce = {word}").enforces_limits is enforced


def test_the_partitions_of_a_real_cluster_are_read() -> None:
    gpu, high = partitions((PRINTED / "partition.txt").read_text())
    assert (gpu.name, gpu.state, gpu.is_default, gpu.max_time) == ("gpu", "UP", True, 60)
    assert (high.name, high.is_default) == ("high", False)
    assert (gpu.max_nodes, gpu.max_cpus, gpu.max_memory, gpu.qos, gpu.accounts) == (None, None, None, None, None)


def test_a_partitions_limits_are_read() -> None:
    (found,) = partitions(PARTITION_24_05)
    assert (found.state, found.max_time, found.max_nodes) == ("DRAIN", 7 * 24 * 60, 4)
    assert (found.max_cpus, found.max_memory, found.qos) == (96, None, "part_h100")
    assert (found.accounts, found.qos_names, found.groups) == ({"proj"}, {"normal", "long"}, {"ml", "ops"})


def test_the_nodes_of_a_real_cluster_are_read() -> None:
    first, second = nodes((PRINTED / "node.txt").read_text())
    assert (first.name, first.cpus, first.memory, first.gpus) == ("n1", 16, 64000, {"": 2})
    assert (first.partitions, first.features) == ({"gpu", "high"}, {"f1", "fake"})
    assert first.is_up
    assert second.name == "n2"


def test_memory_and_cpus_that_slurm_keeps_for_itself_are_not_a_jobs() -> None:
    (old,), (new,) = nodes(NODE_20_11), nodes(NODE_24_05)
    assert (old.cpus, old.memory) == (64, 512000)
    assert (new.cpus, new.memory) == (220, 2051000)


def test_what_people_wrote_as_a_reason_overrides_no_fact() -> None:
    (node,) = nodes(NODE_20_11)
    assert (node.memory, node.features, node.partitions) == (512000, {"amd", "a100"}, {"gpu", "long"})


@pytest.mark.parametrize(
    ("state", "up"),
    [
        *[("IDLE", True), ("MIXED", True), ("ALLOCATED+COMPLETING", True), ("IDLE+CLOUD+POWERED_DOWN", True)],
        *[("IDLE~", True), ("MIXED+PLANNED", True), ("RESERVED", True), ("DOWN*", False), ("IDLE+DRAIN", False)],
        *[("DOWN+DRAIN+NOT_RESPONDING", False), ("DRAINING@", False), ("FUTURE", False), ("UNKNOWN*", False)],
    ],
)
def test_a_sleeping_node_is_up_and_a_drained_one_is_not(state: str, up: bool) -> None:
    (node,) = nodes(f"NodeName=x CPUTot=4 RealMemory=1000 State={state} Partitions=a")
    assert node.is_up is up


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("gpu:2", {"": 2}),
        ("gpu", {"": 1}),
        ("gpu:a100:4(S:0-1)", {"a100": 4}),
        ("gpu:a100:4(S:0,1),gpu:v100:2(S:0)", {"a100": 4, "v100": 2}),
        ("gpu:nvidia_a100_1g.5gb:14,gpu:a100:1", {"nvidia_a100_1g.5gb": 14, "a100": 1}),
        ("gpu:h100:8(S:0-1),shard:h100:32,craynetwork:no_consume:4", {"h100": 8}),
        ("gpu:4(IDX:0-3),bandwidth:lustre:no_consume:4G", {"": 4}),
        ("(null)", {}),
        ("N/A", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_gpus_are_counted_by_type(printed: str | None, expected: dict[str, int]) -> None:
    assert gpus(printed) == expected


def test_the_accounting_of_a_real_cluster_is_read() -> None:
    found = accounting((PRINTED / "user.txt").read_text(), (PRINTED / "qos.txt").read_text(), "lab")
    by_name = {one.account: one for one in found.associations}
    assert [name for name, one in by_name.items() if one.is_default] == ["root"]
    assert (by_name["proj"].max_submit, by_name["proj"].max_wall) == (80, 2 * 24 * 60)
    assert by_name["proj"].qos == {"normal", "short"}
    assert by_name["kid"].max_submit == 90  # its parent's
    assert (found.qos["short"].max_submit, found.qos["short"].max_wall) == (50, 30)
    assert found.qos["long"].max_submit == 200
    assert found.qos["normal"].max_submit is None


def test_of_several_limits_on_submitted_jobs_the_least_counts() -> None:
    user = "Cluster|Account|MaxSubmit|GrpSubmit\nlab|own|40|90\nlab|shared|90|40\n"
    qos = "Name|MaxSubmitPU|MaxSubmitPA|GrpSubmit\nq|30|20|50\n"
    found = accounting(user, qos, "lab")
    assert [one.max_submit for one in found.associations] == [40, 40]
    assert found.qos["q"].max_submit == 20


def test_another_clusters_accounts_are_not_this_ones() -> None:
    assert accounting((PRINTED / "user.txt").read_text(), "", "other").associations == ()


def test_a_user_without_accounts_has_none() -> None:
    assert accounting("Cluster|Account\n", "Name|MaxWall\n", "lab").associations == ()


def test_columns_that_another_version_lacks_are_no_limits() -> None:
    found = accounting("Cluster|Account|New\nlab|proj|7\n", "Name|Flags\nq|DenyOnLimit,PartitionTimeLimit\n", "lab")
    (one,) = found.associations
    assert (one.max_submit, one.max_wall, one.qos, one.default_qos) == (None, None, frozenset(), None)
    assert found.qos["q"].flags == {"DenyOnLimit", "PartitionTimeLimit"}
