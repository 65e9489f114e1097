"""Artifacts, the attempts at them, the plans they came from, and who declared and saw what."""

from clpd_bench.store.attempts import Attempt
from clpd_bench.store.owner import Owner
from clpd_bench.store.register import Record
from clpd_bench.store.states import AttemptInfo, State
from clpd_bench.store.store import Store

__all__ = ["Attempt", "AttemptInfo", "Owner", "Record", "State", "Store"]
