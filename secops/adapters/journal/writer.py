"""The kernel's ``Trail``: hot acts become durable in this process's own files.

One thread writes what has queued and syncs it once; nobody is answered before. There is
no waiting for company: while one batch is synced, the next one gathers.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from secops.adapters.audit_device import AuditDevice
from secops.adapters.journal.frames import (
    FILE_HEADER,
    FRAME_HEAD,
    encode_frame,
    first_running,
    frame_size,
)
from secops.adapters.journal.segments import (
    LARGEST,
    Segment,
    SegmentFiles,
    position_of,
    write_all,
)
from secops.kernel.clock import Clock
from secops.kernel.errors import AuditUnavailable, SecopsError, TooLarge
from secops.kernel.ids import Randomness
from secops.kernel.trail import (
    MAX_RECORD,
    PATIENCE,
    Act,
    OnDurable,
    Receipt,
    encode_act,
    needs_second_device,
)
from secops.kernel.waiting import about_to_wait

MAX_WAITING: Final = 16_384
_MAX_BATCH_SHARE: Final = 4
_CLOSING: Final = FRAME_HEAD + 16
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """``folder`` holds all processes' journals; ``file_bytes`` is at most ``LARGEST``.

    ``device`` is told every record before it is written here.
    """

    folder: Path
    role: str
    file_bytes: int = LARGEST
    device: AuditDevice | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    records: Sequence[bytes]
    size: int
    on_durable: OnDurable
    needs_second_device: bool = False


class JournalWriter:
    """Appends acts. Nothing is opened before the first one, nor kept over a fork.

    ``before_batch`` raises ``AuditUnavailable`` while something older must enter the ledger
    first; ``sync`` makes a file's data durable.
    """

    def __init__(
        self,
        options: JournalOptions,
        clock: Clock,
        randomness: Randomness,
        *,
        before_batch: Callable[[], None] = lambda: None,
        sync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        self._device = options.device
        self._options = options
        self._clock = clock
        self._randomness = randomness
        self._before_batch = before_batch
        self._sync = sync
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        noise = self._randomness.bytes(5).hex()
        self._process = f"{self._options.role}-{self._pid}-{noise}"
        self._changed = threading.Condition()
        self._waiting: list[_Request] = []
        self._waiting_records = 0
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._distrusted = False
        self._files: SegmentFiles | None = None
        self._segment: Segment | None = None
        self._offset = FILE_HEADER
        self._running = b""

    @property
    def process(self) -> str:
        """The name of this process's journal."""
        return self._process

    def append(self, acts: Sequence[Act]) -> Sequence[Receipt]:
        """Make ``acts`` durable and return; raise ``AuditUnavailable`` if that fails."""
        about_to_wait()
        answer: list[tuple[Sequence[Receipt], SecopsError | None]] = []
        # a bare lock as a one-shot signal: a tenth of an Event's cost
        done = threading.Lock()
        done.acquire()

        def on_durable(receipts: Sequence[Receipt], error: SecopsError | None) -> None:
            answer.append((receipts, error))
            done.release()

        self.submit(acts, on_durable)
        if not done.acquire(timeout=PATIENCE):
            msg = "the journal's disk does not answer"
            raise AuditUnavailable(msg)
        receipts, error = answer[0]
        if error is not None:
            raise error
        return receipts

    def submit(self, acts: Sequence[Act], on_durable: OnDurable) -> None:
        """Queue ``acts`` without waiting; ``on_durable(receipts, error)`` is called once.

        It is called in the journal's thread and must return at once. Raises ``TooLarge``, or
        ``AuditUnavailable`` when the journal can't take more.
        """
        now = self._clock.now()
        records = [encode_act(act, now) for act in acts]
        size = sum(map(frame_size, records))
        if any(len(record) > MAX_RECORD for record in records) or size > self._batch_limit:
            msg = f"a record is at most {MAX_RECORD} bytes; put large things in by digest"
            raise TooLarge(msg)
        if self._pid != os.getpid():
            self._reset()  # a forked child has neither the thread nor the right to the files
        with self._changed:
            self._check_open(len(records))
            needs_second = self._device is not None and any(map(needs_second_device, acts))
            self._waiting.append(_Request(records, size, on_durable, needs_second))
            self._waiting_records += len(records)
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="journal", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Make durable what waits, then stop."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and self._pid == os.getpid():
            thread.join()

    @property
    def _batch_limit(self) -> int:
        return self._options.file_bytes // _MAX_BATCH_SHARE

    def _check_open(self, count: int) -> None:
        if self._distrusted:
            msg = "the disk lost a write: nothing is trusted until a restart"
            raise AuditUnavailable(msg)
        if self._stopping:
            msg = "the service is stopping"
            raise AuditUnavailable(msg)
        if self._waiting_records + count > MAX_WAITING:
            msg = "too many acts wait for the disk"
            raise AuditUnavailable(msg)

    def _loop(self) -> None:
        while waiting := self._next_batch():
            batch = self._told_device(waiting)
            try:
                receipts = self._write(batch) if batch else []
            except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
                self._refuse(batch, error)
            else:
                for request, got in zip(batch, receipts, strict=True):
                    _tell(request, got, None)
        if self._segment is not None:
            self._segment.close()
        if self._files is not None:
            self._files.close()

    def _told_device(self, batch: list[_Request]) -> list[_Request]:
        """Return what may go on: without the device's word nothing that needs two devices."""
        if self._device is None:
            return batch
        told = self._device.write([record for request in batch for record in request.records])
        if told:
            return batch
        refusal = AuditUnavailable("the second audit device does not answer: nothing was granted")
        for request in batch:
            if request.needs_second_device:
                _tell(request, (), refusal)
        return [request for request in batch if not request.needs_second_device]

    def _next_batch(self) -> list[_Request]:
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            size = count = 0
            for request in self._waiting:
                if size + request.size > self._batch_limit:
                    break
                size += request.size
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
            self._waiting_records -= sum(len(request.records) for request in batch)
            return batch

    def _refuse(self, batch: Sequence[_Request], cause: Exception) -> None:
        refusal = AuditUnavailable("the journal can't be written: nothing was granted")
        refusal.__cause__ = cause
        for request in batch:
            _tell(request, (), refusal)

    def _write(self, batch: Sequence[_Request]) -> list[Sequence[Receipt]]:
        if self._distrusted:
            msg = "the disk lost a write"
            raise AuditUnavailable(msg)
        self._before_batch()
        segment = self._room_for(sum(request.size for request in batch))
        begin, running = self._offset, self._running
        offset = begin
        frames: list[bytes] = []
        receipts: list[Sequence[Receipt]] = []
        for request in batch:
            got = []
            for record in request.records:
                frame, running = encode_frame(
                    record, file_id=segment.file_id, batch=begin, running=running
                )
                frames.append(frame)
                leaf = hashlib.sha256(b"\0" + record).digest()
                got.append(Receipt(self._process, position_of(segment.number, offset), leaf))
                offset += len(frame)
            receipts.append(got)
        self._make_durable(segment, b"".join(frames))
        self._offset, self._running = offset, running
        if offset > self._options.file_bytes // 2 and self._files is not None:
            self._files.prepare(segment.number + 1)
        return receipts

    def _room_for(self, size: int) -> Segment:
        """Return the file that takes ``size`` more bytes and its closing frame."""
        if self._segment is None:
            files = SegmentFiles(
                self._options.folder / self._process, self._options.file_bytes, self._randomness
            )
            self._begin(files.open())
            self._files = files
        elif self._offset + size + _CLOSING > self._options.file_bytes:
            self._close_segment(self._segment)
        if self._segment is None:
            raise OSError(errno.ENOSPC, "no journal file")
        return self._segment

    def _close_segment(self, segment: Segment) -> None:
        if self._files is None:
            return
        following = self._files.take(segment.number + 1)
        # the closing frame names the next file, so that neither can be exchanged
        frame, _ = encode_frame(
            following.file_id,
            file_id=segment.file_id,
            batch=self._offset,
            running=self._running,
            last=True,
        )
        self._make_durable(segment, frame)
        segment.close()
        self._begin(following)

    def _begin(self, segment: Segment) -> None:
        self._segment = segment
        self._offset = FILE_HEADER
        self._running = first_running(segment.file_id)

    def _make_durable(self, segment: Segment, content: bytes) -> None:
        try:
            write_all(segment.descriptor, content, self._offset)
            self._sync(segment.descriptor)
        except OSError as error:
            if error.errno not in _FULL:
                # after a failed sync the kernel may call lost pages clean: a later
                # success would prove nothing, so this process never trusts the file again
                self._distrusted = True
            raise
        if self._files is not None:
            self._files.publish(position_of(segment.number, self._offset + len(content)))


def _tell(request: _Request, receipts: Sequence[Receipt], error: SecopsError | None) -> None:
    # one caller's defect must not keep the others from their answers
    with contextlib.suppress(Exception):
        request.on_durable(receipts, error)
