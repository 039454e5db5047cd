"""Revocations, in memory and over every database."""

from __future__ import annotations

import pytest

from secops.kernel.errors import Invalid
from secops.kernel.transactions import Transaction
from tests.contracts.conftest import Kit


def test_what_is_revoked_is_refused_at_once_in_the_same_process(kit: Kit) -> None:
    revocations, transactions = kit.parts.revocations, kit.parts.transactions
    assert not revocations.is_revoked("session", "s1")
    before = revocations.epoch
    transactions.run(lambda tx: revocations.revoke(tx, "session", "s1"))
    assert revocations.is_revoked("session", "s1")
    assert not revocations.is_revoked("account", "s1")
    assert revocations.epoch > before


@pytest.mark.parametrize("kind", ["account", "client", "key", "seal"])
def test_a_restored_thing_is_no_longer_refused(kit: Kit, kind: str) -> None:
    revocations, transactions = kit.parts.revocations, kit.parts.transactions
    transactions.run(lambda tx: revocations.revoke(tx, kind, "x"))  # type: ignore[arg-type]
    before = revocations.epoch
    transactions.run(lambda tx: revocations.restore(tx, kind, "x"))  # type: ignore[arg-type]
    assert not revocations.is_revoked(kind, "x")  # type: ignore[arg-type]
    assert revocations.epoch > before
    transactions.run(lambda tx: revocations.revoke(tx, kind, "x"))  # type: ignore[arg-type]
    assert revocations.is_revoked(kind, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["session", "token"])
def test_a_session_or_token_never_comes_back(kit: Kit, kind: str) -> None:
    revocations, transactions = kit.parts.revocations, kit.parts.transactions
    transactions.run(lambda tx: revocations.revoke(tx, kind, "x"))  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        transactions.run(lambda tx: revocations.restore(tx, kind, "x"))  # type: ignore[arg-type]
    assert revocations.is_revoked(kind, "x")  # type: ignore[arg-type]


def test_an_unknown_kind_is_invalid(kit: Kit) -> None:
    revocations, transactions = kit.parts.revocations, kit.parts.transactions
    with pytest.raises(Invalid):
        transactions.run(
            lambda tx: revocations.revoke(tx, "planet", "x")  # type: ignore[arg-type]
        )


def test_all_that_is_ended_of_a_kind_is_there_with_its_instant(kit: Kit) -> None:
    revocations, transactions = kit.parts.revocations, kit.parts.transactions
    assert revocations.ended_of("seal") == {}

    def end(tx: Transaction) -> int:
        revocations.revoke(tx, "seal", "a")
        revocations.revoke(tx, "certificate", "b")
        return tx.now

    now = transactions.run(end)
    assert revocations.ended_of("seal") == {"a": now}
    assert revocations.ended_of("certificate") == {"b": now}
    transactions.run(lambda tx: revocations.restore(tx, "seal", "a"))
    assert revocations.ended_of("seal") == {}
