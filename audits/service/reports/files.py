"""Verification of reports and findings over files alone: no home, nobody, no database."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from audits.core.c2sp.checkpoint import parse_tree_head
from audits.core.c2sp.note import open_note, parse_vkey
from audits.core.c2sp.proof_file import parse_proof
from audits.core.report_parts import what_changed
from audits.core.reports import (
    FINDING_KIND,
    PROOF_KIND,
    build_finding,
    check_claims,
    check_finding,
    check_lists,
    check_record,
    finding_path,
    item_ids,
    parse_object,
    proved_document,
    proved_parts,
    read_signatures,
    signed_message,
)
from audits.core.rfc6962 import SHA256, verify_inclusion
from audits.errors import (
    MalformedProof,
    NoteRejected,
    ProofRejected,
    ReportChanged,
    ReportRejected,
)
from audits.models.reports import VerifiedReport
from audits.ports.ledger import SignatureVerifier
from audits.ports.reports import ReportVerifier
from audits.service.ledger.signatures import check_of

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Verifies reports; ``vkeys`` are always the ledger's verification keys, kept elsewhere."""

    verifier: ReportVerifier
    ledger_verifier: SignatureVerifier
    sm3: Callable[[bytes], bytes]

    def verify_report(
        self, content: bytes, proof_content: bytes, vkeys: Sequence[str]
    ) -> VerifiedReport:
        """Return what was proved of ``content``; raise ``ReportRejected`` with the reason.

        The chain is: key → checkpoint → entry → claims and key fingerprints → signatures →
        document, roots and list of parts → the file. ``ReportChanged`` names the parts.
        """
        proof, claims, verified = self._sealed(proof_content, PROOF_KIND, vkeys)
        wrong = check_claims(claims, content, self.sm3(content).hex())
        document = proved_document(proof, claims)
        check_lists(proof, claims, document)
        parts = proved_parts(proof, claims)
        if wrong:
            changes = what_changed(str(claims.get("form")), content, item_ids(document), parts)
            raise ReportChanged(wrong, [(each.how, each.name, each.items) for each in changes])
        return verified

    def prove_finding(
        self, content: bytes, proof_content: bytes, item_id: str, vkeys: Sequence[str]
    ) -> bytes:
        """Return a file that proves one item of a report; the report is verified first.

        Raises ``ReportRejected``, ``ReportChanged``, ``NotFound``.
        """
        self.verify_report(content, proof_content, vkeys)
        proof = parse_object(proof_content)
        return build_finding(proof, finding_path(proved_document(proof, proof["claims"]), item_id))

    def verify_finding(self, content: bytes, vkeys: Sequence[str]) -> VerifiedReport:
        """Return what was proved of the file of one finding; raise ``ReportRejected``."""
        finding, claims, verified = self._sealed(content, FINDING_KIND, vkeys)
        return replace(verified, finding=check_finding(finding, claims))

    @staticmethod
    def is_finding(content: bytes) -> bool:
        """Tell whether ``content`` calls itself the proof of a finding; nothing is verified."""
        try:
            return parse_object(content).get("kind") == FINDING_KIND
        except ReportRejected:
            return False

    def _sealed(
        self, content: bytes, kind: str, vkeys: Sequence[str]
    ) -> tuple[Json, Json, VerifiedReport]:
        """Return the parsed proof, its claims, and what ledger and signatures say of them."""
        proof = parse_object(content)
        if proof.get("kind") != kind:
            raise ReportRejected("the proof is of an unknown kind")
        claims = proof.get("claims")
        if not isinstance(claims, dict):
            raise ReportRejected("the proof claims nothing")
        record_bytes, entry, checkpoint = self._check_ledger(proof, vkeys)
        record = parse_object(record_bytes)
        check_record(record, claims)
        signed_by = self._check_signatures(proof, claims, record["details"].get("keys"))
        return (
            proof,
            claims,
            VerifiedReport(
                sha256=str(claims.get("sha256")),
                sm3=str(claims.get("sm3")),
                assessment_id=str(claims.get("assessment")),
                signed_by=signed_by,
                entry=entry,
                checkpoint=checkpoint,
                template=str(claims.get("template") or ""),
            ),
        )

    def _check_ledger(self, proof: Json, vkeys: Sequence[str]) -> tuple[bytes, int, str]:
        if not vkeys:
            raise ReportRejected("no verification keys: without them nothing is proved")
        try:
            record = base64.b64decode(proof["record"], validate=True)
            included = parse_proof(str(proof["ledger_proof"]))
            keys = [parse_vkey(vkey) for vkey in vkeys]
            note = open_note(included.checkpoint, keys, check_of(self.ledger_verifier))
            head = parse_tree_head(note)
            leaf = SHA256.leaf(record)
            verify_inclusion(
                SHA256, (included.index, leaf), (head.size, head.root), proof=included.hashes
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ReportRejected("the proof is malformed") from error
        except (MalformedProof, NoteRejected, ProofRejected) as error:
            raise ReportRejected(f"the ledger's proof fails: {error.detail}") from error
        return record, included.index, included.checkpoint

    def _check_signatures(self, proof: Json, claims: Json, keys: object) -> tuple[str, ...]:
        signatures = read_signatures(proof)
        named = keys if isinstance(keys, dict) else {}
        if not signatures or sorted(each.algorithm for each in signatures) != sorted(named):
            raise ReportRejected("the signatures are not those the ledger names")
        message = signed_message(claims)
        signed_by = []
        for signature in signatures:
            fingerprint = hashlib.sha256(signature.public_key).hexdigest()
            if named[signature.algorithm] != fingerprint:
                raise ReportRejected("signed by a key that the ledger does not name")
            self.verifier.verify_report_signature(signature, message)
            # the key's name in the proof is nobody's word: the ledger vouches for its fingerprint
            signed_by.append(f"{signature.algorithm}:{fingerprint}")
        return tuple(signed_by)
