"""Artifacts, the attempts at them, and the plans and declarations they came from."""

from clpd_bench.store.attempts import Attempt
from clpd_bench.store.info import AttemptInfo
from clpd_bench.store.owner import Owner
from clpd_bench.store.states import State
from clpd_bench.store.store import Store

__all__ = ["Attempt", "AttemptInfo", "Owner", "State", "Store"]
