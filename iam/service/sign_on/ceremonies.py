"""Passkey ceremonies: our challenge goes out, an answer comes back, once.

The challenge travels in a reference that only we can write and is used up by the same unit of
work as the proof: a page that strangers may open writes no row, and an answer counts once.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from iam.core.base64url import decode, encode
from iam.core.webauthn.answers import Assertion, read_assertion, verify_assertion
from iam.core.webauthn.questions import assertion_question
from iam.errors import PasskeyRefused, TokenRefused
from iam.models.factors import Ceremony, Passkey, PasskeyQuestion, PasskeyUse
from iam.service.means import Means
from iam.service.sign_on.references import read_reference, write_reference
from secops.kernel.actors import Actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

CHALLENGE: Final = "challenge"
"""The kind of thing used once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge of ours that came back; ``once`` is what uses it up."""

    ceremony: Ceremony
    content: dict[str, Any]

    @property
    def once(self) -> tuple[str, bytes, int]:
        """Return (kind, key, until)."""
        digest = hashlib.sha256(self.ceremony.challenge).digest()
        return CHALLENGE, digest, int(self.content["until"])


def passkeys_usable(means: Means) -> bool:
    """Tell whether browsers do WebAuthn at our address: a name, by TLS or on localhost."""
    parts = urlsplit(means.options.issuer)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost"
    return False


def user_handle(means: Means, account_id: str) -> bytes:
    """Return what authenticators call the account: it tells nobody who that is."""
    return means.keys.mac("passkey-user", account_id.encode())


def new_ceremony(means: Means) -> Ceremony:
    """Return a ceremony with a new challenge."""
    return _ceremony(means, means.random(32))


def _ceremony(means: Means, challenge: bytes) -> Ceremony:
    host = urlsplit(means.options.issuer).hostname or ""
    return Ceremony(challenge, host, means.options.issuer)


def write_challenge(means: Means, purpose: str, ceremony: Ceremony, account_id: str) -> str:
    """Return the reference with which the answer comes back (10 minutes)."""
    content = {"challenge": encode(ceremony.challenge), "account": account_id}
    lifetime = means.options.lifetimes.transaction
    return write_reference(means, f"passkey/{purpose}", content, lifetime)


def read_challenge(means: Means, purpose: str, reference: str) -> Asked:
    """Return what was asked; raise ``PasskeyRefused`` if it is not ours or took too long."""
    try:
        content = read_reference(means, f"passkey/{purpose}", reference)
    except TokenRefused as error:
        raise PasskeyRefused(error.detail) from error
    return Asked(_ceremony(means, decode(content["challenge"])), content)


def ask_assertion(
    means: Means, purpose: str, account_id: str = "", known: tuple[Passkey, ...] = ()
) -> PasskeyQuestion:
    """Return the question for a proof; ``known`` are the passkeys that may answer."""
    ceremony = new_ceremony(means)
    usable = [passkey for passkey in known if passkey.suspended_at is None]
    return PasskeyQuestion(
        assertion_question(ceremony, usable),
        write_challenge(means, purpose, ceremony, account_id),
    )


def judge_assertion(means: Means, asked: Asked, answer: str) -> PasskeyUse:
    """Return the passkey that was used; raise ``PasskeyRefused`` for every reason alike.

    The credential must be known, the user it names its owner, and where the question was put
    to an account, that account.
    """
    assertion = read_assertion(answer)
    read = means.parts.transactions.read
    passkey = read(lambda tx: means.stores.passkeys.get(tx, assertion.credential_id))
    if passkey is None:
        raise PasskeyRefused
    wanted = asked.content["account"]
    if wanted and not hmac.compare_digest(wanted.encode(), passkey.account_id.encode()):
        raise PasskeyRefused
    _check_handle(means, assertion, passkey, alone=not wanted)
    return verify_assertion(assertion, passkey, asked.ceremony)


def _check_handle(means: Means, assertion: Assertion, passkey: Passkey, *, alone: bool) -> None:
    """Require a proof without a name before it to say whose it is (WebAuthn §7.2 step 6)."""
    handle = assertion.user_handle
    if handle is None and not alone:
        return
    if not hmac.compare_digest(handle or b"", user_handle(means, passkey.account_id)):
        raise PasskeyRefused


def use_passkey(means: Means, tx: Transaction, use: PasskeyUse) -> bool:
    """Note the use; False where the counter did not go on.

    A counter that goes back means a copy of the key: the passkey proves nothing any more.
    """
    passkey = use.passkey
    if means.stores.passkeys.use(tx, passkey.credential_id, use.sign_count):
        return True
    if means.stores.passkeys.suspend(tx, passkey.credential_id):
        owner = Actor(
            kind="account",
            id=passkey.account_id,
            org_id=passkey.org_id,
            name=passkey.account_id,
        )
        details = {"passkey": passkey_id(passkey.credential_id), "reason": "counter went back"}
        target = f"account:{passkey.account_id}"
        tx.record(Act("iam.suspend_passkey", owner, target, "refused", details=details))
    return False


def passkey_words(passkey: Passkey) -> tuple[str, ...]:
    """Return the RFC 8176 words of a verified use."""
    return ("hwk" if passkey.hardware else "swk", "user", "mfa")


def passkey_level(passkey: Passkey) -> int:
    """Return the level: 3 where a trusted maker vouches that the key stays in one device."""
    return 3 if passkey.hardware else 2


def passkey_id(credential_id: bytes) -> str:
    """Return what a passkey is called in addresses and the ledger: not its own, long id."""
    return hashlib.sha256(credential_id).hexdigest()[:24]
