"""Codes by message, notices, recoveries and seals on every real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from iam.models.accounts import Account, Person
from iam.models.messages import MessageAddress, OwnerNotice, SentCode
from iam.models.recovery import BreakGlass, Recovery
from iam.ports import IamStores
from iam.store import make_stores
from secops.adapters.spine import Spine
from secops.kernel.clock import HOUR, MINUTE
from secops.kernel.transactions import Transaction
from tests.fakes.clock import START

STORES: IamStores = make_stores()
CODE = SentCode(
    attempt=b"a" * 16,
    org_id="org_root",
    account_id="acc_0",
    purpose="sign_in",
    channel="sms",
    digest=b"d" * 32,
    expires_at=START + 5 * MINUTE,
)
ADDRESS = MessageAddress("acc_0", "sms", "org_root", b"sealed", START)
NOTICE = OwnerNotice(
    id="ntc_0",
    org_id="org_root",
    account_id="acc_0",
    channel="sms",
    kind="reset_asked",
    subject_id="apr_0",
    sealed_address=b"sealed",
    about=START + HOUR,
    state="waiting",
    tries=0,
    next_at=START,
    created_at=START,
)
RECOVERY = Recovery("apr_0", "org_root", "acc_0", "waiting", START, START + HOUR, START + 9 * HOUR)
SEALED = BreakGlass("acc_0", "org_root", START, "acc_1", b"second")


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


def winners(spine: Spine, work: Callable[[Transaction], Any]) -> list[Any]:
    """Return what of eight threads at once came of ``work``, without the noes."""
    found: list[Any] = []
    barrier = threading.Barrier(8)

    def race() -> None:
        barrier.wait()
        found.append(run(spine, work))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for each in found if each]


def test_a_code_is_checked_and_used_up_by_one_statement(people: Spine) -> None:
    codes = STORES.message_addresses
    run(people, lambda tx: codes.send(tx, replace(CODE, digest=b"old")))
    run(people, lambda tx: codes.send(tx, CODE))
    assert run(people, lambda tx: codes.waiting(tx, CODE.attempt)) == CODE
    assert run(people, lambda tx: codes.consume(tx, CODE.attempt, b"old")) is None
    assert run(people, lambda tx: codes.consume(tx, b"other", CODE.digest)) is None
    assert winners(people, lambda tx: codes.consume(tx, CODE.attempt, CODE.digest)) == [CODE]


def test_a_code_is_over_at_its_end_and_goes_in_bounded_parts(people: Spine) -> None:
    codes = STORES.message_addresses
    over = [replace(CODE, attempt=bytes([n]) * 16, expires_at=START) for n in range(3)]
    for each in (*over, CODE):
        run(people, lambda tx, each=each: codes.send(tx, each))
    assert run(people, lambda tx: codes.waiting(tx, over[0].attempt)) is None
    assert run(people, lambda tx: codes.consume(tx, over[0].attempt, CODE.digest)) is None
    removed = [run(people, lambda tx: codes.purge(tx, START + 1, 2)) for _ in range(3)]
    assert removed == [2, 1, 0]
    assert run(people, lambda tx: codes.waiting(tx, CODE.attempt)) == CODE


def test_an_account_has_one_address_for_a_channel(people: Spine) -> None:
    addresses = STORES.message_addresses
    mail = replace(ADDRESS, channel="mail")
    other = replace(ADDRESS, sealed_address=b"other", created_at=START + 1)
    for each in (ADDRESS, mail, replace(ADDRESS, account_id="acc_1"), other):
        run(people, lambda tx, each=each: addresses.put(tx, each))
    assert run(people, lambda tx: addresses.of_account(tx, "acc_0")) == [mail, other]
    run(people, lambda tx: addresses.used(tx, "acc_0", "mail"))
    [used, _] = run(people, lambda tx: addresses.of_account(tx, "acc_0"))
    assert used.last_used_at is not None
    run(people, lambda tx: addresses.send(tx, CODE))
    assert run(people, lambda tx: addresses.remove(tx, "acc_0", "sms"))
    assert not run(people, lambda tx: addresses.remove(tx, "acc_0", "sms"))
    assert run(people, lambda tx: addresses.waiting(tx, CODE.attempt)) is None
    run(people, lambda tx: addresses.clear(tx, "acc_0"))
    assert run(people, lambda tx: addresses.of_account(tx, "acc_0")) == []
    assert len(run(people, lambda tx: addresses.of_account(tx, "acc_1"))) == 1
    assert run(people, lambda tx: addresses.of_roles(tx, ("system-admin",))) == []


def test_a_notice_is_written_once_and_taken_by_one(people: Spine) -> None:
    notices = STORES.owner_notices
    for each in (NOTICE, replace(NOTICE, id="ntc_1"), replace(NOTICE, id="ntc_2", channel="mail")):
        run(people, lambda tx, each=each: notices.add(tx, each))
    taken = winners(people, lambda tx: notices.claim(tx, 8, START + HOUR))
    assert [[each.id for each in batch] for batch in taken] == [["ntc_0", "ntc_2"]]
    kept = replace(NOTICE, state="delivered", tries=1)
    assert run(people, lambda tx: notices.keep(tx, kept))
    late = replace(NOTICE, tries=1, trouble="of a process that was held up")
    assert not run(people, lambda tx: notices.keep(tx, late))
    found = run(people, lambda tx: notices.of_subject(tx, "apr_0"))
    assert [(each.channel, each.state) for each in found] == [
        ("mail", "waiting"),
        ("sms", "delivered"),
    ]
    assert run(people, lambda tx: notices.purge(tx, START + 1, 9)) == 1


def test_a_recovery_ends_once(people: Spine) -> None:
    recoveries = STORES.recoveries
    run(people, lambda tx: recoveries.add(tx, RECOVERY))
    assert run(people, lambda tx: recoveries.waiting_of(tx, "acc_0")) == [RECOVERY]
    assert not run(people, lambda tx: recoveries.carry_out(tx, "apr_0"))
    assert not run(people, lambda tx: recoveries.hasten(tx, "apr_0", START + 2 * HOUR, "acc_1"))
    assert run(people, lambda tx: recoveries.hasten(tx, "apr_0", START, "acc_1"))
    found = run(people, lambda tx: recoveries.get(tx, "apr_0"))
    assert (found.not_before, found.hastened_by) == (START, "acc_1")

    def either(tx: Transaction) -> bool:
        return recoveries.carry_out(tx, "apr_0") or recoveries.end(tx, "apr_0", "cancelled")

    assert winners(people, either) == [True]
    assert run(people, lambda tx: recoveries.waiting_of(tx, "acc_0")) == []
    assert run(people, lambda tx: recoveries.get(tx, "apr_1")) is None


def test_a_seal_breaks_for_its_hours_and_is_put_on_anew(people: Spine) -> None:
    seals = STORES.break_glass
    run(people, lambda tx: seals.seal(tx, SEALED))
    assert run(people, lambda tx: seals.get(tx, "acc_0")) == SEALED
    assert winners(people, lambda tx: seals.collect(tx, "acc_0")) == [True]
    assert run(people, lambda tx: seals.tested(tx, "acc_0"))
    assert not run(people, lambda tx: seals.reviewed(tx, "acc_0", "acc_1"))
    until = START + 4 * HOUR
    assert run(people, lambda tx: seals.open(tx, "acc_0", until)) == until
    assert run(people, lambda tx: seals.open(tx, "acc_0", until + HOUR)) == until
    assert run(people, lambda tx: seals.open(tx, "acc_1", until)) is None
    assert not run(people, lambda tx: seals.tested(tx, "acc_0"))
    assert winners(people, lambda tx: seals.reviewed(tx, "acc_0", "acc_1")) == [True]
    run(people, lambda tx: seals.seal(tx, SEALED))
    assert run(people, seals.all_of) == [SEALED]
    assert run(people, lambda tx: seals.open(tx, "acc_0", START)) == START
    assert run(people, lambda tx: seals.open(tx, "acc_0", until)) is None
    run(people, lambda tx: seals.remove(tx, "acc_0"))
    assert run(people, lambda tx: seals.get(tx, "acc_0")) is None
