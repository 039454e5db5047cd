"""How the cluster fares: reachable, our rights, its shards, what it could not index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from detectors.adapters.elastic.address import ElasticAddress
from detectors.adapters.elastic.connection import Connection
from detectors.adapters.elastic.mapping import VERSION, days_of
from detectors.adapters.elastic.state import StateDocument
from detectors.adapters.segments.spool import Spool
from detectors.errors import LogStoreRefused, LogStoreUnavailable

Level = Literal["ok", "unprotected", "outgrown", "fault"]
MAJOR: Final = "8."
_PATIENCE: Final = 3.0
_ABSENT: Final = 404
_SHARDS: Final = 800
"""Of the 1,000 that a node takes by default."""
_DISK: Final = 85
"""Percent, from which on a node takes no new shards."""
_PLACE: Final = "GET /_cluster/allocation/explain says why; see docs/manual/elasticsearch.md"


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """One thing that was looked at."""

    name: str
    state: Level
    seen: str
    remedy: str = ""


def findings(address: ElasticAddress, home: Path) -> Iterator[StoreFinding]:
    """Yield findings; what can't be asked is one of them, never an error."""
    connection = Connection(address, patience=_PATIENCE, request_seconds=10.0)
    try:
        yield from _cluster(connection)
        yield from _indices(connection)
    except LogStoreUnavailable as error:
        yield StoreFinding("log store", "fault", error.detail, error.remedy.en)
    except LogStoreRefused as error:
        yield StoreFinding("log store", "fault", error.detail, error.remedy.en)
    finally:
        connection.close()
    waits = not Spool(home / "spool", "doctor").is_empty()
    yield StoreFinding("log spool", "ok", "batches wait to be stored" if waits else "empty")


def _cluster(connection: Connection) -> Iterator[StoreFinding]:
    shown = {"filter_path": "nodes.*.version"}
    nodes = connection.ask("GET", "/_nodes/http", query=shown)["nodes"].values()
    versions = sorted({node["version"] for node in nodes})
    foreign = [version for version in versions if not version.startswith(MAJOR)]
    yield StoreFinding(
        "log store",
        "fault" if foreign else "ok",
        f"Elasticsearch {', '.join(versions)} on {len(nodes)} nodes",
        "use Elasticsearch 8" if foreign else "",
    )
    health = connection.ask("GET", "/_cluster/health")
    colour, missing = health["status"], health["unassigned_shards"]
    yield StoreFinding(
        "log store shards",
        "fault" if colour == "red" else "unprotected" if missing else "ok",
        f"{colour}, {health['active_shards']} active, {missing} unassigned",
        _PLACE if missing else "",
    )
    most = _SHARDS * max(1, health["number_of_data_nodes"])
    if health["active_shards"] > most:
        seen = f"{health['active_shards']} shards on {health['number_of_data_nodes']} nodes"
        yield StoreFinding("log store size", "outgrown", seen, "add nodes or shorten the retention")
    yield from _disks(connection)


def _disks(connection: Connection) -> Iterator[StoreFinding]:
    rows = connection.ask("GET", "/_cat/allocation", query={"format": "json", "bytes": "b"})
    fullest = max((int(row.get("disk.percent") or 0) for row in rows), default=0)
    yield StoreFinding(
        "log store disk",
        "fault" if fullest >= _DISK else "ok",
        f"the fullest node has {fullest} %",
        "free space: from 95 % on Elasticsearch makes indices read-only"
        if fullest >= _DISK
        else "",
    )


def _indices(connection: Connection) -> Iterator[StoreFinding]:
    prefix = connection.address.prefix
    found = connection.ask("GET", f"/_index_template/{prefix}", none_if=(_ABSENT,))
    listed = found["index_templates"] if found else []
    version = listed[0]["index_template"].get("_meta", {}).get("version") if listed else None
    state = StateDocument(connection).read()
    if version != VERSION:
        seen = "none yet" if version is None else f"version {version}, ours is {VERSION}"
        fault = version is not None or state.version is not None
        remedy = "ingest once with a user that may put templates" if fault else ""
        yield StoreFinding("log store template", "fault" if fault else "ok", seen, remedy)
    counts = {
        name: _count(connection, {"exists": {"field": field}})
        for name, field in (("ignored", "_ignored"), ("vague", "vague"))
    }
    bare = _count(connection, {"term": {"vague": "*"}})
    seen = f"{state.last_seq} numbers given; {counts['vague']} events partly searched by us"
    odd = counts["ignored"] + bare
    yield StoreFinding(
        "log store index",
        "fault" if odd else "ok",
        f"{seen}; {counts['ignored']} with ignored fields, {bare} not indexable",
        "somebody changed the template or mapping: compare with the manual" if odd else "",
    )


def _count(connection: Connection, query: dict[str, Any]) -> int:
    path = f"/{days_of(connection.address.prefix)}/_count"
    answer = connection.ask("POST", path, {"query": query}, none_if=(_ABSENT,))
    return int(answer["count"]) if answer else 0
