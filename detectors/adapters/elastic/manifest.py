"""The index manifest of a backup: which batches there were, each with its digests."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson

from detectors.adapters.elastic.address import ElasticAddress
from detectors.adapters.elastic.checking import batches_of, joint_digests
from detectors.adapters.elastic.connection import Connection
from detectors.adapters.elastic.state import StateDocument
from secops.adapters.disk import write_durably

FILE: Final = "logstore.json"


def write_manifest(address: ElasticAddress, home: Path) -> None:
    """Write ``logstore.json`` into ``home``; raises where the cluster does not answer."""
    connection = Connection(address)
    try:
        state = StateDocument(connection).read()
        batches = {
            name: _line(batch)
            for name, batch in batches_of(connection)
            if not state.is_broken(batch["first_seq"]) and batch["last_seq"] <= state.last_seq
        }
        record = {"prefix": address.prefix, "last_seq": state.last_seq, "batches": batches}
        write_durably(home / FILE, orjson.dumps(record, option=orjson.OPT_SORT_KEYS))
    finally:
        connection.close()


def manifest_facts(address: ElasticAddress, home: Path) -> dict[str, Any]:
    """Return what of the manifest in ``home`` the cluster has now; nothing without a manifest.

    Equal facts say that the cluster knows every batch of the manifest with its digests.
    """
    from secops.crypto.hashes import sha256  # noqa: PLC0415 - crypto loads engines

    file = home / FILE
    if not file.is_file():
        return {}
    written = orjson.loads(file.read_bytes())
    connection = Connection(address)
    try:
        there = {name: _line(batch) for name, batch in batches_of(connection)}
    finally:
        connection.close()
    kept = {name: line for name, line in written["batches"].items() if there.get(name) == line}
    listing = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    return {"log_batches": len(kept), "log_batches_sha256": sha256(listing).hex()}


def _line(batch: Any) -> list[Any]:
    return [sum(day["events"] for day in batch["days"].values()), *joint_digests(batch["days"])]
