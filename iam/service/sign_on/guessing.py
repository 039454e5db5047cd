"""Counting failures: by account, by address, by factor; keys are keyed hashes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from iam.core.lockout import LIMITS, after_failure, refused
from iam.core.names import address_block, folded_name
from iam.errors import (
    CertificateRefused,
    CertificateUnchecked,
    PasskeyRefused,
    SignInRefused,
    TokenRefused,
)
from iam.service.means import Means
from iam.service.sign_on.references import read_reference, write_reference
from secops.kernel.actors import system_actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PURPOSE: Final = "device"
_Judged = TypeVar("_Judged")


@dataclass(frozen=True, slots=True)
class GuessKeys:
    """What one attempt is counted under; a name counts whether it exists or not.

    ``device`` is there only for a browser in which this name has signed in with both factors:
    its failures are counted apart, so that strangers can't keep the owner out.
    ``name`` is the folded name they were made of.
    """

    account: bytes
    address: bytes
    device: bytes | None = None
    name: str = field(default="", repr=False)

    @property
    def password(self) -> tuple[str, bytes]:
        """The counter of wrong passwords: the device's own, or everybody else's."""
        return ("account", self.account) if self.device is None else ("device", self.device)

    @property
    def factor(self) -> tuple[str, bytes]:
        """The counter of wrong codes: the device's own, or everybody else's."""
        return ("factor", self.account if self.device is None else self.device)


def guess_keys(means: Means, name: str, address: str, device: str = "") -> GuessKeys:
    """Return the counters of an attempt for ``name`` from ``address``."""
    account = means.keys.mac("lockout", f"name|{folded_name(name)}".encode())
    return GuessKeys(
        account=account,
        address=means.keys.mac("lockout", f"address|{address_block(address)}".encode()),
        device=_known_device(means, account, device),
        name=folded_name(name),
    )


def remember_device(means: Means, keys: GuessKeys) -> str:
    """Return the cookie that makes this browser a known one for this name."""
    content = {"name": keys.account.hex(), "nonce": means.random(16).hex()}
    return write_reference(means, _PURPOSE, content, means.options.lifetimes.device)


def _known_device(means: Means, account: bytes, device: str) -> bytes | None:
    try:
        content = read_reference(means, _PURPOSE, device)
    except TokenRefused:
        return None
    if content["name"] != account.hex():
        return None
    return means.keys.mac("lockout", f"device|{content['nonce']}".encode())


def password_refused(means: Means, tx: Transaction, keys: GuessKeys) -> bool:
    """Tell whether passwords are refused now, for this name or from this address.

    A known device answers for itself: neither guesses elsewhere nor its neighbours keep it out.
    """
    counters = [keys.password]
    if keys.device is None:
        counters += [("hourly", keys.account), ("address", keys.address)]
    read = means.stores.lockouts.read
    return any([refused(read(tx, *counter), tx.now) for counter in counters])  # noqa: C419 - as much work for everybody


def count_password(means: Means, tx: Transaction, keys: GuessKeys, *, failed: bool) -> None:
    """Count one verification; a failed one against name and address, each against the hour.

    What was refused unseen is no guess: it must not use up the hour of whoever owns the name.
    """
    if not password_refused(means, tx, keys):
        count_one(means, tx, "hourly", keys.account)
    if failed:
        count_one(means, tx, *keys.password)
        count_one(means, tx, "address", keys.address)


def address_refused(means: Means, tx: Transaction, keys: GuessKeys) -> bool:
    """Tell whether this address tried too much; for factors that name no account."""
    return refused(means.stores.lockouts.read(tx, "address", keys.address), tx.now)


def judge_nameless(means: Means, address: str, kind: str, judge: Callable[[], _Judged]) -> _Judged:
    """Return what ``judge`` finds of a proof that names no account, if ``address`` may try.

    A refusal is recorded, and counted against the address unless it is ours alone: nobody
    guessed wrong where a responder was silent. Raises ``SignInRefused`` and what it raises.
    """
    keys = guess_keys(means, "", address)
    if means.parts.transactions.read(lambda tx: address_refused(means, tx, keys)):
        raise SignInRefused
    try:
        return judge()
    except (PasskeyRefused, CertificateRefused, CertificateUnchecked) as error:
        details = {"step": kind, "address": keys.address.hex()[:16]}
        act = Act("iam.sign_in", system_actor("sign-in"), f"{kind}:*", "refused", details)
        counts = not isinstance(error, CertificateUnchecked)

        def work(tx: Transaction) -> None:
            if counts:
                count_one(means, tx, "address", keys.address)
            tx.record(act)

        means.parts.transactions.run(work)
        raise


def factor_refused(means: Means, tx: Transaction, keys: GuessKeys) -> bool:
    """Tell whether second factors are refused now."""
    return refused(means.stores.lockouts.read(tx, *keys.factor), tx.now)


def count_factor_failure(means: Means, tx: Transaction, keys: GuessKeys) -> None:
    """Count one wrong second factor."""
    count_one(means, tx, *keys.factor)
    count_one(means, tx, *keys.password)


def forget_failures(means: Means, tx: Transaction, keys: GuessKeys) -> None:
    """Start anew after both factors were right; the hour's count stays."""
    for kind, key in (keys.password, keys.factor):
        means.stores.lockouts.clear(tx, kind, key)


def recent_failures(means: Means, tx: Transaction, keys: GuessKeys) -> int:
    """Return how many wrong passwords and factors of this name still count now."""
    found = 0
    for kind, key in (keys.password, keys.factor):
        counter = means.stores.lockouts.read(tx, kind, key)
        if tx.now - counter.since < LIMITS[kind].window:
            found += counter.failures
    return found


def count_one(means: Means, tx: Transaction, kind: str, key: bytes) -> None:
    """Count one failure, or one message sent, of ``kind``."""
    store = means.stores.lockouts
    store.write(tx, kind, key, after_failure(store.read(tx, kind, key), LIMITS[kind], tx.now))
