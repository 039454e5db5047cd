"""Verify a seal (验章): over files alone, and with what this registry knows."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kms.core.etsi319142.verification import verify_pdf
from kms.core.gbt33190.verification import verify_ofd
from kms.core.gbt38540 import verification
from kms.core.gbt38540.evidence import Evidence
from kms.core.rfc3161.responses import token_in
from kms.core.rfc3161.verification import DigestOf, verify_time_stamp
from kms.core.rfc5280.reading import verify_revocation_list
from kms.core.trust import CLOCK_SKEW, RevocationSource, Trust
from kms.core.x690 import DerError
from kms.errors.seals import (
    AnchorUnreadable,
    RevocationListRejected,
    SealUnreadable,
)
from kms.errors.time_stamps import TimeStampUnreadable
from kms.models.seals import MAX_FILE, PDF_MAGIC, VerificationReport
from kms.models.time_stamps import MAX_TOKEN, TokenVerdict
from kms.ports.pdf import PdfFiles
from kms.ports.seals import AnchorFile
from kms.service.public_limits import RateLimit
from kms.service.seals.parts import SealParts
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.errors import MalformedEncoding
from secops.crypto.hashes import sm3
from secops.kernel.clock import Clock, to_rfc3339
from secops.kernel.errors import TooLarge, TooMany
from secops.kernel.transactions import Transaction

_AT_ONCE: Final = 4
_PATIENCE: Final = 2.0
_RETRY_SECONDS: Final = 5
_SEQUENCE: Final = b"\x30"
_ZIP: Final = b"PK\x03\x04"
_PEM_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_PEM_END: Final = b"-----END CERTIFICATE-----"


class SealVerification:
    """Verifies files with the built-in CA as anchor. Stores nothing and needs nobody."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._limit = RateLimit(seals.parts.clock)

    def verify_seal(
        self, content: bytes, document: bytes | None, *, caller: str | None = None
    ) -> VerificationReport:
        """Return the verdict on ``content``; raises ``SealUnreadable``, ``TooLarge``.

        ``caller`` is the address that asks, by whatever door: 20 files a minute (``TooMany``).

        Anybody may ask, and a hostile file costs a second: more than a few at a time are
        told to wait (``TooMany``), so that they never hold the whole gateway.
        """
        if caller is not None:
            self._limit.spend(caller)
        if not self._places.acquire(timeout=_PATIENCE):
            msg = "too many files are being verified"
            raise TooMany(msg, retry_after=_RETRY_SECONDS)
        try:
            return _verify(content, document, self._trust(), self._seals.pdf)
        finally:
            self._places.release()

    def _trust(self) -> Trust:
        def read(transaction: Transaction) -> Trust:
            elsewhere = self._seals.parts.revocations.ended_of("seal")
            stopped = self._seals.store.stopped(transaction, elsewhere)
            suspended = {bytes.fromhex(digest): since for digest, since in stopped}
            return replace(self._seals.authority.trust_in(transaction), suspended=suspended)

        return self._seals.parts.transactions.read(read)


class SealFiles:
    """Verifies over files alone: no database, no account, however damaged the home is."""

    def __init__(self, clock: Clock, anchor_file: AnchorFile, pdf: PdfFiles) -> None:
        self._clock = clock
        self._pdf = pdf
        self._anchor_file = anchor_file

    def verify_seal(
        self,
        content: bytes,
        document: bytes | None,
        trust: Sequence[bytes],
        revocation_lists: Sequence[bytes] = (),
    ) -> VerificationReport:
        """Return the verdict on ``content`` under the PEMs ``trust`` and the home's own root.

        Raises ``SealUnreadable``, ``DocumentRejected``, ``AnchorUnreadable``,
        ``RevocationListRejected``, ``TooLarge``.
        """
        return _verify(content, document, self._trust(trust, revocation_lists), self._pdf)

    def verify_time_stamp(
        self,
        content: bytes,
        digest_of: DigestOf,
        trust: Sequence[bytes],
        revocation_lists: Sequence[bytes] = (),
    ) -> TokenVerdict:
        """Return the verdict on ``content``, a token or a TimeStampResp (RFC 3161) with one.

        ``digest_of`` returns the digest by a named hash of what it shall be over. Raises
        ``TimeStampUnreadable``, ``AnchorUnreadable``, ``RevocationListRejected``, ``TooLarge``.
        """
        if len(content) > MAX_TOKEN:
            msg = f"a time-stamp has at most {MAX_TOKEN >> 10} KiB"
            raise TooLarge(msg)
        known = self._trust(trust, revocation_lists)
        try:
            token = token_in(content)
        except DerError as error:
            raise TimeStampUnreadable(str(error)) from error
        return verify_time_stamp(token, digest_of, known)

    def _trust(self, trust: Sequence[bytes], revocation_lists: Sequence[bytes]) -> Trust:
        own = self._anchor_file.read()
        pems = [*trust] if own is None else [*trust, own]
        anchors = tuple(anchor for pem in pems for anchor in read_anchors(pem))
        now = self._clock.now()
        return Trust(now, anchors, _source(revocation_lists, anchors, now))


def read_anchors(pem: bytes) -> tuple[Certificate, ...]:
    """Return the certificates of a PEM file; raise ``AnchorUnreadable`` if there is none."""
    anchors: list[Certificate] = []
    for block in pem.split(_PEM_BEGIN)[1:]:
        encoded, end, _ = block.partition(_PEM_END)
        try:
            if not end:
                raise AnchorUnreadable
            der = base64.b64decode(b"".join(encoded.split()), validate=True)
            anchors.append(read_certificate(der))
        except (binascii.Error, MalformedEncoding) as error:
            raise AnchorUnreadable from error
    if not anchors:
        raise AnchorUnreadable
    return tuple(anchors)


def _source(
    lists: Sequence[bytes], anchors: Sequence[Certificate], now: int
) -> RevocationSource | None:
    """Return what the CRLs say; raise ``RevocationListRejected`` for one that proves nothing."""
    revoked: dict[tuple[bytes, int], int] = {}
    issuers: set[bytes] = set()
    for encoded in lists:
        try:
            found = verify_revocation_list(encoded, anchors)
        except DerError as error:
            raise RevocationListRejected(str(error)) from error
        if not found.this_update - CLOCK_SKEW <= now <= found.next_update:
            msg = f"the list was to be renewed {to_rfc3339(found.next_update)}"
            raise RevocationListRejected(msg)
        issuers.add(found.issuer)
        revoked |= {(found.issuer, serial): at for serial, at in found.revoked.items()}
    return RevocationSource(frozenset(issuers), revoked) if issuers else None


def require_sizes(content: bytes, document: bytes | None) -> None:
    """Raise ``TooLarge`` for files that are not judged."""
    if max(len(content), len(document or b"")) > MAX_FILE:
        msg = f"a file is at most {MAX_FILE >> 20} MiB"
        raise TooLarge(msg)


def _verify(
    content: bytes, document: bytes | None, trust: Trust, pdf: PdfFiles
) -> VerificationReport:
    require_sizes(content, document)
    if content.startswith(PDF_MAGIC):
        return verify_pdf(content, pdf.read(content), trust)
    if content.startswith(_ZIP):
        return verify_ofd(content, trust)
    if not content.startswith(_SEQUENCE):
        msg = "the file is neither DER nor OFD nor PDF"
        raise SealUnreadable(msg)
    digest = None if document is None else sm3(document)
    return verification.verify_seal(content, Evidence(digest), trust)
