"""``FILE.proof``: what is claimed of a file, by whom it is signed, and where the ledger says so.

The claims bind the file (SHA-256, SM3, length), the document that it was rendered from, the roots
over that document's findings and evidence, and the digest of the list of the file's parts. The
ledger's record binds the claims and the keys. The document itself goes along, packed, so that each
finding can be proved from this file alone, whatever form the report has.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from audits.core.report_parts import Part, part_record, read_parts
from audits.core.reports.leaves import evidence_leaves, finding_leaves, item_ids, roots_of
from audits.core.rfc6962 import SHA256, SM3
from audits.errors import ReportRejected
from audits.models.reports import ReportSignature
from secops.kernel.canonical import canonical_record
from secops.kernel.clock import to_rfc3339

VERSION: Final = 2
PROOF_KIND: Final = "govsecops-report-proof"
MAX_PROOF: Final = 32 << 20
MAX_DOCUMENT: Final = 128 << 20
_PURPOSE: Final = "govsecops report v2"
_ACTIONS: Final = {"report": "audits.export_report", "archive": "audits.export_archive"}


@dataclass(frozen=True, slots=True)
class SealedWith:
    """What stands under claims: signatures, the ledger's record, and its inclusion proof."""

    signatures: tuple[ReportSignature, ...]
    record: bytes
    ledger_proof: str | None


def claims_of(  # noqa: PLR0913 - each is one claim
    kind: str,
    content: bytes,
    *,
    sm3: str,
    document: Mapping[str, Any],
    form: str,
    language: str,
    parts: Sequence[Part],
    issued_at: int,
    template: str = "",
) -> dict[str, Any]:
    """Return what is claimed of ``content`` (``sm3`` is its digest, hex).

    ``template`` is the digest of the office's own template, "" for ours: what a file says in an
    office's words is the office's choice, and whoever verifies it is told so.
    """
    return {
        "kind": kind,
        "sha256": hashlib.sha256(content).hexdigest(),
        "sm3": sm3,
        "length": len(content),
        "form": form,
        "language": language,
        "assessment": document["id"],
        "document": hashlib.sha256(canonical_record(document)).hexdigest(),
        "findings": roots_of(finding_leaves(document)).view(),
        "evidence": roots_of(evidence_leaves(document)).view(),
        "parts": _digest_of(_records_of(parts)),
        "issued_at": to_rfc3339(issued_at),
        "template": template,
    }


def _digest_of(value: Any) -> str:
    return hashlib.sha256(canonical_record(value)).hexdigest()


def _records_of(parts: Sequence[Part]) -> list[list[Any]]:
    return [part_record(each) for each in parts]


def _listed(items: Sequence[str], records: Sequence[bytes]) -> list[list[str]]:
    """Return each item's id with the hashes (hex) of its leaf in both trees."""
    return [
        [item, SHA256.leaf(one).hex(), SM3.leaf(one).hex()]
        for item, one in zip(items, records, strict=True)
    ]


def signed_message(claims: Mapping[str, Any]) -> bytes:
    """Return the bytes that the signatures are over."""
    return canonical_record({"purpose": _PURPOSE, **claims})


def target_of(claims: Mapping[str, Any]) -> tuple[str, str]:
    """Return action and target of the ledger's record; raise ``ReportRejected``."""
    kind = str(claims.get("kind"))
    if kind not in _ACTIONS:
        raise ReportRejected("the proof is of an unknown kind")
    return _ACTIONS[kind], f"{kind}:{claims.get('sha256')}"


def record_details(
    claims: Mapping[str, Any], signatures: Sequence[ReportSignature]
) -> dict[str, Any]:
    """Return what the ledger's record says of an export."""
    return {
        "claims": _digest_of(claims),
        "sm3": claims["sm3"],
        "assessment": claims["assessment"],
        "form": claims["form"],
        "findings": claims["findings"],
        "evidence": claims["evidence"],
        "keys": {
            each.algorithm: hashlib.sha256(each.public_key).hexdigest() for each in signatures
        },
    }


def packed(document: Mapping[str, Any]) -> str:
    """Return the document, deflated, in base64."""
    return base64.b64encode(zlib.compress(canonical_record(document), 9)).decode()


