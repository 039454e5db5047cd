"""Anybody's verification: by the link in the QR code, or by the file in hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.ecertificates.values import public_values
from kms.errors.ecertificates import ECertificateNotFound
from kms.models.ecertificates import ECertificate, ECertificateTemplate, PublicView
from kms.models.seals import VerificationReport
from kms.service.ecertificates.parts import ECertificateParts, token_hash
from kms.service.public_limits import RateLimit
from secops.crypto.hashes import sm3
from secops.kernel.transactions import Transaction

PER_MINUTE: Final = 60
"""Links an address may follow in a minute; files have a limit of their own."""


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What a file proves by its own seal, and what this registry knows of exactly these bytes.

    ``registered`` None: issued elsewhere, or changed; then the seal's verdict is all there is.
    ``same`` tells whether it is the file of the link that was followed, None without a link.
    """

    report: VerificationReport
    registered: PublicView | None
    same: bool | None = None


class ECertificateVerification:
    """Shows what a template makes public; stores nothing and fetches nothing."""

    def __init__(self, here: ECertificateParts) -> None:
        self._here = here
        self._parts = here.parts
        self._limit = RateLimit(here.parts.clock, PER_MINUTE)

    def show_public_ecertificate(self, token: str, *, caller: str) -> PublicView:
        """Return what the link shows; raise ``ECertificateNotFound``, ``TooMany``.

        Whatever is wrong with a token, it is hashed, looked up and not found.
        """
        self._limit.spend(caller)
        hashed = token_hash(token)
        found = self._parts.transactions.read(
            lambda transaction: self._with_template(
                transaction, self._here.issued.by_token(transaction, hashed)
            )
        )
        if found is None:
            raise ECertificateNotFound
        return self._view(*found)

    def verify_ecertificate(self, content: bytes, *, caller: str, token: str = "") -> FileVerdict:
        """Return the verdict on a file; raises ``SealUnreadable``, ``TooLarge``, ``TooMany``.

        The seal is judged under this instance's anchors, so a file of another region counts
        here as far as its root is configured; no address in it is followed.
        """
        report = self._here.verification.verify_seal(content, None, caller=caller)
        digest = sm3(content).hex()
        found = self._parts.transactions.read(
            lambda transaction: self._with_template(
                transaction, self._here.issued.by_digest(transaction, digest)
            )
        )
        registered = None if found is None else self._view(*found)
        if not token:
            return FileVerdict(report, registered)
        same = found is not None and found[0].token_hash == token_hash(token)
        return FileVerdict(report, registered, same)

    def _with_template(
        self, transaction: Transaction, record: ECertificate | None
    ) -> tuple[ECertificate, ECertificateTemplate] | None:
        if record is None:
            return None
        return record, self._here.load_template(transaction, record.org_id, record.template_id)

    def _view(self, record: ECertificate, template: ECertificateTemplate) -> PublicView:
        values, _ = self._here.open_data(record.id, record.sealed)
        state = record.standing(self._parts.clock.now())
        # the emergency way of suspending reaches here before it reaches the table
        if state == "valid" and self._parts.revocations.is_revoked("ecertificate", record.id):
            state = "suspended"
        return PublicView(
            type_name=record.type_name,
            authority=record.authority,
            authority_code=record.authority_code,
            number=record.number,
            identifier=record.identifier,
            state=state,
            valid_from=record.valid_from,
            valid_until=record.valid_until,
            issued_at=record.issued_at,
            digest=record.digest,
            shown=tuple(public_values(template.wish.fields, values)),
        )
