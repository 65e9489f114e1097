"""How many jobs there may be is the least of what binds this user."""

from __future__ import annotations

from typing import Any

import pytest
from fabricated_cluster import a_cluster, a_config, a_partition, a_qos, a_site, an_accounting, an_association

from clpd_bench.launch.slurm import cluster as of_cluster
from clpd_bench.launch.slurm.queue import Task


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs alive, one that has ended."""
    states = ("RUNNING", "PENDING", "COMPLETED")
    there = [Task(str(i), str(i), state, "", "") for i, state in enumerate(states)]
    monkeypatch.setattr(of_cluster, "tasks", lambda: there)


def limits(site: dict[str, Any], **cluster: Any) -> tuple[int | None, str]:
    found = of_cluster.limits(a_site(**site), ["gpu"], a_cluster(**cluster))
    return found.submit, found.said_by


BOTH = an_accounting(an_association(max_submit=80), qos=(a_qos("short", max_submit=50),))


def test_living_jobs_alone_are_counted_and_arrays_hold_what_the_config_says() -> None:
    found = of_cluster.limits(a_site(), ["gpu"], a_cluster(config=a_config(max_array=77)))
    assert (found.queued, found.array) == (2, 77)


def test_the_least_of_account_and_qos_binds() -> None:
    assert limits({"profile": {"qos": "short"}}, accounting=BOTH) == (50, "qos short")
    assert limits({}, accounting=BOTH) == (80, "account proj")


def test_a_partitions_own_qos_binds() -> None:
    known = an_accounting(qos=(a_qos("of_gpu", max_submit=7),))
    assert limits({}, accounting=known, partitions=(a_partition(qos="of_gpu"),)) == (7, "qos of_gpu")


def test_another_account_of_the_user_does_not_bind() -> None:
    known = an_accounting(an_association("other", is_default=False, max_submit=3), an_association())
    assert limits({}, accounting=known)[0] == 10000
    assert limits({"profile": {"account": "other"}}, accounting=known) == (3, "account other")


def test_limits_that_slurm_does_not_enforce_do_not_bind() -> None:
    config = a_config(enforced=frozenset({"associations"}))
    assert limits({"max_submit": 9}, accounting=BOTH, config=config) == (9, "max_submit in the site file")


def test_the_site_file_tells_only_where_accounting_does_not() -> None:
    assert limits({"max_submit": 9}) == (9, "max_submit in the site file")
    assert limits({"max_submit": 9}, accounting=BOTH) == (80, "account proj")


def test_no_limit_is_above_what_the_whole_cluster_keeps() -> None:
    assert limits({"max_submit": 900}, config=a_config(max_jobs=300))[0] == 300
    assert limits({}, config=a_config(max_jobs=None))[0] is None
