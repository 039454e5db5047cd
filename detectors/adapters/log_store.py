"""Opens the log store that the settings name: segments in the home, or an Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.adapters.elastic.address import SCHEME, ElasticAddress, read_address
from detectors.adapters.elastic.build import Hearers, Judgement, open_elastic
from detectors.adapters.elastic.health import StoreFinding, findings
from detectors.adapters.elastic.manifest import manifest_facts, write_manifest
from detectors.adapters.segments.build import open_segments
from detectors.adapters.segments.checking import SegmentFiles as LocalSegmentFiles
from detectors.adapters.segments.spool import Spool
from detectors.errors import LogStoreMisconfigured
from detectors.models import DetectorsOptions
from detectors.ports import SegmentFiles, SegmentWriter, StoredPieces
from secops.kernel.leases import Leases
from secops.kernel.logs import LogStore

SEGMENTS = "segments:"


@dataclass(frozen=True, slots=True)
class OpenedLogStore:
    """The store, its quick door, its background work, and a look at its integrity."""

    store: LogStore
    spool: Spool
    writer: SegmentWriter
    files: SegmentFiles
    pieces: StoredPieces | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The home, leases, and what names a holder of one anew each time."""

    home: Path
    leases: Leases
    owner: Callable[[], str]


def open_log_store(
    options: DetectorsOptions, around: Surroundings, judgement: Judgement, hearers: Hearers
) -> OpenedLogStore:
    """Return the log store; nothing is read or asked before it is used.

    Raises ``LogStoreMisconfigured``.
    """
    home = around.home
    if options.logstore_url == SEGMENTS:
        made = open_segments(
            home, options.process, judgement.evaluator, hearers.closed, hearers.damaged
        )
        files = LocalSegmentFiles(home / "segments")
        return OpenedLogStore(made.store, made.spool, made.writer, files, made.store)
    spool = Spool(home / "spool", options.process)
    leases = (around.leases, around.owner)
    elastic = open_elastic(elastic_address(options, home), spool, judgement, hearers, leases)
    return OpenedLogStore(elastic.store, spool, elastic.writer, elastic.files)


def elastic_address(options: DetectorsOptions, home: Path) -> ElasticAddress:
    """Return where the cluster is; raise ``LogStoreMisconfigured``."""
    if not options.logstore_url.startswith(SCHEME):
        raise LogStoreMisconfigured("write segments: or elasticsearch+https://user:pass@host:9200")
    return read_address(
        options.logstore_url,
        home,
        api_key=options.logstore_api_key,
        authority=options.logstore_ca,
    )


def examine(options: DetectorsOptions, home: Path) -> Iterator[StoreFinding]:
    """Yield what is to be said of the log store; nothing of segments, which have the disk."""
    if options.logstore_url != SEGMENTS:
        yield from findings(elastic_address(options, home), home)


def describe_for_backup(options: DetectorsOptions, home: Path) -> None:
    """Put into ``home`` what a backup must know of logs that lie elsewhere."""
    if options.logstore_url != SEGMENTS:
        write_manifest(elastic_address(options, home), home)


def backup_facts(options: DetectorsOptions, home: Path) -> Mapping[str, Any]:
    """Return what must be equal of logs that lie elsewhere before and after a restore."""
    if options.logstore_url == SEGMENTS:
        return {}
    return manifest_facts(elastic_address(options, home), home)
