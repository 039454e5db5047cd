"""Reports: rendered from a stored assessment, signed by the key pool, proved by the ledger."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from audits.core.c2sp.checkpoint import parse_tree_head
from audits.core.c2sp.note import open_note, parse_vkey
from audits.core.c2sp.proof_file import parse_proof
from audits.core.reports import (
    build_proof,
    check_claims,
    check_record,
    claims_of,
    read_signatures,
    signed_message,
)
from audits.core.rfc6962 import SHA256, verify_inclusion
from audits.errors import (
    EntryNotFound,
    MalformedProof,
    NotCheckpointed,
    NoteRejected,
    ProofRejected,
    ReportRejected,
)
from audits.models.compliance import Report, ReportSignature, VerifiedReport
from audits.ports.compliance import ReportRenderer, ReportSigner, ReportVerifier
from audits.ports.ledger import SignatureVerifier
from audits.service.assessments import AssessmentService
from audits.service.ledger_files import LedgerFiles
from audits.service.sequencer import Sequencer
from audits.service.signatures import check_of
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import EXPORT_REPORT
from secops.kernel.trail import Act, encode_act

Format = Literal["html", "json"]
FORMATS: Final[Mapping[Format, str]] = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}
_PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.05
_MAX_PROOF: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ReportParts:
    """What reports need beside the assessment: renderer, signer, digest, ledger, a pause."""

    renderer: ReportRenderer
    signer: ReportSigner
    sm3: Callable[[bytes], bytes]
    ledger: LedgerFiles
    sequencer: Sequencer
    pause: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class ReportService:
    """Exports reports that prove themselves."""

    parts: Parts
    assessments: AssessmentService
    tools: ReportParts

    def export_report(
        self, actor: Actor, assessment_id: str, form: Format, language: Language = "zh"
    ) -> Report:
        """Return the report with its proof; its export is an entry of the ledger."""
        self.parts.access.require(actor, EXPORT_REPORT, f"assessment:{assessment_id}")
        document = self.assessments.show_assessment(actor, assessment_id)
        content = self._render(document, form, language)
        claims = claims_of(
            content, self.tools.sm3(content).hex(), assessment_id, self.parts.clock.now()
        )
        signatures = tuple(self.tools.signer.sign_report(signed_message(claims)))
        record = self._record(actor, claims, signatures)
        proof = build_proof(claims, signatures, record, self._prove(record))
        name = f"{document['standard']}-level{document['level']}-{assessment_id}.{form}"
        return Report(name, FORMATS[form], content, proof)

    def _render(self, document: Mapping[str, Any], form: Format, language: Language) -> bytes:
        if form == "json":
            return orjson.dumps(document, option=orjson.OPT_INDENT_2)
        return self.tools.renderer.render_html(document, language)

    def _record(
        self, actor: Actor, claims: Mapping[str, Any], signatures: Sequence[ReportSignature]
    ) -> bytes:
        details = {
            "sm3": claims["sm3"],
            "assessment": claims["assessment"],
            "keys": {
                signature.algorithm: hashlib.sha256(signature.public_key).hexdigest()
                for signature in signatures
            },
        }
        act = Act("audits.export_report", actor, f"report:{claims['sha256']}", details=details)

        def work(tx: Any) -> int:
            tx.record(act)
            now: int = tx.now
            return now

        return encode_act(act, self.parts.transactions.run(work))

    def _prove(self, record: bytes) -> str | None:
        """Return the inclusion proof, sequencing here if nobody else does; None if locked out."""
        leaf = hashlib.sha256(b"\x00" + record).hexdigest()
        deadline = self.parts.clock.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self.tools.ledger.prove_entry(leaf)
            except (EntryNotFound, NotCheckpointed):
                if self.parts.clock.monotonic() > deadline:
                    return None
            self.tools.sequencer.tick()
            self.tools.pause(_PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Verifies reports over files alone: needs verification keys, no home and nobody."""

    verifier: ReportVerifier
    ledger_verifier: SignatureVerifier
    sm3: Callable[[bytes], bytes]

    def verify_report(
        self, content: bytes, proof_content: bytes, vkeys: Sequence[str]
    ) -> VerifiedReport:
        """Return what was proved of ``content``; raise ``ReportRejected`` with the reason.

        ``vkeys`` are the ledger's verification keys, kept elsewhere. The chain is: key →
        checkpoint → entry → digests and key fingerprints → signatures.
        """
        proof = _parse(proof_content)
        claims = check_claims(proof, content, self.sm3(content).hex())
        record_bytes, entry, checkpoint = self._check_ledger(proof, vkeys)
        record = _parse(record_bytes)
        check_record(record, claims)
        signed_by = self._check_signatures(proof, claims, record["details"]["keys"])
        return VerifiedReport(
            sha256=str(claims["sha256"]),
            sm3=str(claims["sm3"]),
            assessment_id=str(claims.get("assessment", "")),
            signed_by=signed_by,
            entry=entry,
            checkpoint=checkpoint,
        )

    def _check_ledger(
        self, proof: Mapping[str, Any], vkeys: Sequence[str]
    ) -> tuple[bytes, int, str]:
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

    def _check_signatures(
        self, proof: Mapping[str, Any], claims: Mapping[str, Any], keys: Mapping[str, str]
    ) -> tuple[str, ...]:
        signatures = read_signatures(proof)
        if not signatures or {signature.algorithm for signature in signatures} != set(keys):
            raise ReportRejected("the signatures are not those the ledger names")
        message = signed_message(claims)
        for signature in signatures:
            fingerprint = hashlib.sha256(signature.public_key).hexdigest()
            if keys[signature.algorithm] != fingerprint:
                raise ReportRejected("signed by a key that the ledger does not name")
            self.verifier.verify_report_signature(signature, message)
        return tuple(f"{signature.algorithm}:{signature.key}" for signature in signatures)


def _parse(content: bytes) -> Mapping[str, Any]:
    if len(content) > _MAX_PROOF:
        raise ReportRejected("the proof is larger than any of ours")
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ReportRejected("the proof is not JSON") from error
    if not isinstance(value, dict):
        raise ReportRejected("the proof is not a JSON object")
    return value
