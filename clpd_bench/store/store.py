"""The store: what is done, who is at it, what failed, and who may have a go."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.store import artifacts, kept, ledger, register
from clpd_bench.store.attempts import Attempt
from clpd_bench.store.ledger import Entry
from clpd_bench.store.liveness import Watch, turn
from clpd_bench.store.owner import Owner
from clpd_bench.store.register import Record
from clpd_bench.store.states import AttemptInfo, State, is_given_up, recorded_state

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Store:
    """A directory of artifacts that many processes on many hosts fill together.

    It promises that a key is published once and worked on rarely twice. It needs a file system with
    atomic renames (and hard links for `keep_diff` and `keep_items`) and no locks. Reading never writes. All methods
    raise ValueError for a key that can't name a directory, and OSError if the store can't be read.

    Args:
        root: the directory; it is made when something is written.
        dead_after: the seconds for which a heartbeat is watched standing still before its owner
            counts as dead, where nothing tells earlier. Longer than NFS keeps attributes.
        heartbeat_every: the seconds between two beats of this process's own attempts.
        lives: whether an owner that is no process of this host lives; None where that cannot be said, and the
            heartbeat decides. An answer may be a few seconds old.
        scheduler: what owner files say of this process for `lives` to read, a JSON value.
    """

    def __init__(
        self,
        root: Path,
        *,
        dead_after: float = 300.0,
        heartbeat_every: float = 30.0,
        lives: Callable[[Owner], bool | None] = lambda owner: None,
        scheduler: Any = None,
    ) -> None:
        self.root = root
        self._heartbeat_every = heartbeat_every
        self._watch = Watch(dead_after, lives)
        self._scheduler = scheduler

    def artifact(self, key: str) -> Path:
        """Where the artifact of a key is or will be."""
        return self.root / "artifacts" / _checked(key)

    def manifest(self, key: str) -> dict[str, Any] | None:
        """The manifest of a published artifact, None if there is none."""
        return artifacts.read_manifest(self.artifact(key))

    def is_done(self, key: str) -> bool:
        """Whether the artifact of a key is published."""
        return self.manifest(key) is not None

    def verify(self, key: str) -> list[str]:
        """What is wrong with the files of an artifact: [] if each is there and has its hash."""
        return artifacts.verify(self.artifact(key))

    def claim(self, key: str) -> Attempt | None:
        """An attempt at a key; None if it is done, somebody is at it, it failed, or was given up.

        Raises:
            UserError: the artifact is damaged.
        """
        owner = Owner.this_process(self._scheduler)
        entry = self._add(
            key,
            lambda folder, newest: ledger.add_attempt(folder, newest, owner),
            _allows_claim,
        )
        if entry is None:
            return None
        attempt = Attempt(key, entry, owner, self.artifact(key), self._heartbeat_every)
        if self.is_done(key):
            # By a slow attempt that was taken for dead, while we claimed.
            attempt.release()
            return None
        return attempt

    def may_claim(self, key: str) -> bool:
        """Whether a claim would be granted as things stand."""
        entries = ledger.entries(self._folder(key))
        return _allows_claim(self._state(key, entries), entries)

    def damage(self, key: str) -> UserError | None:
        """What to say of the thing in an artifact's place that has no manifest; None if all is well."""
        try:
            artifacts.refuse_damaged(self.artifact(key))
        except UserError as error:
            return error
        return None

    def state(self, key: str) -> State:
        """What is to be said of a key; `failed` also where `damage` has something to say."""
        return self._state(key, ledger.entries(self._folder(key)))

    def last_attempt(self, key: str) -> AttemptInfo | None:
        """The newest attempt at a key, None if there never was one."""
        entries = ledger.entries(self._folder(key))
        entry = next((entry for entry in entries if entry.is_attempt), None)
        return AttemptInfo.of(entry) if entry else None

    def advances(self, key: str) -> int:
        """How many attempts at a key added a checkpoint."""
        return sum(entry.checkpointed for entry in ledger.entries(self._folder(key)))

    def has_ended(self, entry: Entry) -> bool:
        """Whether nobody works in this entry any more, as far as can be known."""
        return entry.failure is not None or entry.ending is not None or self._watch.finds_dead(entry)

    def missing(self, key: str) -> list[str]:
        """The inputs that a blocked key waits for, [] if it isn't blocked."""
        entries = ledger.entries(self._folder(key))
        return (entries[0].missing or []) if entries else []

    def retry(self, key: str) -> bool:
        """Let a key that failed, was given up or is blocked run again; whether there was a need."""
        return bool(
            self._add(
                key,
                ledger.add_retry,
                lambda state, entries: state in ("failed", "blocked") or (state == "lost" and is_given_up(entries)),
            )
        )

    def record_blocked(self, key: str, missing: list[str]) -> None:
        """Say that a key can't run for want of inputs, unless more is known of it than that."""
        missing = sorted(missing)
        self._add(
            key,
            lambda folder, newest: ledger.add_blocked(folder, newest, missing),
            lambda state, entries: (
                (state in ("pending", "lost") and not is_given_up(entries))
                or (state == "blocked" and entries[0].missing != missing)
            ),
        )

    def turn(self, name: str, waiting: Callable[[Owner | None], None]) -> AbstractContextManager[None]:
        """A context that one process at a time is in, of all that share the store; see `turns.turn`."""
        folder, owner = self.root / "turns" / _checked(name), Owner.this_process(self._scheduler)
        return turn(folder, owner, self._watch, self._heartbeat_every, waiting)

    def keep_diff(self, diff: str) -> str:
        """Keep a diff under its hash, which is returned."""
        return kept.keep_diff(self.root / "diffs", diff)

    def write_plan(self, plan: dict[str, Any]) -> Path:
        """Keep a plan under the hash of its content, as the newest."""
        return kept.write_plan(self.root / "plans", plan)

    def plans(self) -> list[Path]:
        """The files of the plans, newest first."""
        return kept.plans(self.root / "plans")

    def declare(self, declaration: dict[str, Any]) -> Record:
        """Register what is to be compared, and which of its `evaluations` are there already; see `register.add`."""
        done = [key for key in declaration.get("evaluations", ()) if self.is_done(key)]
        return register.add(self.root / "register", "declaration", declaration, done)

    def look(self, shown: dict[str, Any]) -> Record:
        """Register that somebody is about to see this; see `register.add`."""
        return register.add(self.root / "register", "look", shown)

    def register(self) -> list[Record]:
        """Each declaration and each look ever made here, by their numbers.

        Raises:
            UserError: a record is damaged.
        """
        return register.records(self.root / "register")

    def keep_items(self, ids: Iterable[str]) -> str:
        """Keep the ids of items under their hash, which is returned."""
        return kept.keep_items(self.root / "items", ids)

    def items(self, name: str) -> frozenset[str]:
        """The ids that `keep_items` kept; raises UserError if they are lost."""
        return kept.items(self.root / "items", name)

    def _folder(self, key: str) -> Path:
        return self.root / "attempts" / _checked(key)

    def _add(
        self,
        key: str,
        add: Callable[[Path, Entry | None], Entry | None],
        allowed: Callable[[State, list[Entry]], bool],
    ) -> Entry | None:
        """Add an entry if the entries so far allow it, judged again when somebody was faster."""
        folder = self._folder(key)
        while True:
            artifacts.refuse_damaged(self.artifact(key))
            entries = ledger.entries(folder)
            if not allowed(self._state(key, entries), entries):
                return None
            if entry := add(folder, entries[0] if entries else None):
                return entry

    def _state(self, key: str, entries: list[Entry]) -> State:
        if self.is_done(key):
            return "done"
        if self.damage(key):
            return "failed"
        state = self._state_by(entries[0]) if entries else "pending"
        if state == "pending" and entries and entries[0].ending == "evicted" and is_given_up(entries):
            # Nobody may claim it, and whoever waits for it would wait for ever.
            state = "lost"
        # It may have been published between the two looks.
        return "done" if self.is_done(key) else state

    def _state_by(self, entry: Entry) -> State:
        state = recorded_state(entry)
        if state is None and self._watch.finds_dead(entry):
            # The last that it did may have been a record, after we looked.
            return recorded_state(entry) or "lost"
        return state or "running"


def _allows_claim(state: State, entries: list[Entry]) -> bool:
    return state in ("pending", "lost", "blocked") and not is_given_up(entries)


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} can't be a key: it would not be the name of one directory")
    return key
