"""Chains of custody: each link is a signed record over RFC 8785 JSON that names the one before.

A link says who gave what to whom, when and why, with the digests of the evidence. Its
signature covers all of it; the next link holds the digest of record and signature together.
So nothing can be changed, put elsewhere, left out or repeated in between without the key. What
a chain alone can't tell is that its *end* was cut off: the export states heads and lengths
under the same key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from playbooks.errors.custody import CustodyRejected
from playbooks.models.custody import CustodyLink, CustodySignature, Evidence, VerifiedChain
from secops.crypto import signatures
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.crypto.options import DEFAULT
from secops.kernel.canonical import canonical
from secops.kernel.errors import Invalid

FORMAT: Final = "govsecops.custody/1"
STATEMENT: Final = "govsecops.custody-statement/1"
EXPORT: Final = "govsecops.custody-export/1"
KEPT: Final = "kept"
TRANSFERRED: Final = "transferred"
ALGORITHM: Final = "sm2-sm3"
MAX_LINKS: Final = 1_000
_CONSTANT: Final = ("org_id", "incident_id", "evidence_id", "size", "sha256", "sm3")
_FIELDS: Final = frozenset(
    (
        "format",
        *_CONSTANT,
        "name",
        "seq",
        "act",
        "giver",
        "receiver",
        "reason",
        "offered_at",
        "at",
        "previous",
    )
)

_Link = tuple[Mapping[str, Any], CustodySignature]
Keys = Mapping[str, bytes]
"""Public keys (SPKI, DER) by the id that signatures name."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Who gives to whom. Instants are UTC microseconds."""

    giver: str
    receiver: str
    reason: str
    offered_at: int
    at: int


def custody_record(item: Evidence, hand: HandOver) -> dict[str, Any]:
    """Return the record of the next link of ``item``: the first keeps, the others transfer."""
    return {
        "format": FORMAT,
        "org_id": item.org_id,
        "incident_id": item.incident_id,
        "evidence_id": item.id,
        "name": item.name,
        "size": item.size,
        "sha256": item.sha256,
        "sm3": item.sm3,
        "seq": item.links + 1,
        "act": TRANSFERRED if item.links else KEPT,
        "previous": item.head,
        **asdict(hand),
    }


def link_digest(record: Mapping[str, Any], signature: CustodySignature) -> str:
    """Return the SHA-256 of a link, record and signature, which the next one names."""
    return hashlib.sha256(
        canonical({"record": dict(record), "signature": asdict(signature)})
    ).hexdigest()


def link_of(item: Evidence, record: Mapping[str, Any], signature: CustodySignature) -> CustodyLink:
    """Return the link that was signed."""
    return CustodyLink(
        evidence_id=item.id,
        seq=record["seq"],
        org_id=item.org_id,
        incident_id=item.incident_id,
        record=record,
        signature=signature,
        digest=link_digest(record, signature),
    )


def verify_chain(
    links: Sequence[tuple[Mapping[str, Any], CustodySignature]], keys: Keys
) -> VerifiedChain:
    """Return what the chain proves; raise ``CustodyRejected`` with place and reason.

    1. The first link keeps, the others transfer, numbered without a gap.
    2. Each names the digest of the one before; the first names none.
    3. All are of the same evidence, digests and size.
    4. Only who holds it gives it, never to themselves, and time doesn't run backwards.
    5. Every record is signed by one of ``keys``.
    """
    if not links or len(links) > MAX_LINKS:
        raise CustodyRejected(f"a chain has 1 to {MAX_LINKS} links")
    head, last = "", links[0][0]
    for number, (record, signature) in enumerate(links, 1):
        _require_shape(record, number)
        _require_place(record, number, head)
        if number > 1:
            _require_follows(last, record, number)
        _require_signed(record, signature, keys, f"link {number}")
        head, last = link_digest(record, signature), record
    return VerifiedChain(
        evidence_id=last["evidence_id"],
        holder=last["receiver"],
        links=len(links),
        head=head,
        sha256=last["sha256"],
        sm3=last["sm3"],
        size=last["size"],
    )


def _require_shape(record: Mapping[str, Any], number: int) -> None:
    numbers = ("size", "seq", "offered_at", "at")
    if set(record) != _FIELDS or record["format"] != FORMAT:
        raise CustodyRejected(f"link {number} is no record of custody")
    for name, value in record.items():
        wanted = int if name in numbers else str
        if type(value) is not wanted:
            raise CustodyRejected(f"link {number}: {name} has the wrong type")


