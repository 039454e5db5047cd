"""Work over all cores: processes of our own, fed and read over pipes, answers in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from detectors.service.runs.scan import Work

_ENOUGH = 64 << 20
_ENOUGH_PACKED = 4 << 20
_PACKED = (".gz", ".xz", ".zip")
_GOOD = b"+"


class WorkerDied(RuntimeError):
    """A process ended before it answered (killed, out of memory), or could not answer."""


def worth_processes(files: Iterable[tuple[str, int]]) -> bool:
    """Tell whether files (name, bytes) hold enough to pay for processes; two cores at least."""
    total = 0.0
    for name, size in files:
        total += size / _ENOUGH_PACKED if name.endswith(_PACKED) else size / _ENOUGH
    return total >= 1 and cores() > 1


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


class ForkedWorkers:
    """Implements ``Workers``: each process has at most one input, and gives one answer back.

    The processes are forked at the first input: what the function holds is shared, not sent.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def map(self, function: Callable[[Work], bytes], inputs: Iterable[Work]) -> Iterator[bytes]:
        """Yield the answer to each input, in their order; raise ``WorkerDied``."""
        import multiprocessing  # noqa: PLC0415 - slow, and small inputs need no processes

        context = multiprocessing.get_context("fork")
        pairs = [context.Pipe() for _ in range(self._count)]
        processes = [
            context.Process(target=_serve, args=(function, theirs, pairs), daemon=True)
            for _, theirs in pairs
        ]
        for process in processes:
            process.start()
        free = deque(ours for ours, _ in pairs)
        for _, theirs in pairs:
            theirs.close()
        try:
            yield from _exchange(free, inputs)
        finally:
            for ours, _ in pairs:
                ours.close()
            for process in processes:
                process.terminate()
                process.join()


def _exchange(free: deque[Connection], inputs: Iterable[Work]) -> Iterator[bytes]:
    busy: deque[Connection] = deque()
    try:
        for head, content in inputs:
            if not free:
                free.append(busy.popleft())
                yield _answer(free[-1])
            connection = free.popleft()
            connection.send_bytes(head)
            connection.send_bytes(content)
            busy.append(connection)
        while busy:
            yield _answer(busy.popleft())
    except (EOFError, OSError) as error:
        msg = "a process of the scan ended before it answered"
        raise WorkerDied(msg) from error


def _answer(connection: Connection) -> bytes:
    answer = connection.recv_bytes()
    if answer[:1] == _GOOD:
        return answer[1:]
    raise WorkerDied(answer[1:].decode("utf-8", "replace"))


def _serve(
    function: Callable[[Work], bytes],
    connection: Connection,
    pairs: list[tuple[Connection, Connection]],
) -> None:
    for ours, theirs in pairs:  # else the end of the parent would go unnoticed
        ours.close()
        if theirs is not connection:
            theirs.close()
    try:
        while True:
            head = connection.recv_bytes()
            connection.send_bytes(_answered(function, (head, connection.recv_bytes())))
    except (EOFError, OSError):
        return


def _answered(function: Callable[[Work], bytes], work: Work) -> bytes:
    try:
        return _GOOD + function(work)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says it and ends
        return f"-{type(error).__name__}: {error}".encode("utf-8", "replace")
