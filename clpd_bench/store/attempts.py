"""One try at a job: its folder, its heartbeat, and the ways in which it can end."""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from subprocess import CalledProcessError
from types import TracebackType
from typing import Any, Literal

from clpd_bench.store import artifacts, durable, ledger
from clpd_bench.store.clock import now
from clpd_bench.store.owner import Owner

_logger = logging.getLogger(__name__)
_PROGRESS_EVERY = 1.0
_SIGNALS = {int(number): number.name for number in signal.Signals}


class Attempt:
    """A claim on a key, held by this process. As a context manager it keeps its heart beating.

    Whoever claims ends it by `publish`, `fail`, `release` or `evict`; if the context is left without one of
    these, the attempt counts as lost at once.
    """

    def __init__(self, key: str, entry: ledger.Entry, owner: Owner, artifact: Path, heartbeat_every: float) -> None:
        self.key = key
        self.number = entry.number
        self.folder = entry.folder
        self.out = self.folder / ledger.OUT
        self.checkpoints = self.folder / ledger.CHECKPOINTS
        self.log = self.folder / ledger.LOG
        self._entry = entry
        self._owner = owner
        self._artifact = artifact
        self._heartbeat_every = heartbeat_every
        self._progress: dict[str, object] = {}
        self._has_news = False
        self._beat = 0
        self._checkpointed = False
        self._has_ended = False
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._keep_beating, name=f"beat {key}", daemon=True)

    def __enter__(self) -> Attempt:
        self._heart.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._heart.join()
        self._write_heartbeat()
        if not self._has_ended:
            # This process may live on for days, and would seem to be at work all the while.
            self._end("unfinished")

    def earlier_checkpoints(self) -> list[Path]:
        """The checkpoint folders of all lower attempts, newest first, their content unverified."""
        lower = [e for e in ledger.entries(self.folder.parent) if e.number < self.number]
        folders = [entry.folder / ledger.CHECKPOINTS for entry in lower]
        return [folder for folder in folders if folder.is_dir()]

    def progress(self, **values: object) -> None:
        """Say how far it is: values for people to read, merged into those said before.

        It is the heartbeat's thread that writes them: no training step waits for a file server.
        """
        # Replaced, not changed: the thread may be writing the old ones, and needs no lock.
        self._progress = {**self._progress, **_plain(values)}
        self._has_news = True

    def checkpointed(self) -> None:
        """Say that a checkpoint was added: attempts that add one are tried again without bound."""
        if not self._checkpointed:
            self._entry.record_checkpointed()
            self._checkpointed = True

    def publish(self, manifest: Mapping[str, Any]) -> Literal["published", "already_published"]:
        """Make `out` the artifact of the key, unless another attempt has published one.

        Raises:
            ValueError: `out` holds what can't be published; see `artifacts.seal`.
            UserError: something that is no artifact stands in its place.
            OSError: it could not be written; the attempt goes on and may publish again.
        """
        attempt = {"number": self.number, "owner": self._owner.to_json()}
        artifacts.seal(self.out, {**manifest, "key": self.key, "attempt": attempt})
        is_ours = artifacts.publish(self.out, self._artifact)
        self._end("published" if is_ours else "discarded")
        # An artifact is there: nobody will resume from these.
        durable.remove_folder(self.checkpoints)
        return "published" if is_ours else "already_published"

    def fail(self, error: BaseException, **details: object) -> None:
        """Leave a failure record: the job won't run again before somebody asks for it.

        A `signal` among the details, or the return code of a `CalledProcessError`, says what killed
        a child process.

        Raises:
            OSError: it could not be written, say because the disk is full.
        """
        self._entry.record_failure(self._failure(error, details))
        self._has_ended = True

    def lose_to_full_disk(self, error: BaseException) -> None:
        """Say that a full disk ended the attempt: the job may run again as soon as somebody comes,
        from its checkpoints, and it is not held against it. Never raises.
        """
        # Half an output is of no use, and in its place the record fits.
        durable.remove_folder(self.out)
        self._end("no_space", self._failure(error, {}))

    def _failure(self, error: BaseException, details: dict[str, object]) -> dict[str, Any]:
        if isinstance(error, CalledProcessError) and error.returncode < 0:
            number = -error.returncode
            details.setdefault("signal", _SIGNALS.get(number, str(number)))
        return {
            "type": type(error).__name__,
            "message": str(error),
            "traceback": "".join(traceback.format_exception(error)),
            "node": self._owner.host,
            "log": str(self.log),
            "signal": details.pop("signal", None),
            "details": _plain(details),
            "time": now(),
        }

    def release(self) -> None:
        """Give the key back, for anyone to claim at once; not held against the job."""
        self._end("released")

    def evict(self) -> None:
        """Give the key back because a scheduler ends this process: for anyone to claim at once, but
        it counts as an attempt without progress unless it added a checkpoint.
        """
        self._end("evicted")

    def _end(self, how: ledger.Ending, failure: dict[str, Any] | None = None) -> None:
        self._has_ended = True
        try:
            self._entry.record_ending(how, failure)
        except OSError:
            # What was to be said is said otherwise: by the artifact, or by the process's end.
            _logger.exception("attempt %s of %s: could not record %s", self.number, self.key, how)

    def _keep_beating(self) -> None:
        written = time.monotonic()
        while not self._stop.wait(min(_PROGRESS_EVERY, self._heartbeat_every)):
            if self._has_news or time.monotonic() - written >= self._heartbeat_every:
                self._write_heartbeat()
                written = time.monotonic()

    def _write_heartbeat(self) -> None:
        self._has_news = False
        self._beat += 1
        heartbeat = {"beat": self._beat, "progress": self._progress}
        try:
            durable.replace_json(self.folder / ledger.HEARTBEAT, heartbeat)
        except OSError as error:
            # Hours of training are not to end because a file server hiccuped.
            _logger.warning("attempt %s of %s: no heartbeat: %s", self.number, self.key, error)


def _plain(values: Mapping[str, object]) -> Any:
    """The values as JSON has them, whatever else there is among them as text."""
    return json.loads(json.dumps(values, default=str))
