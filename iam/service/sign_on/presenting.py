"""Presenting a certificate: a challenge that its key signs, or a terminator's signed word."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from iam.core.base64url import decode, encode
from iam.core.certificate_sign_in.challenge import (
    LIFETIME_SECONDS,
    PURPOSE,
    read_answer,
    verify_answer,
)
from iam.core.certificate_sign_in.terminator import read_header, write_header
from iam.errors import CertificateRefused, TokenRefused
from iam.models.factors import CertificateAttempt, CertificateBinding, CertificateChallenge
from iam.service.means import Means
from iam.service.sign_on.guessing import judge_nameless
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.revocation import CertificateJudge
from secops.crypto.certificates import Certificate
from secops.kernel.clock import MINUTE, SECOND

_PURPOSE: Final = "certificate"
_ONCE: Final = "sm2"
_NONCE_BYTES: Final = 16
_WORD_KEPT: Final = 5 * MINUTE
"""How long a terminator's nonce is remembered: well over the half minute it is good for."""
_Once = tuple[str, bytes, int]


def key_digest(certificate: Certificate) -> bytes:
    """Return what a certificate's key is bound by."""
    return hashlib.sha256(certificate.spki).digest()


@dataclass(frozen=True, slots=True)
class CertificateUse:
    """The proof that a bound certificate's key was used; ``once`` still has to be used up."""

    certificate: Certificate
    binding: CertificateBinding
    once: _Once

    @property
    def words(self) -> tuple[str, ...]:
        """RFC 8176 words; ``hwk`` is only for keys that a token holds."""
        held = "hwk" if self.binding.token_held else "swk"
        return held, "sm2" if self.certificate.key_algorithm == "sm2" else "pop"

    def level(self, *, second: bool) -> int:
        """Return the level it reaches, alone or beside a password."""
        return (2 if self.binding.token_held else 1) + second


@dataclass(frozen=True, slots=True)
class Presenting:
    """Asks for certificates and judges what comes."""

    means: Means
    judge: CertificateJudge

    @property
    def usable(self) -> bool:
        """Whether the operator trusts any issuer."""
        return bool(self.means.trust.roots())

    def ask(self, account_id: str = "") -> CertificateChallenge:
        """Return a challenge of 120 seconds, good once; for anybody, or for one account."""
        means = self.means
        nonce = encode(means.random(32))
        content = {"nonce": nonce, "account": account_id}
        reference = write_reference(means, _PURPOSE, content, LIFETIME_SECONDS * SECOND)
        return CertificateChallenge(
            PURPOSE, means.options.issuer, nonce, LIFETIME_SECONDS, reference
        )

    def vouch(self, certificate: bytes) -> str:
        """Return the signed word for a certificate (DER) that our own TLS saw proved."""
        options = self.means.options
        return write_header(
            certificate,
            self._word_key(),
            urlsplit(options.issuer).netloc,
            self.means.now // SECOND,
            self.means.random(_NONCE_BYTES),
        )

    def _word_key(self) -> bytes:
        """Return the key of words: the operator's, or one of the pool for our own TLS alone."""
        return self.means.options.terminator_key or self.means.keys.key("terminator")

    def prove(self, attempt: CertificateAttempt, account_id: str = "") -> CertificateUse:
        """Return whose key was used; a refusal is counted by address and recorded.

        Where ``account_id`` is given, only a certificate of that account, and an answer to a
        challenge that was put to it. Raises ``CertificateRefused``, ``CertificateUnchecked`` or
        ``SignInRefused``. May ask an OCSP responder: not to be called inside a unit of work.
        """
        return judge_nameless(
            self.means, attempt.address, "certificate", lambda: self._use(attempt, account_id)
        )

    def _use(self, attempt: CertificateAttempt, account_id: str) -> CertificateUse:
        means = self.means
        if attempt.terminator:
            certificate, once = self._presented(attempt)
        else:
            certificate, once = self._answered(attempt, account_id)
        digest = key_digest(certificate)
        self.judge.require_trusted(certificate)
        read = means.parts.transactions.read
        binding = read(lambda tx: means.stores.certificates.by_key(tx, digest))
        if binding is None or account_id not in ("", binding.account_id):
            raise CertificateRefused
        return CertificateUse(certificate, binding, once)

    def _answered(self, attempt: CertificateAttempt, account_id: str) -> tuple[Certificate, _Once]:
        means = self.means
        try:
            content = read_reference(means, _PURPOSE, attempt.reference)
        except TokenRefused as error:
            raise CertificateRefused(error.detail) from error
        if content["account"] != account_id:
            raise CertificateRefused("the challenge was put to somebody else")
        answer = read_answer(attempt.answer)
        verify_answer(answer, means.options.issuer, content["nonce"], means.now // SECOND)
        return answer.certificate, (_ONCE, decode(content["nonce"]), int(content["until"]))

    def _presented(self, attempt: CertificateAttempt) -> tuple[Certificate, _Once]:
        options, now = self.means.options, self.means.now
        host = urlsplit(options.issuer).netloc
        shown = read_header(attempt.terminator, self._word_key(), host, now // SECOND)
        digest = hashlib.sha256(b"terminator|" + shown.nonce).digest()
        return shown.certificate, (_ONCE, digest, now + _WORD_KEPT)
