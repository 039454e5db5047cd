"""Codes that people type as a further factor: TOTP and recovery codes."""

from __future__ import annotations

from iam.core.one_time_passwords import matching_code_step
from iam.core.rfc6238.totp import DIGITS
from iam.service.means import Means
from iam.service.sign_on.opening import Proof, Subject
from iam.service.sign_on.recovery_codes import recovery_digest


def code_proof(means: Means, subject: Subject, code: str) -> Proof | None:
    """Return what ``code`` proves beside what came before it; None for a wrong one.

    A recovery code is judged where it is used up: inside the unit of work.
    """
    account_id, credentials = subject.account.id, means.stores.credentials
    if len(code) == DIGITS:
        step = _step(means, subject, code)
        if step is None:
            return None
        return Proof(("otp", "mfa"), 2, lambda tx: credentials.use_step(tx, account_id, step))
    digest = recovery_digest(means, account_id, code)
    return Proof(("mfa",), 2, lambda tx: credentials.use_recovery_code(tx, account_id, digest))


def _step(means: Means, subject: Subject, code: str) -> int | None:
    if subject.totp is None:
        return None
    secret = means.box.open(subject.totp.sealed_secret, f"totp|{subject.account.id}".encode())
    held = subject.totp
    return matching_code_step(held.algorithm, secret, code, means.now, held.last_step)
