"""Codes that people type as a further factor: TOTP, recovery codes, codes by message."""

from __future__ import annotations

from iam.core.exclusion import demands_strong_factors
from iam.core.message_codes import LEVEL, WORDS, is_code
from iam.core.one_time_passwords import matching_code_step
from iam.core.rfc6238.totp import DIGITS
from iam.models.messages import SentCode
from iam.service.means import Means
from iam.service.sign_on.opening import Begun, Proof, Subject
from iam.service.sign_on.recovery_codes import recovery_digest
from iam.service.sign_on.sending import code_digest
from secops.kernel.transactions import Transaction


def code_proof(
    means: Means, subject: Subject, code: str, begun: Begun | None = None
) -> Proof | None:
    """Return what ``code`` proves beside what came before it; None for a wrong one.

    Recovery codes and codes by message are judged where they are used up: inside the unit of
    work. A code by message only opens the session that ``begun`` began; it strengthens none.
    """
    account_id, credentials = subject.account.id, means.stores.credentials
    if len(code) == DIGITS:
        step = _step(means, subject, code)
        if step is None:
            return None
        return Proof(("otp", "mfa"), 2, lambda tx: credentials.use_step(tx, account_id, step))
    if is_code(code):
        return None if begun is None else _message_proof(means, subject, code, begun)
    digest = recovery_digest(means, account_id, code)
    return Proof(("mfa",), 2, lambda tx: credentials.use_recovery_code(tx, account_id, digest))


def admits_message_code(begun: Begun, subject: Subject) -> bool:
    """Tell whether a code by message may end this sign-in: neither unusual nor privileged."""
    return not begun.unusual and not demands_strong_factors(subject.roles)


def _message_proof(means: Means, subject: Subject, code: str, begun: Begun) -> Proof | None:
    """Return what a code by message proves: too little for administrators and the unusual."""
    attempt, account_id = begun.once[1], subject.account.id
    addresses = means.stores.message_addresses
    sent = means.parts.transactions.read(lambda tx: addresses.waiting(tx, attempt))
    if sent is None or not admits_message_code(begun, subject) or not _is_of(sent, account_id):
        return None
    digest = code_digest(means, attempt, account_id, code)

    def use(tx: Transaction) -> bool:
        used = addresses.consume(tx, attempt, digest)
        if used is None or not _is_of(used, account_id):
            return False
        addresses.used(tx, account_id, used.channel)
        return True

    return Proof((WORDS[sent.channel],), LEVEL, use, by_message=True)


def _is_of(sent: SentCode, account_id: str) -> bool:
    return sent.purpose == "sign_in" and sent.account_id == account_id


def _step(means: Means, subject: Subject, code: str) -> int | None:
    if subject.totp is None:
        return None
    secret = means.box.open(subject.totp.sealed_secret, f"totp|{subject.account.id}".encode())
    held = subject.totp
    return matching_code_step(held.algorithm, secret, code, means.now, held.last_step)
