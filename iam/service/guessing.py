"""Counting failures: by account, by address, by factor; keys are keyed hashes."""

from __future__ import annotations

from dataclasses import dataclass

from iam.core.lockout import LIMITS, after_failure, refused
from iam.core.names import address_block, folded_name
from iam.service.means import Means
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class GuessKeys:
    """What one attempt is counted under; a name counts whether it exists or not."""

    account: bytes
    address: bytes


def guess_keys(means: Means, name: str, address: str) -> GuessKeys:
    """Return the counters of an attempt for ``name`` from ``address``."""
    return GuessKeys(
        account=means.keys.mac("lockout", f"name|{folded_name(name)}".encode()),
        address=means.keys.mac("lockout", f"address|{address_block(address)}".encode()),
    )


def password_refused(means: Means, tx: Transaction, keys: GuessKeys) -> bool:
    """Tell whether passwords are refused now, for this name or from this address."""
    read = means.stores.lockouts.read
    counters = (
        read(tx, "account", keys.account),
        read(tx, "hourly", keys.account),
        read(tx, "address", keys.address),
    )
    return any(refused(counter, tx.now) for counter in counters)


def count_password(means: Means, tx: Transaction, keys: GuessKeys, *, failed: bool) -> None:
    """Count one verification; a failed one against name and address, each against the hour."""
    _count(means, tx, "hourly", keys.account)
    if failed:
        _count(means, tx, "account", keys.account)
        _count(means, tx, "address", keys.address)


def factor_refused(means: Means, tx: Transaction, account_key: bytes) -> bool:
    """Tell whether second factors are refused now."""
    return refused(means.stores.lockouts.read(tx, "factor", account_key), tx.now)


def count_factor_failure(means: Means, tx: Transaction, account_key: bytes) -> None:
    """Count one wrong second factor."""
    _count(means, tx, "factor", account_key)
    _count(means, tx, "account", account_key)


def forget_failures(means: Means, tx: Transaction, account_key: bytes) -> None:
    """Start anew after both factors were right; the hour's count stays."""
    for kind in ("account", "factor"):
        means.stores.lockouts.clear(tx, kind, account_key)


def _count(means: Means, tx: Transaction, kind: str, key: bytes) -> None:
    store = means.stores.lockouts
    store.write(tx, kind, key, after_failure(store.read(tx, kind, key), LIMITS[kind], tx.now))
