"""Chunks of a great ledger, checked by as many processes as there are processors."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final

from audits.ports.ledger import LedgerReader
from audits.service.ledger.quick_verification import Chunk, Parts, check_chunks

WORTH: Final = 32
"""Chunks from which on the processes' start is made up for: 131,072 entries."""
_AT_ONCE: Final = 4

OpenReader = Callable[[], LedgerReader]
_opened: list[LedgerReader] = []


class ChunkProcesses:
    """Implements ``CheckChunks``; ``open_reader`` must be picklable, each process calls it once."""

    def __init__(self, open_reader: OpenReader, worth: int = WORTH) -> None:
        self._open_reader = open_reader
        self._worth = worth

    def __call__(self, store: LedgerReader, chunks: Sequence[Chunk]) -> Iterator[Parts]:
        """Check ``chunks`` in their order; raise ``LedgerDamaged``."""
        if len(chunks) < self._worth or multiprocessing.current_process().daemon:
            yield from check_chunks(store, chunks)
            return
        done = 0
        try:
            for parts in self._side_by_side(chunks):
                done += 1
                yield parts
        except BrokenProcessPool:  # killed for want of memory: alone it takes longer
            yield from check_chunks(store, chunks[done:])

    def _side_by_side(self, chunks: Sequence[Chunk]) -> Iterator[Parts]:
        processes = ProcessPoolExecutor(
            os.cpu_count(),
            multiprocessing.get_context("spawn"),  # a fork would share locks and connections
            initializer=_open,
            initargs=(self._open_reader,),
        )
        with processes:
            yield from processes.map(_check, chunks, chunksize=_AT_ONCE)


def _open(open_reader: OpenReader) -> None:
    # killed, the parent can't tell its children to end: each watches for itself
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _opened.append(open_reader())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _check(chunk: Chunk) -> Parts:
    (parts,) = check_chunks(_opened[0], [chunk])
    return parts
