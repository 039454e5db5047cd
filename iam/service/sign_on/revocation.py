"""Was a certificate revoked: by its responder (RFC 6960) where one is set, else by a list.

Whoever can't be asked about signs nobody in. A list that says "revoked" is believed beside any
responder; a list says "good" in a silent responder's place only where the operator wants that.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Final

from iam.core.certificate_sign_in.trust import listed_state, trusted_chain
from iam.core.rfc6960.answer import AnswerRefused, read_answer
from iam.core.rfc6960.question import (
    NONCE_BYTES,
    ask_about,
    encoded_question,
    responder_of,
)
from iam.core.rfc6960.verify import BelievedStatus, verify_answer
from iam.errors import CertificateRefused, CertificateUnchecked
from iam.service.means import Means
from secops.crypto.certificates import Certificate
from secops.kernel.errors import SecopsError

TIMEOUT: Final = 5.0
"""Seconds for one question."""
MAX_KEPT: Final = 10_000
_OK: Final = 200
_HEADERS: Final = {
    "content-type": "application/ocsp-request",
    "accept": "application/ocsp-response",
}


@dataclass(frozen=True, slots=True)
class CertificateJudge:
    """Tells whether certificates may sign people in now; keeps answers until they end."""

    means: Means
    _kept: dict[tuple[bytes, int], BelievedStatus] = field(default_factory=dict)

    def require_trusted(self, certificate: Certificate) -> None:
        """Raise ``CertificateRefused``, or ``CertificateUnchecked`` where nobody can tell.

        May ask responders: not to be called inside a unit of work.
        """
        trust = self.means.trust
        chain = trusted_chain(certificate, trust.roots(), trust.intermediates(), at=self.means.now)
        for subject, issuer in itertools.pairwise(chain):
            self._require_unrevoked(subject, issuer)

    def _require_unrevoked(self, subject: Certificate, issuer: Certificate) -> None:
        listed = listed_state(
            subject, issuer, self.means.trust.revocation_lists(), at=self.means.now
        )
        if listed == "revoked":
            raise CertificateRefused("it was revoked")
        url = self._responder(subject)
        if not url:
            if listed == "unknown":
                raise CertificateRefused("whether it was revoked can't be told: no current list")
            return
        try:
            found = self._status(url, subject, issuer)
        except CertificateUnchecked:
            if self.means.options.revocation.lists_instead and listed == "good":
                return
            raise
        if found.status.state != "good":
            why = "it was revoked" if found.status.state == "revoked" else "nobody issued it"
            raise CertificateRefused(f"its responder says: {why}")

    def _responder(self, subject: Certificate) -> str:
        policy = self.means.options.revocation
        return policy.responder or (responder_of(subject) if policy.named else "")

    def _status(self, url: str, subject: Certificate, issuer: Certificate) -> BelievedStatus:
        key, now = (hashlib.sha256(issuer.spki).digest(), subject.serial), self.means.now
        kept = self._kept.get(key)
        if kept is not None and now <= kept.until:
            return kept
        found = self._ask(url, subject, issuer)
        if found.until > now:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found

    def _ask(self, url: str, subject: Certificate, issuer: Certificate) -> BelievedStatus:
        means, now = self.means, self.means.now
        asked = ask_about(subject, issuer, means.random(NONCE_BYTES))
        lists = means.trust.revocation_lists()
        try:
            status, body = means.outbound.post(url, encoded_question(asked), _HEADERS, TIMEOUT)
        except SecopsError as error:
            raise CertificateUnchecked(error.detail) from error
        if status != _OK:
            raise CertificateUnchecked(f"the OCSP responder answered {status}")
        try:
            return verify_answer(
                read_answer(body),
                asked,
                at=now,
                unrevoked=lambda signer: listed_state(signer, issuer, lists, at=now) == "good",
            )
        except AnswerRefused as error:
            raise CertificateUnchecked(str(error)) from error
