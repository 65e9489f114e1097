"""Accounts and qualities of service that would be refused, and times that they would let pend for ever."""

from __future__ import annotations

import grp
import os
from typing import Any

from fabricated_cluster import a_cluster, a_config, a_partition, a_profile, a_qos, an_accounting, an_association

from clpd_bench.launch.slurm.accounting import Accounting
from clpd_bench.launch.slurm.preflight.accounts import check_accounts
from clpd_bench.launch.slurm.preflight.finding import Finding


def found(accounting: Accounting | None, cluster: dict[str, Any] | None = None, **settings: Any) -> list[Finding]:
    facts = a_cluster(accounting=accounting, no_accounting="sacctmgr failed: no", **(cluster or {}))
    return check_accounts({"big": a_profile(**settings)}, facts)


def one(*given: Any, **settings: Any) -> tuple[str, str, str]:
    (finding,) = found(*given, **settings)
    return finding.level, finding.what, finding.fix


def test_accounts_that_are_there_are_no_finding() -> None:
    assert found(an_accounting(), account="proj", qos="short") == []
    assert found(an_accounting()) == []


def test_another_account_is_fatal_and_the_nearest_is_named() -> None:
    level, what, fix = one(an_accounting(), account="projj")
    assert (level, "no account 'projj'" in what, "Did you mean 'proj'?" in fix) == ("fatal", True, True)


def test_a_user_without_an_account_is_told_so() -> None:
    level, what, _ = one(Accounting((), {}))
    assert (level, "you have no account on cluster lab" in what) == ("fatal", True)


def test_an_absent_or_forbidden_qos_is_fatal() -> None:
    assert one(an_accounting(), qos="shrot")[0] == "fatal"
    level, what, fix = one(an_accounting(), qos="long")
    assert (level, "may not use qos 'long'" in what) == ("fatal", True)
    assert "There are: normal, short" in fix


def test_what_slurm_does_not_enforce_is_a_warning() -> None:
    lenient = {"config": a_config(enforced=frozenset())}
    assert one(an_accounting(), lenient, account="other")[0] == "warning"
    assert one(an_accounting(), lenient, qos="other")[0] == "warning"


def test_without_accounting_what_is_named_could_not_be_checked() -> None:
    level, what, _ = one(None, account="proj")
    assert level == "warning"
    assert "account and qos of big could not be checked (sacctmgr failed: no)" in what
    assert found(None) == []


def test_a_partition_that_lets_an_account_or_qos_out_is_fatal() -> None:
    closed = {"partitions": (a_partition(accounts=frozenset({"proj"}), qos_names=frozenset({"normal"})),)}
    told = [finding.what for finding in found(None, closed, account="other", qos="short")]
    assert any("lets no job of account 'other' in" in what for what in told)
    assert any("lets no job of qos 'short' in" in what for what in told)
    assert found(an_accounting(), closed, account="proj", qos="normal") == []


def test_a_partition_of_other_groups_is_a_warning() -> None:
    mine = grp.getgrgid(os.getgid()).gr_name
    assert found(None, {"partitions": (a_partition(groups=frozenset({"ops", mine})),)}) == []
    level, what, _ = one(None, {"partitions": (a_partition(groups=frozenset({"ops", "ml"})),)})
    assert (level, "partition gpu lets only groups ml, ops in" in what) == ("warning", True)


SHORT = a_qos("short", max_wall=30)


def test_time_over_the_qos_limit_is_fatal() -> None:
    level, what, fix = one(an_accounting(qos=(SHORT,)), qos="short", time=31)
    assert (level, "qos short allows 30 min, and 31 min are asked for" in what) == ("fatal", True)
    assert "30 or less" in fix
    assert found(an_accounting(qos=(SHORT,)), qos="short", time=30) == []
    assert found(an_accounting(qos=(SHORT,)), time=31) == []


def test_the_default_qos_binds_where_none_is_named() -> None:
    known = an_accounting(an_association(default_qos="short"), qos=(SHORT,))
    assert "qos short allows 30 min" in one(known, time=31)[1]
    assert "qos normal allows" in one(an_accounting(qos=(a_qos("normal", max_wall=5),)), time=31)[1]


def test_time_over_the_accounts_limit_is_fatal_unless_a_qos_says_more() -> None:
    known = an_accounting(an_association(max_wall=20), qos=(SHORT,))
    assert "account proj allows 20 min" in one(known, time=25)[1]
    assert found(known, time=25, qos="short") == []


def test_a_partitions_own_qos_goes_before_the_jobs() -> None:
    of_partition = {"partitions": (a_partition(qos="of_gpu"),)}
    known = an_accounting(qos=(SHORT, a_qos("of_gpu", max_wall=10)))
    assert "qos of_gpu allows 10 min" in one(known, of_partition, qos="short", time=25)[1]


def test_times_that_slurm_does_not_enforce_bind_nobody() -> None:
    lenient = {"config": a_config(enforced=frozenset({"associations"}))}
    assert found(an_accounting(qos=(SHORT,)), lenient, qos="short", time=31) == []
