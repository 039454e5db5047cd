"""The stores of factors on every real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from iam.errors import CertificateKnown, PasskeyKnown
from iam.models.accounts import Account, Person
from iam.models.credentials import TotpCredential
from iam.models.factors import CertificateBinding, Passkey
from iam.models.sessions import OpSession, RpSession
from iam.ports import IamStores
from iam.store import make_stores
from secops.adapters.spine import Spine
from secops.kernel.clock import HOUR
from secops.kernel.transactions import Transaction
from tests.fakes.clock import START

STORES: IamStores = make_stores()
PASSKEY = Passkey(
    credential_id=b"c" * 32,
    org_id="org_root",
    account_id="acc_0",
    name="手机",
    public_key=b"k",
    sign_count=0,
    model="m",
    attested=True,
    synced=False,
    transports=("internal", "usb"),
    created_at=START,
)
BINDING = CertificateBinding(
    id="crt_0",
    key_digest=b"d" * 32,
    org_id="org_root",
    account_id="acc_0",
    name="UKey",
    subject="CN=张三",
    serial="1f",
    not_after=START + HOUR,
    token_held=True,
    created_at=START,
    created_by="acc_1",
)


def run(spine: Spine, work: Callable[[Transaction], Any]) -> Any:
    return spine.transactions.run(work)


@pytest.fixture
def people(spine: Spine) -> Spine:
    def work(tx: Transaction) -> None:
        for number in range(2):
            key = f"person-{number}".encode()
            who = Person(f"per_{number}", "org_root", key, True, b"sealed", 2, START)  # noqa: FBT003
            STORES.persons.add_person(tx, who)
            name = f"n{number}"
            account = Account(f"acc_{number}", "org_root", name, "natural", who.id, "active", START)
            STORES.accounts.add(tx, account, name)

    run(spine, work)
    return spine


def test_a_passkey_is_kept_as_it_was_and_belongs_to_one_account(people: Spine) -> None:
    run(people, lambda tx: STORES.passkeys.add(tx, PASSKEY))
    assert run(people, lambda tx: STORES.passkeys.get(tx, PASSKEY.credential_id)) == PASSKEY
    with pytest.raises(PasskeyKnown):
        run(people, lambda tx: STORES.passkeys.add(tx, replace(PASSKEY, account_id="acc_1")))
    assert run(people, lambda tx: STORES.passkeys.of_account(tx, "acc_0")) == [PASSKEY]
    key = PASSKEY.credential_id
    assert not run(people, lambda tx: STORES.passkeys.rename(tx, "acc_1", key, "x"))
    assert run(people, lambda tx: STORES.passkeys.rename(tx, "acc_0", key, "x"))
    assert not run(people, lambda tx: STORES.passkeys.remove(tx, "acc_1", key))
    assert run(people, lambda tx: STORES.passkeys.remove(tx, "acc_0", key))
    assert run(people, lambda tx: STORES.passkeys.get(tx, key)) is None


def test_a_counter_goes_on_or_is_none_at_all(people: Spine) -> None:
    run(people, lambda tx: STORES.passkeys.add(tx, PASSKEY))
    key = PASSKEY.credential_id
    used = [
        run(people, lambda tx, n=n: STORES.passkeys.use(tx, key, n)) for n in (0, 0, 3, 3, 2, 0, 4)
    ]
    assert used == [True, True, True, False, False, False, True]
    assert run(people, lambda tx: STORES.passkeys.suspend(tx, key))
    assert not run(people, lambda tx: STORES.passkeys.suspend(tx, key))
    assert not run(people, lambda tx: STORES.passkeys.use(tx, key, 9))


def test_of_many_uses_of_one_counter_one_counts(people: Spine) -> None:
    run(people, lambda tx: STORES.passkeys.add(tx, PASSKEY))
    won: list[bool] = []
    barrier = threading.Barrier(8)

    def race() -> None:
        barrier.wait()
        won.append(run(people, lambda tx: STORES.passkeys.use(tx, PASSKEY.credential_id, 7)))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_a_key_is_bound_to_one_account(people: Spine) -> None:
    run(people, lambda tx: STORES.certificates.add(tx, BINDING))
    other = replace(BINDING, id="crt_1", account_id="acc_1")
    with pytest.raises(CertificateKnown):
        run(people, lambda tx: STORES.certificates.add(tx, other))
    assert run(people, lambda tx: STORES.certificates.by_key(tx, b"d" * 32)) == BINDING
    assert run(people, lambda tx: STORES.certificates.use(tx, b"d" * 32))
    assert not run(people, lambda tx: STORES.certificates.use(tx, b"e" * 32))
    assert not run(people, lambda tx: STORES.certificates.remove(tx, "acc_1", "crt_0"))
    assert run(people, lambda tx: STORES.certificates.remove(tx, "acc_0", "crt_0"))
    assert run(people, lambda tx: STORES.certificates.of_account(tx, "acc_0")) == []


def test_clearing_an_account_clears_every_factor(people: Spine) -> None:
    def fill(tx: Transaction) -> None:
        STORES.passkeys.add(tx, PASSKEY)
        STORES.certificates.add(tx, BINDING)
        STORES.credentials.set_totp(tx, TotpCredential("acc_0", b"s", 1, "sm3"))
        STORES.credentials.set_recovery_codes(tx, "acc_0", [b"a", b"b"])

    run(people, fill)
    held = run(people, lambda tx: STORES.credentials.totp(tx, "acc_0"))
    assert held == TotpCredential("acc_0", b"s", 1, "sm3")
    assert run(people, lambda tx: STORES.factors_held.recovery_codes_left(tx, "acc_0")) == 2
    run(people, lambda tx: STORES.credentials.clear(tx, "acc_0"))
    assert run(people, lambda tx: STORES.passkeys.of_account(tx, "acc_0")) == []
    assert run(people, lambda tx: STORES.certificates.of_account(tx, "acc_0")) == []
    assert run(people, lambda tx: STORES.factors_held.recovery_codes_left(tx, "acc_0")) == 0
    assert not run(people, lambda tx: STORES.factors_held.remove_totp(tx, "acc_0"))


def test_a_name_that_nobody_has_leads_to_another_account(spine: Spine, people: Spine) -> None:
    find = STORES.factors_held.account_or_other
    assert run(people, lambda tx: find(tx, "n1")) == ("acc_1", True)
    assert run(people, lambda tx: find(tx, "nobody")) == ("acc_0", False)


def test_an_empty_home_has_no_other_account(spine: Spine) -> None:
    assert run(spine, lambda tx: STORES.factors_held.account_or_other(tx, "n1")) == ("", False)


def test_a_session_is_strengthened_while_it_lives(people: Spine) -> None:
    session = OpSession(
        "ses_1", b"1" * 32, "org_root", "acc_0", START, 1, ("pwd",), START, HOUR, START + HOUR, "a"
    )

    def fill(tx: Transaction) -> None:
        STORES.sessions.add(tx, session)
        STORES.sessions.add_rp(tx, RpSession(b"r" * 32, "ses_1", "c", START))

    run(people, fill)
    levels = STORES.session_levels
    stronger = replace(session, digest=b"2" * 32, level=2, amr=("pwd", "otp"))
    assert run(people, lambda tx: levels.move_rp(tx, "ses_1", b"r" * 32, b"s" * 32))
    assert not run(people, lambda tx: levels.move_rp(tx, "ses_1", b"r" * 32, b"t" * 32))
    assert not run(people, lambda tx: levels.move_rp(tx, "ses_2", b"s" * 32, b"t" * 32))
    assert run(people, lambda tx: levels.strengthen(tx, stronger))
    kept = run(people, lambda tx: STORES.sessions.get(tx, "ses_1"))
    assert (kept.digest, kept.level, kept.amr) == (b"2" * 32, 2, ("pwd", "otp"))
    run(people, lambda tx: STORES.sessions.end(tx, "ses_1"))
    assert not run(people, lambda tx: levels.strengthen(tx, stronger))


def test_a_passkey_or_a_ukey_counts_as_two_factors_while_it_may_be_used(people: Spine) -> None:
    def counted(now: int = START) -> int:
        facts = run(
            people,
            lambda tx: STORES.credentials.facts(tx, "org_root", set_before=START, now=now),
        )
        return int(facts["with_two_factors"])

    assert counted() == 0
    run(people, lambda tx: STORES.passkeys.add(tx, PASSKEY))
    assert counted() == 1
    run(people, lambda tx: STORES.passkeys.remove(tx, "acc_0", PASSKEY.credential_id))
    run(people, lambda tx: STORES.certificates.add(tx, BINDING))
    assert (counted(), counted(START + HOUR)) == (1, 0)