def seal_fields(sealed: SealedWith) -> dict[str, Any]:
    """Return the fields of a proof that lead from claims to the ledger."""
    return {
        "signatures": [
            {
                "algorithm": each.algorithm,
                "key": each.key,
                "public_key": base64.b64encode(each.public_key).decode(),
                "signature": base64.b64encode(each.signature).decode(),
            }
            for each in sealed.signatures
        ],
        "record": base64.b64encode(sealed.record).decode(),
        "ledger_proof": sealed.ledger_proof,
    }


def build_proof(
    claims: Mapping[str, Any],
    document: Mapping[str, Any],
    parts: Sequence[Part],
    sealed: SealedWith,
) -> bytes:
    """Return the content of ``FILE.proof``."""
    return canonical_record(
        {
            "v": VERSION,
            "kind": PROOF_KIND,
            "claims": dict(claims),
            "findings": _listed(item_ids(document), finding_leaves(document)),
            "parts": _records_of(parts),
            "document": packed(document),
            **seal_fields(sealed),
        }
    )


def parse_object(content: bytes) -> Mapping[str, Any]:
    """Return a JSON object; raise ``ReportRejected``."""
    if len(content) > MAX_PROOF:
        raise ReportRejected("the proof is larger than any of ours")
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ReportRejected("the proof is not JSON") from error
    if not isinstance(value, dict):
        raise ReportRejected("the proof is not a JSON object")
    return value


def read_signatures(proof: Mapping[str, Any]) -> tuple[ReportSignature, ...]:
    """Return the signatures in a parsed ``proof``; raise ``ReportRejected`` if malformed."""
    try:
        return tuple(
            ReportSignature(
                algorithm=str(entry["algorithm"]),
                key=str(entry["key"]),
                public_key=base64.b64decode(entry["public_key"], validate=True),
                signature=base64.b64decode(entry["signature"], validate=True),
            )
            for entry in proof["signatures"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReportRejected("the proof is malformed") from error


def check_record(record: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Raise ``ReportRejected`` unless the ledger's record is about these very claims."""
    action, target = target_of(claims)
    details = record.get("details")
    if (
        record.get("action") != action
        or record.get("outcome") != "done"
        or record.get("target") != target
        or not isinstance(details, dict)
        or details.get("claims") != _digest_of(claims)
        or any(details.get(name) != claims.get(name) for name in ("sm3", "findings", "evidence"))
    ):
        raise ReportRejected("the ledger's record is about something else")


def proved_document(proof: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the document that the claims bind; raise ``ReportRejected``."""
    try:
        work = zlib.decompressobj()
        content = work.decompress(base64.b64decode(proof["document"], validate=True), MAX_DOCUMENT)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ReportRejected("the document in the proof can't be read") from error
    if not work.eof or hashlib.sha256(content).hexdigest() != claims.get("document"):
        raise ReportRejected("the document in the proof was changed")
    document: Mapping[str, Any] = orjson.loads(content)
    return document


def proved_parts(proof: Mapping[str, Any], claims: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return the signed list of the file's parts; raise ``ReportRejected``."""
    parts = read_parts(proof.get("parts"))
    if _digest_of(_records_of(parts)) != claims.get("parts"):
        raise ReportRejected("the list of parts in the proof was changed")
    return parts


def check_lists(
    proof: Mapping[str, Any], claims: Mapping[str, Any], document: Mapping[str, Any]
) -> None:
    """Raise ``ReportRejected`` unless leaves and roots are those of the ``document``."""
    records = finding_leaves(document)
    if proof.get("findings") != _listed(item_ids(document), records):
        raise ReportRejected("the list of findings in the proof was changed")
    evidence = roots_of(evidence_leaves(document)).view()
    if (roots_of(records).view(), evidence) != (claims.get("findings"), claims.get("evidence")):
        raise ReportRejected("the roots are not those of the document")


def check_claims(claims: Mapping[str, Any], content: bytes, sm3: str) -> str:
    """Return the name of the claim that does not fit ``content``; "" if all do."""
    expected = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "sm3": sm3,
        "length": len(content),
    }
    return next((name for name, value in expected.items() if claims.get(name) != value), "")
