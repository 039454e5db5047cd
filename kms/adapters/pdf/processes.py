"""The process that forks a child for each question about a document, seen from who asks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from typing import Any, Final

from kms.adapters.pdf.frames import BrokenFrame, receive, receive_frame, send_frame
from kms.errors.seals import DocumentRejected
from secops.kernel.errors import TooMany, Unavailable

_PATIENCE: Final = 31.0
"""Seconds on the wall, one more than the child gives itself."""

_AT_ONCE: Final = 8
"""Children: more than the public verification may have, so that it never takes all."""

_RETRY_SECONDS: Final = 5
_FAREWELL: Final = 2.0
_TRIES: Final = 2
_COMMAND: Final = (sys.executable, "-I", "-m", "kms.adapters.pdf.server")


class PdfProcesses:
    """One child process a question; it never sees a key. More than a few at once wait."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._server = _ForkServer()

    def ask(self, question: dict[str, Any], document: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the child's answer; raise ``DocumentRejected`` where a limit ended it.

        Raises ``TooMany`` where there is no place for long, ``Unavailable`` where no process
        can be started.
        """
        if not self._places.acquire(timeout=_PATIENCE):
            msg = "too many PDFs are being read"
            raise TooMany(msg, retry_after=_RETRY_SECONDS)
        try:
            return self._server.ask(question, document)
        finally:
            self._places.release()

    def demand(self, question: dict[str, Any], document: bytes) -> tuple[dict[str, Any], bytes]:
        """Return as ``ask``; raise ``DocumentRejected`` where the child refused, too."""
        answer, content = self.ask(question, document)
        if "refused" in answer:
            raise DocumentRejected(answer["refused"])
        return answer, content

    @property
    def process_id(self) -> int | None:
        """The id of the process that forks, None before the first question."""
        return self._server.process_id

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._server.close()


class _ForkServer:
    """The process that forks a child a question: started at the first one, and when it died.

    It belongs to the process that asked first; a fork of that one starts its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._end: weakref.finalize[..., _ForkServer] | None = None

    def ask(self, question: dict[str, Any], document: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the child's answer; raises as ``PdfProcesses.ask``."""
        until = time.monotonic() + _PATIENCE
        for _ in range(_TRIES):
            with self._connect() as child:
                try:
                    receive(child, 1, until)
                except (BrokenFrame, OSError):
                    # nobody has seen the question yet: another process may
                    continue
                return _converse(child, question, document, until)
        msg = "no process can be started that reads PDFs"
        raise Unavailable(msg)

    @property
    def process_id(self) -> int | None:
        """The process's id, None before the first question."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._close()

    def _connect(self) -> socket.socket:
        """Return a socket whose other end the server has, or which is closed."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            for _ in range(_TRIES):
                control = self._started()
                try:
                    socket.send_fds(control, [b"?"], [theirs.fileno()])
                except OSError:
                    self._close()
                    continue
                break
        return ours

    def _started(self) -> socket.socket:
        if self._control is not None and self._owner == os.getpid():
            return self._control
        self._close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own module, nothing of a file
                _COMMAND,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
        self._control, self._process, self._owner = ours, process, os.getpid()
        self._end = weakref.finalize(self, _end, ours, process, self._owner)
        return ours

    def _close(self) -> None:
        if self._end is not None:
            self._end()
        self._end = self._control = self._process = None


def _end(control: socket.socket, process: subprocess.Popen[bytes], owner: int) -> None:
    """Close ``control`` and see the process off; in a fork it is somebody else's."""
    control.close()
    if owner != os.getpid():
        return
    try:
        process.wait(_FAREWELL)
    except subprocess.TimeoutExpired:
        # it holds nothing that could be lost; children at work end by themselves
        process.kill()
        process.wait()


def _converse(
    child: socket.socket, question: dict[str, Any], document: bytes, until: float
) -> tuple[dict[str, Any], bytes]:
    try:
        send_frame(child, question, document)
        answer, content = receive_frame(child, until)
    except (BrokenFrame, OSError) as error:
        msg = "the PDF can't be read within the limits of time and memory"
        raise DocumentRejected(msg) from error
    return answer, content
