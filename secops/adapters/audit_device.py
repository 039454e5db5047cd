"""The second audit device: every record once more, as a line of JSON on another path.

A device may stop answering altogether (a network disk, a broken controller). Nobody waits for it
longer than ``DEVICE_PATIENCE``, and once it kept somebody waiting nobody waits until it answers
again: what it missed meanwhile is counted, and said in the file when it is back.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from secops.adapters.disk import make_folder, sync_folder
from secops.kernel.clock import Clock, to_rfc3339

_LOG: Final = logging.getLogger("secops.audit_device")

DEVICE_PATIENCE: Final = 1.0
"""Seconds for a write: with the journal's own fsync below the 2 s that a caller waits."""
_PRIVATE: Final = 0o600


class DeviceSilent(Exception):
    """The second audit device fell silent under acts that need it; whoever catches it refuses."""


class AuditDevice:
    """Appends records in ``folder``, one file a process and day; safe to call from any thread.

    Nothing is opened before the first record, nor kept over a fork. ``sync`` makes a file's
    data durable.
    """

    def __init__(
        self,
        folder: Path,
        role: str,
        clock: Clock,
        *,
        sync: Callable[[int], None] = os.fdatasync,
        patience: float = DEVICE_PATIENCE,
    ) -> None:
        self._folder = folder
        self._role = role
        self._clock = clock
        self._sync = sync
        self._patience = patience
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._offered: bytes | None = None
        self._busy = False
        self._healthy = True
        self._missed = 0
        self._said = 0
        self._count = 0
        self._descriptor: int | None = None
        self._day = ""
        self._thread: threading.Thread | None = None
        self._stopping = False

    @property
    def healthy(self) -> bool:
        """Whether the last write was done in time."""
        return self._healthy

    def write(self, records: Sequence[bytes]) -> bool:
        """Make ``records`` durable there; False if the device does not answer in time.

        While it is ill nothing waits: the records are offered as a probe if it is idle, and
        counted as missed if it is not.
        """
        if not records:
            return self._healthy
        if self._pid != os.getpid():
            self._reset()
        with self._lock:  # one batch at a time; held no longer than the patience
            return self._write(records)

    def close(self) -> None:
        """Stop the thread; one that hangs is left to the process's end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and self._pid == os.getpid():
            thread.join(self._patience)

    def _write(self, records: Sequence[bytes]) -> bool:
        with self._changed:
            if self._busy:
                self._missed += len(records)
                return False
            waits = self._healthy
            self._said, self._count = self._missed, len(records)
            self._offered = b"".join((self._gap(), *(record + b"\n" for record in records)))
            self._busy = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="audit-device", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            if waits:
                self._changed.wait_for(lambda: not self._busy, self._patience)
            in_time = waits and not self._busy and self._healthy
            if not in_time and self._busy:
                self._ail("it does not answer")
            return in_time

    def _gap(self) -> bytes:
        """Return the line that says what is missing before this one, if anything is."""
        if not self._missed:
            return b""
        at = to_rfc3339(self._clock.now())
        return f'{{"gap":{{"records":{self._missed},"until":"{at}"}}}}\n'.encode()

    def _loop(self) -> None:
        while (content := self._next()) is not None:
            try:
                self._append(content)
            except OSError as error:
                self._finish(type(error).__name__)
            else:
                self._finish(None)
        self._drop_file()

    def _next(self) -> bytes | None:
        with self._changed:
            while self._offered is None and not self._stopping:
                self._changed.wait()
            content, self._offered = self._offered, None
            return content

    def _finish(self, fault: str | None) -> None:
        with self._changed:
            if fault is None:
                if not self._healthy:
                    _LOG.warning("the second audit device answers again")
                self._healthy = True
                self._missed -= self._said
            else:
                self._missed += self._count
                self._ail(fault)
                self._drop_file()
            self._busy = False
            self._changed.notify_all()

    def _ail(self, why: str) -> None:
        if self._healthy:
            _LOG.error("the second audit device is down: %s", why)
        self._healthy = False

    def _append(self, content: bytes) -> None:
        day = to_rfc3339(self._clock.now())[:10]
        if self._descriptor is None or day != self._day:
            self._drop_file()
            make_folder(self._folder)
            path = self._folder / f"{day}-{self._role}-{self._pid}.jsonl"
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, _PRIVATE)
            self._day = day
            sync_folder(self._folder)
            if os.fstat(self._descriptor).st_size:  # its last line may be torn: begin another
                content = b"\n" + content
        view = memoryview(content)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self._sync(self._descriptor)

    def _drop_file(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