def _require_place(record: Mapping[str, Any], number: int, head: str) -> None:
    if record["seq"] != number:
        raise CustodyRejected(f"link {number} says that it is link {record['seq']}")
    if record["act"] != (KEPT if number == 1 else TRANSFERRED):
        raise CustodyRejected(f"link {number} is of another kind")
    if record["previous"] != head:
        raise CustodyRejected(f"link {number} does not follow the one before")


def _require_follows(last: Mapping[str, Any], record: Mapping[str, Any], number: int) -> None:
    for name in _CONSTANT:
        if record[name] != last[name]:
            raise CustodyRejected(f"link {number} is of another {name}")
    if record["giver"] != last["receiver"]:
        raise CustodyRejected(f"link {number} was given by who did not hold it")
    if record["receiver"] == record["giver"]:
        raise CustodyRejected(f"link {number} gives to the giver")
    if not in_order(last, record["offered_at"], record["at"]):
        raise CustodyRejected(f"link {number} lies before the one before it")


def in_order(last: Mapping[str, Any], offered_at: int, at: int) -> bool:
    """Tell whether a hand-over of these instants can follow the record ``last``."""
    return bool(last["at"] <= offered_at <= at)


def _require_signed(
    message: Mapping[str, Any], signature: CustodySignature, keys: Keys, what: str
) -> None:
    der = keys.get(signature.kid)
    if der is None or signature.algorithm != ALGORITHM:
        raise CustodyRejected(f"{what} is not signed by a known key")
    try:
        key = signatures.public_key("sm2", der)
        key.verify(bytes.fromhex(signature.value), canonical(dict(message)), DEFAULT)
    except (InvalidSignature, InvalidKey, MalformedEncoding, Invalid, ValueError) as error:
        raise CustodyRejected(f"the signature of {what} does not fit") from error


def statement_of(
    org_id: str, incident_id: str, made_at: int, heads: Sequence[tuple[str, int, str]]
) -> dict[str, Any]:
    """Return what an export states of ``heads`` (item, length, digest) at ``made_at``."""
    return {
        "format": STATEMENT,
        "org_id": org_id,
        "incident_id": incident_id,
        "made_at": made_at,
        "heads": [{"evidence_id": item, "links": n, "head": head} for item, n, head in heads],
    }


def export_of(
    statement: Mapping[str, Any],
    signature: CustodySignature,
    chains: Sequence[Sequence[CustodyLink]],
) -> dict[str, Any]:
    """Return the file that ``verify_export`` reads: the statement and every chain."""
    return {
        "format": EXPORT,
        "statement": dict(statement),
        "signature": asdict(signature),
        "chains": [
            [{"record": dict(link.record), "signature": asdict(link.signature)} for link in chain]
            for chain in chains
        ],
    }


def verify_export(document: Any, keys: Keys) -> tuple[VerifiedChain, ...]:
    """Return the chains of an export, all verified; raise ``CustodyRejected``.

    The statement's signature is checked, and that exactly the chains it names are there, each
    with its length and head: nothing was left out, added or cut off at its end.
    """
    statement, signature, chains = _opened(document)
    _require_signed(statement, signature, keys, "the statement")
    verified = tuple(verify_chain(chain, keys) for chain in chains)
    seen = statement_of(
        str(statement.get("org_id")),
        str(statement.get("incident_id")),
        statement.get("made_at", 0),
        [(one.evidence_id, one.links, one.head) for one in verified],
    )
    if seen != statement:
        raise CustodyRejected("the chains are not those that the statement names")
    for chain in chains:
        if chain[0][0]["incident_id"] != statement["incident_id"]:
            raise CustodyRejected("a chain is of another incident")
    return verified


def _opened(document: Any) -> tuple[dict[str, Any], CustodySignature, list[list[_Link]]]:
    try:
        if document["format"] != EXPORT:
            raise CustodyRejected("this is no export of custody")
        chains: list[list[_Link]] = [
            [(dict(link["record"]), _signature(link["signature"])) for link in chain]
            for chain in document["chains"]
        ]
        return dict(document["statement"]), _signature(document["signature"]), chains
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CustodyRejected("the export can't be read") from error


def _signature(value: Mapping[str, Any]) -> CustodySignature:
    if not all(type(text) is str for text in value.values()):
        raise CustodyRejected("a signature is made of texts")
    return CustodySignature(**value)
