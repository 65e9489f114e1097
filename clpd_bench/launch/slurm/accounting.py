"""What Slurm's accounting says of this user: accounts, qualities of service, their limits."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass

from clpd_bench.launch.slurm.printed import names, number, rows, text, time_limit
from clpd_bench.launch.slurm.queue import run
from clpd_bench.launch.slurm.site import Profile

_USER = "Cluster,Account,Partition,MaxSubmit,GrpSubmit,MaxWall,QOS,DefaultQOS,DefaultAccount"
_QOS = "Name,MaxWall,MaxSubmitPU,MaxSubmitPA,GrpSubmit,Flags"


@dataclass(frozen=True)
class Association:
    """This user in an account, perhaps for one partition alone.

    Attributes:
        max_submit: jobs at a time.
        max_wall: minutes a job.
        qos: those that may be named.
        default_qos: the one of a job that names none.
    """

    account: str
    is_default: bool
    partition: str | None
    max_submit: int | None
    max_wall: int | None
    qos: frozenset[str]
    default_qos: str | None


@dataclass(frozen=True)
class Qos:
    name: str
    max_submit: int | None
    max_wall: int | None
    flags: frozenset[str]


@dataclass(frozen=True)
class Accounting:
    associations: tuple[Association, ...]
    qos: Mapping[str, Qos]

    def of(self, profile: Profile) -> list[Association]:
        """Those that a job of this profile may count for; that of a partition goes before the general one."""
        wanted = set((profile.partition or "").split(","))
        account = [
            one
            for one in self.associations
            if (one.account == profile.account if profile.account else one.is_default)
            and (one.partition is None or one.partition in wanted)
        ]
        return sorted(account, key=lambda one: one.partition is None)

    def qos_of(self, profile: Profile) -> Qos | None:
        """The one that a job of this profile has."""
        own = self.of(profile)
        name = profile.qos or (own[0].default_qos or "normal" if own else None)
        return self.qos.get(name) if name else None


def ask_accounting(cluster: str) -> Accounting:
    """Raises:
    UserError: there is no accounting, or it does not answer.
    """
    user = run("sacctmgr", "-P", "show", "user", getpass.getuser(), "withassoc", f"format={_USER}")
    qos = run("sacctmgr", "-P", "show", "qos", f"format={_QOS}")
    return accounting(user, qos, cluster)


def accounting(user: str, qos: str, cluster: str) -> Accounting:
    """From what sacctmgr prints."""
    mine = [row for row in rows(user) if row.get("Cluster") == cluster and row.get("Account")]
    return Accounting(
        tuple(
            Association(
                row["Account"],
                row["Account"] == row.get("Def Acct"),
                text(row.get("Partition")),
                _least(row, "MaxSubmit", "GrpSubmit"),
                time_limit(row.get("MaxWall")),
                names(row.get("QOS")),
                text(row.get("Def QOS")),
            )
            for row in mine
        ),
        {
            row["Name"]: Qos(
                row["Name"],
                _least(row, "MaxSubmitPU", "MaxSubmitPA", "GrpSubmit"),
                time_limit(row.get("MaxWall")),
                names(row.get("Flags")),
            )
            for row in rows(qos)
            if row.get("Name")
        },
    )


def _least(row: dict[str, str], *columns: str) -> int | None:
    known = [value for column in columns if (value := number(row.get(column))) is not None]
    return min(known, default=None)
