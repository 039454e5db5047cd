"""Is a responder's answer to be believed: RFC 6960 §3.2, step by step.

The issuer itself signs, or somebody to whom exactly this issuer gave id-kp-OCSPSigning
(§4.2.2.2); no other responder is trusted, whoever configured it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from iam.core.rfc6960.answer import AnswerRefused, OcspAnswer, SingleStatus
from iam.core.rfc6960.question import SHA1, OcspQuestion, digest, key_bits
from secops.crypto.certificates import (
    Certificate,
    read_certificate,
    verify_issued_by,
    verify_signature_of,
)
from secops.crypto.der import SEQUENCE, children, read_oid, read_whole
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.kernel.clock import DAY, MINUTE

LEEWAY: Final = 5 * MINUTE
MAX_AGE: Final = 7 * DAY
"""How old an answer may be that does not carry our nonce, whatever its nextUpdate says."""
_USAGES: Final = "2.5.29.37"
_OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
_NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"
Unrevoked = Callable[[Certificate], bool]


@dataclass(frozen=True, slots=True)
class BelievedStatus:
    """A status that was verified; ``until`` is the instant to which it may be kept."""

    status: SingleStatus
    until: int


def verify_answer(
    answer: OcspAnswer, asked: OcspQuestion, *, at: int, unrevoked: Unrevoked
) -> BelievedStatus:
    """Return what the answer says of the certificate in question; raise ``AnswerRefused``.

    ``unrevoked`` tells of a delegated responder whether a current list of the issuer clears
    it: needed where its certificate doesn't carry id-pkix-ocsp-nocheck.
    """
    status = _status_of(answer, asked)  # 1: the certificate that was asked about
    signer = _signer(answer, asked.issuer, at, unrevoked)  # 3 and 4: who may say so
    try:  # 2: and did
        verify_signature_of(signer, answer.algorithm, answer.signature, answer.signed)
    except (InvalidSignature, InvalidKey, MalformedEncoding) as error:
        msg = "the responder's signature does not fit"
        raise AnswerRefused(msg) from error
    return BelievedStatus(status, _until(answer, status, asked.nonce, at))  # 5 and 6: and of now


def _status_of(answer: OcspAnswer, asked: OcspQuestion) -> SingleStatus:
    found = [status for status in answer.statuses if status.subject == asked.wanted]
    if len(found) != 1:
        msg = "the answer is about another certificate"
        raise AnswerRefused(msg)
    return found[0]


def _signer(answer: OcspAnswer, issuer: Certificate, at: int, unrevoked: Unrevoked) -> Certificate:
    if _names(answer, issuer):
        return issuer
    try:
        brought = [read_certificate(each) for each in answer.certificates]
        found = next((each for each in brought if _names(answer, each)), None)
    except (MalformedEncoding, ValueError) as error:
        msg = "a certificate in the answer can't be read"
        raise AnswerRefused(msg) from error
    if found is None or not _delegated(found, issuer, at):
        msg = "the responder is not the issuer's"
        raise AnswerRefused(msg)
    if _NO_CHECK not in found.extensions and not unrevoked(found):
        msg = "whether the responder's own certificate was revoked can't be told"
        raise AnswerRefused(msg)
    return found


def _names(answer: OcspAnswer, certificate: Certificate) -> bool:
    if answer.name:
        return answer.name == certificate.subject
    return hmac.compare_digest(answer.key_hash, digest(SHA1, key_bits(certificate)))


def _delegated(certificate: Certificate, issuer: Certificate, at: int) -> bool:
    """Tell whether ``issuer`` itself made ``certificate`` a responder, valid at ``at``."""
    if certificate.issuer != issuer.subject or certificate.unknown_critical:
        return False
    if not certificate.not_before <= at <= certificate.not_after:
        return False
    if certificate.key_usage is not None and not certificate.allows("digitalSignature"):
        return False
    try:
        usages = children(read_whole(certificate.extensions.get(_USAGES, b""), SEQUENCE).content)
        if _OCSP_SIGNING not in {read_oid(each) for each in usages}:
            return False
        verify_issued_by(certificate, issuer)
    except (MalformedEncoding, InvalidSignature, InvalidKey):
        return False
    return True


def _until(answer: OcspAnswer, status: SingleStatus, nonce: bytes, at: int) -> int:
    """Return how long it holds: RFC 6960 §4.2.2.1, and RFC 9654 for the nonce."""
    ours = answer.nonce is not None and hmac.compare_digest(answer.nonce, nonce)
    if answer.nonce is not None and not ours:
        msg = "the answer is to another question"
        raise AnswerRefused(msg)
    if max(status.this_update, answer.produced_at) > at + LEEWAY:
        msg = "the answer is of a time to come"
        raise AnswerRefused(msg)
    if status.next_update is None:
        if not ours:
            msg = "the answer names neither our nonce nor an end"
            raise AnswerRefused(msg)
        return at  # newer information is always to be had: kept for nobody
    oldest = status.this_update + MAX_AGE
    until = status.next_update if ours else min(status.next_update, oldest)
    if until < at or status.next_update < status.this_update:
        msg = "the answer is out of date"
        raise AnswerRefused(msg)
    return min(until, max(oldest, at))
