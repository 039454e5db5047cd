"""Puts the log store on Elasticsearch together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from detectors.adapters.elastic.address import ElasticAddress
from detectors.adapters.elastic.checking import ElasticFiles
from detectors.adapters.elastic.connection import Connection
from detectors.adapters.elastic.reader import Reader
from detectors.adapters.elastic.store import ElasticStore
from detectors.adapters.elastic.writer import Surroundings, Writer
from detectors.adapters.segments.spool import Spool
from detectors.ports import ClosedSegments, Indexing, QueryEvaluator
from secops.kernel.leases import Leases


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds requests are tried again, and how long one may take."""

    writing: float = 30.0
    reading: float = 5.0
    request: float = 30.0


_PATIENCE: Final = Patience()


@dataclass(frozen=True, slots=True)
class Elastic:
    """The log store, its quick door, its background work, and a look at its integrity."""

    store: ElasticStore
    spool: Spool
    writer: Writer
    files: ElasticFiles
    connection: Connection


@dataclass(frozen=True, slots=True)
class Judgement:
    """What decides (``evaluator``) and what may be asked for (``indexing``)."""

    evaluator: QueryEvaluator
    indexing: Indexing


@dataclass(frozen=True, slots=True)
class Hearers:
    """Who is told of closed batches and damaged spool files."""

    closed: ClosedSegments
    damaged: Callable[[str], None]


def open_elastic(  # noqa: PLR0913 - a port each
    address: ElasticAddress,
    spool: Spool,
    judgement: Judgement,
    hearers: Hearers,
    leases: tuple[Leases, Callable[[], str]],
    *,
    patience: Patience = _PATIENCE,
) -> Elastic:
    """Open the store; nothing is asked of the cluster before it is used.

    ``leases`` come with what names a holder anew each time.
    """
    seconds = patience.request
    connection = Connection(address, patience=patience.writing, request_seconds=seconds)
    asking = Connection(address, patience=patience.reading, request_seconds=seconds)
    around = Surroundings(leases[1], leases[0], hearers.closed, hearers.damaged)
    writer = Writer(connection, judgement.indexing, spool, around)
    reader = Reader(asking, judgement.indexing, judgement.evaluator)
    store = ElasticStore(reader, writer, spool)
    return Elastic(store, spool, writer, ElasticFiles(asking), connection)
