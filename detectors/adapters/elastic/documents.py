"""Events as documents and back, and the digest of what was stored."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from detectors.models.shadows import SEARCHED, Shadow
from secops.kernel.logs import LogEvent, StoredEvent, Value

SHOWN: Final = ("at", "seq", "ingested", "source", "raw", "raw64", "fields", "odd")
"""What reading needs of a document."""
_LONGEST_NAME: Final = 512
_MILLI: Final = 1_000


def document_of(stored: StoredEvent, shadow: Shadow) -> dict[str, Any]:
    """Return the document of an event."""
    event = stored.event
    document = _own(stored)
    sound = {name: value for name, value in event.fields.items() if _is_sound(name)}
    document["fields"] = sound
    if len(sound) < len(event.fields):
        rest = {name: value for name, value in event.fields.items() if name not in sound}
        document["odd"] = orjson.dumps(rest).decode()
    parts: dict[str, dict[str, Any]] = {"fold": {}, "rev": {}, "rest": {}, "rest_rev": {}}
    for key, texts in shadow.texts.items():
        kind = "fold" if key in SEARCHED else "rest"
        back = "rev" if key in SEARCHED else "rest_rev"
        parts[kind][key] = texts
        parts[back][key] = [text[::-1] for text in texts]
    parts |= {"ip": dict(shadow.addresses), "number": dict(shadow.numbers)}
    document |= {name: part for name, part in parts.items() if part}
    if shadow.vague:
        document["vague"] = shadow.vague
    return document


def bare_document(stored: StoredEvent) -> dict[str, Any]:
    """Return the document of an event that the cluster would not index: it may match anything."""
    whole = orjson.dumps(dict(stored.event.fields)).decode()
    return {**_own(stored), "fields": {}, "odd": whole, "vague": ["*"]}


def stored_event(identifier: str, source: Mapping[str, Any]) -> StoredEvent:
    """Return the event in a document."""
    raw = source.get("raw")
    kept = source["raw64"] if raw is None else raw
    fields = _values(source["fields"])
    if "odd" in source:
        fields |= _values(orjson.loads(source["odd"]))
    event = LogEvent(
        identifier,
        source["source"],
        source["at"],
        source["ingested"],
        fields,
        base64.b64decode(kept) if raw is None else kept.encode(),
    )
    return StoredEvent(source["seq"], event)


def digests_of(events: Iterable[StoredEvent]) -> tuple[str, str]:
    """Return SHA-256 and SM3 over ``events``, whatever form they are stored in."""
    from secops.crypto.hashes import sha256, sm3  # noqa: PLC0415 - crypto loads engines

    content = b"\n".join(map(_canonical, events))
    return sha256(content).hex(), sm3(content).hex()


def _canonical(stored: StoredEvent) -> bytes:
    event = stored.event
    values = dict(sorted(event.fields.items()))
    raw = base64.b64encode(event.raw).decode()
    return orjson.dumps([stored.seq, event.id, event.source, event.at, event.ingested, values, raw])


def _own(stored: StoredEvent) -> dict[str, Any]:
    event = stored.event
    document: dict[str, Any] = {
        "@timestamp": event.at // _MILLI,
        "at": event.at,
        "seq": stored.seq,
        "ingested": event.ingested,
        "source": event.source,
    }
    try:
        document["raw"] = event.raw.decode()
    except UnicodeDecodeError:
        document["raw64"] = base64.b64encode(event.raw).decode()
    return document


def _is_sound(name: str) -> bool:
    """Tell whether the server takes ``name`` as a key of a flattened field."""
    is_short = len(name) <= _LONGEST_NAME
    return is_short and bool(name.strip()) and "\x00" not in name and all(name.split("."))


def _values(written: Mapping[str, Any]) -> dict[str, Value]:
    return {n: v if v.__class__ is str else tuple(v) for n, v in written.items()}


def operations(
    action: str, documents: Sequence[tuple[str, str, Mapping[str, Any]]]
) -> list[list[bytes]]:
    """Return each (index, id, document) as the two lines of a bulk request."""
    return [
        [orjson.dumps({action: {"_index": index, "_id": identifier}}), orjson.dumps(document)]
        for index, identifier, document in documents
    ]
