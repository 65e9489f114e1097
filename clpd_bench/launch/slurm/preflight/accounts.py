"""Whether accounts and qualities of service may be used, and how long their jobs may be."""

from __future__ import annotations

import contextlib
import grp
import os

from clpd_bench.launch.slurm.accounting import Accounting
from clpd_bench.launch.slurm.cluster import Cluster
from clpd_bench.launch.slurm.preflight.finding import Finding, choice
from clpd_bench.launch.slurm.site import Profile
from clpd_bench.launch.watch.hours import duration


def check_accounts(profiles: dict[str, Profile], cluster: Cluster) -> list[Finding]:
    """Of the profiles in use, by name."""
    found = [finding for name, profile in profiles.items() for finding in _let_in(name, profile, cluster)]
    if cluster.accounting:
        for name, profile in profiles.items():
            found += _known(name, profile, cluster, cluster.accounting)
            found += _wall(name, profile, cluster, cluster.accounting)
        return found
    named = [name for name, profile in profiles.items() if profile.account or profile.qos]
    if named:
        what = f"account and qos of {', '.join(named)} could not be checked ({cluster.no_accounting})"
        found.append(Finding("warning", what, "See that they are right: a wrong one is refused, or pends for ever"))
    return found


def _let_in(name: str, profile: Profile, cluster: Cluster) -> list[Finding]:
    found = []
    for partition in filter(None, map(cluster.partition, cluster.partitions_of(profile))):
        for key, mine, allowed in (
            ("account", profile.account, partition.accounts),
            ("qos", profile.qos, partition.qos_names),
        ):
            if mine and allowed is not None and mine not in allowed:
                what = f"profile {name}: partition {partition.name} lets no job of {key} {mine!r} in"
                found.append(Finding("fatal", what, f"Correct profiles.{name}.{key}. {choice(mine, allowed)}"))
        if partition.groups is not None and not partition.groups & _groups():
            what = (
                f"profile {name}: partition {partition.name} lets only groups {', '.join(sorted(partition.groups))} in"
            )
            fix = f"Choose another profiles.{name}.partition, unless the cluster counts you among them (groups)"
            found.append(Finding("warning", what, fix))
    return found


def _groups() -> set[str]:
    """This user's, as this machine knows them."""
    found = set()
    for number in {os.getgid(), *os.getgroups()}:
        with contextlib.suppress(KeyError):  # it has no name here
            found.add(grp.getgrgid(number).gr_name)
    return found


def _known(name: str, profile: Profile, cluster: Cluster, accounting: Accounting) -> list[Finding]:
    """What Slurm does not enforce it takes as it is, and writes it down wrong."""
    config = cluster.config
    accounts = {one.account for one in accounting.associations}
    if config.enforces_accounts and not accounts:
        what = f"you have no account on cluster {config.name}, which runs no job without one"
        return [Finding("fatal", what, "Ask the cluster's staff for one (sacctmgr show user $USER withassoc)")]
    if profile.account and profile.account not in accounts:
        what = f"profile {name}: you have no account {profile.account!r} on cluster {config.name}"
        fix = f"Correct profiles.{name}.account. {choice(profile.account, accounts)}"
        return [Finding("fatal" if config.enforces_accounts else "warning", what, fix)]
    if not profile.qos:
        return []
    own = {qos for one in accounting.of(profile) for qos in one.qos}
    if profile.qos not in accounting.qos:
        what = f"profile {name}: cluster {config.name} has no qos {profile.qos!r}"
    elif own and profile.qos not in own:
        what = f"profile {name}: your account may not use qos {profile.qos!r}"
    else:
        return []
    fix = f"Correct profiles.{name}.qos. {choice(profile.qos, own or accounting.qos)}"
    return [Finding("fatal" if config.enforces_qos else "warning", what, fix)]


def _wall(name: str, profile: Profile, cluster: Cluster, accounting: Accounting) -> list[Finding]:
    """The first that has a limit counts: the partition's quality of service, the job's, the account's."""
    if not cluster.config.enforces_limits:
        return []
    partitions = filter(None, map(cluster.partition, cluster.partitions_of(profile)))
    of_partitions = [accounting.qos.get(partition.qos or "") for partition in partitions]
    limits = [(f"qos {qos.name}", qos.max_wall) for qos in (*of_partitions, accounting.qos_of(profile)) if qos]
    limits += [(f"account {one.account}", one.max_wall) for one in accounting.of(profile)[:1]]
    says, most = next(((who, limit) for who, limit in limits if limit is not None), ("", None))
    if most is None or profile.time <= most:
        return []
    what = f"profile {name}: {says} allows {duration(most)}, and {duration(profile.time)} are asked for"
    fix = f"Lower profiles.{name}.time to {most} or less: what takes longer is requeued and resumes"
    return [Finding("fatal", f"{what}: the job would pend for ever", fix)]
