"""The verdict on a sealed file as a PDF that the instance signs with a key of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.etsi319142.verification import verify_pdf
from kms.core.rfc5280.writing import Name
from kms.errors.seals import SealRejected
from kms.models.seals import MARKING, VerificationReport
from kms.models.verdicts import FileDigests, VerdictPage
from kms.ports.pdf import PADES, PdfRequest
from kms.ports.verdict_pages import VerdictPages
from kms.service.authority import ORGANIZATION
from kms.service.public_limits import RateLimit
from kms.service.seals.pades import RESERVED, PadesSigning, SignerOrder
from kms.service.seals.parts import SealParts
from kms.service.seals.verifying import SealVerification
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.clock import to_rfc3339
from secops.kernel.permissions.kms import SEAL_REPORT
from secops.kernel.trail import Act

_TITLE: Final = "验章结论"
_YEAR: Final = 4


@dataclass(frozen=True, slots=True)
class SignedVerdict:
    """A verdict, and the signed PDF that says it."""

    report: VerificationReport
    document: bytes


class SealVerdicts:
    """Signs what the instance found, under its own anchors and nobody else's."""

    def __init__(
        self, seals: SealParts, verification: SealVerification, pages: VerdictPages
    ) -> None:
        self._seals = seals
        self._verification = verification
        self._pages = pages
        self._pades = PadesSigning(seals)
        self._limit = RateLimit(seals.parts.clock, what="verdicts")

    def report_verdict(
        self, actor: Actor, content: bytes, document: bytes | None = None
    ) -> SignedVerdict:
        """Return the verdict on ``content`` and its signed PDF, entered in the ledger.

        Raises ``Forbidden``, ``TooMany`` (20 a minute and account), ``FontMissing``, what
        ``verify_seal`` raises, and what a signature of the instance's level raises.
        """
        parts = self._seals.parts
        parts.access.require(actor, SEAL_REPORT, "seal:*")
        self._limit.spend(actor.id)
        report = self._verification.verify_seal(content, document)
        page = VerdictPage(
            report=report,
            file=_digests(content),
            document=None if document is None else _digests(document),
            judged_at=parts.clock.now(),
            instance=self._seals.authority.public_url or ORGANIZATION,
            anchors=self._anchors(),
        )
        signed = self._signed(self._pages.render(page))
        details = {
            "file_sm3": page.file.sm3,
            "valid": report.valid,
            "verdict_sm3": sm3(signed).hex(),
        }
        act = Act("kms.report_verdict", actor, f"file:{page.file.sm3}", details=details)
        parts.transactions.run(lambda transaction: transaction.record(act))
        return SignedVerdict(report, signed)

    def _anchors(self) -> tuple[str, ...]:
        authority = self._seals.authority
        outside = [each for found in authority.outside_anchors().values() for each in found]
        return tuple(dict.fromkeys(each.subject_name for each in (*authority.anchors(), *outside)))

    def _signed(self, page: bytes) -> bytes:
        """Return ``page`` signed; raise ``SealRejected`` where our own verifier refuses it."""
        now = self._seals.parts.clock.now()
        # a new key each year, so that none is used longer than its certificate
        order = SignerOrder(
            org_id=ROOT_ORG,
            key_name=f"verdict-signer-{to_rfc3339(now)[:_YEAR]}",
            subject=Name(ORGANIZATION, MARKING, _TITLE),
        )
        signer = self._pades.ensure_signer(system_actor("kms"), order)
        now = self._seals.parts.clock.now()
        request = PdfRequest(PADES, _TITLE, signed_at=now, reserved=RESERVED, place=None)
        prepared = self._seals.pdf.prepare(page, request)
        made = self._pades.sign(prepared, signer, self._seals.pades_level).document
        trust = self._seals.authority.trust()
        if not verify_pdf(made, self._seals.pdf.read(made), trust).valid:
            msg = "the verdict's own signature does not verify; it is not given out"
            raise SealRejected(msg)
        return made


def _digests(content: bytes) -> FileDigests:
    return FileDigests(len(content), sm3(content).hex(), sha256(content).hex())
