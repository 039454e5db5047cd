"""What holds for every factor that its owner changes: who, how fresh, and what must stay."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal

from iam.errors import LastFactor
from iam.models.sessions import OpSession, acr_of
from iam.service.means import Means
from iam.service.sealed import refuse_break_glass
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.errors import Forbidden, Invalid, StepUpRequired
from secops.kernel.transactions import Transaction

MAX_NAME: Final = 60
SECOND_LEVEL: Final = 2


def owner_of(actor: Actor) -> str:
    """Return the account that acts; raise ``Forbidden`` for applications and the system."""
    if actor.kind != "account":
        msg = "only people have factors"
        raise Forbidden(msg)
    return actor.id


def require_fresh(means: Means, actor: Actor) -> None:
    """Return if the caller signed in with two factors within 5 minutes; ``StepUpRequired``.

    Nobody changes the factors of an emergency account from inside: ``BreakGlassKept``.
    """
    owner_of(actor)
    if means.now - actor.auth_time > FRESH_SECONDS * SECOND:
        msg = f"the sign-in is older than {FRESH_SECONDS} s"
        raise StepUpRequired(msg, max_age=FRESH_SECONDS)

    def work(tx: Transaction) -> OpSession | None:
        # what is opened for hours must not plant a factor that stays
        refuse_break_glass(means, tx, actor.id)
        return means.stores.sessions.get(tx, actor.session_id or "")

    session = means.parts.transactions.read(work)
    if session is not None and session.level < SECOND_LEVEL:
        # who took a number over must not turn its codes into a factor that is worth more
        msg = "factors are changed from a session of the second level"
        raise StepUpRequired(msg, acr_values=acr_of(SECOND_LEVEL))


def factor_name(name: str) -> str:
    """Return the name a factor is given; raise ``Invalid`` for none or a long one."""
    text = unicodedata.normalize("NFC", name[: 4 * MAX_NAME]).strip()
    if not 1 <= len(text) <= MAX_NAME or any(not char.isprintable() for char in text):
        msg = f"a name has 1 to {MAX_NAME} printable characters"
        raise Invalid(msg)
    return text


def require_another(
    means: Means,
    tx: Transaction,
    account_id: str,
    without: tuple[Literal["totp", "passkey", "certificate"], bytes],
) -> None:
    """Raise ``LastFactor`` if without this one nobody could sign in: a second factor stays."""
    kind, key = without
    stores = means.stores
    if kind != "totp" and stores.credentials.totp(tx, account_id) is not None:
        return
    for passkey in stores.passkeys.of_account(tx, account_id):
        if passkey.suspended_at is None and passkey.credential_id != key:
            return
    for binding in stores.certificates.of_account(tx, account_id):
        if binding.id.encode() != key:
            return
    raise LastFactor
