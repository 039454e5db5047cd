"""Unusual sign-ins: what is asked of the risk port, and what the ledger keeps of the answer.

The answer to risk is one more proof, never a lock: a stranger who makes sign-ins look odd must
not be able to keep the owner out. Nothing here counts against any limit.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final, Literal

from iam.core.message_codes import is_code
from iam.core.rfc6238.totp import DIGITS
from iam.models.accounts import Account
from iam.models.sessions import FactorAttempt, OpSession
from iam.ports import RiskAdvice, SignInFacts
from iam.service.means import Means
from iam.service.sign_on.guessing import GuessKeys, recent_failures
from secops.kernel.actors import Actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_ACTION: Final = "iam.assess_sign_in"


def read_before(
    means: Means, tx: Transaction, account_id: str, keys: GuessKeys
) -> tuple[OpSession | None, int]:
    """Return the account's last session and its wrong tries of late."""
    last = next(iter(means.stores.sessions.history_of(tx, account_id, 1)), None)
    return last, recent_failures(means, tx, keys)


def advise(
    means: Means,
    account: Account,
    roles: frozenset[str],
    seen: tuple[FactorAttempt, GuessKeys],
    before: tuple[OpSession | None, int],
) -> RiskAdvice | None:
    """Ask how risky a sign-in with right factors is; None where there is nothing to judge.

    A sign-in on the machine's own command line has no address: it takes the home's files.
    """
    (attempt, keys), (last, failures) = seen, before
    try:
        ipaddress.ip_address(attempt.address)
    except ValueError:
        return None
    return means.login_risk.assess(
        SignInFacts(
            account_id=account.id,
            org_id=account.org_id,
            roles=roles,
            at=means.now,
            address=attempt.address,
            user_agent=attempt.user_agent,
            device="" if keys.device is None else keys.device.hex(),
            failures=failures,
            last_at=account.last_sign_in,
            last_address="" if last is None else last.address,
            factor=_factor(attempt.code),
        )
    )


def _factor(code: str) -> Literal["otp", "recovery", "message"]:
    if is_code(code):
        return "message"
    return "otp" if len(code) == DIGITS else "recovery"


def record_advice(
    tx: Transaction, actor: Actor, advice: RiskAdvice | None, target: str, *, met: bool
) -> None:
    """Record the decision with its reasons; ``met`` says that the further proof was given."""
    if advice is None:
        return
    stopped = advice.answer == "step_up" and not met
    answer = "passed" if advice.answer == "step_up" and met else advice.answer
    details: dict[str, Any] = {**advice.details, "answer": answer}
    tx.record(Act(_ACTION, actor, target, "refused" if stopped else "done", details))
