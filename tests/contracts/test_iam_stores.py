"""The identity stores on every real database: constraints, single use, rotation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from iam.errors import NameTaken, RoleConflict
from iam.models.accounts import Account, Person, RoleGrant
from iam.models.cas import CasService
from iam.models.clients import Client
from iam.models.credentials import Attempts, PasswordCredential, TotpCredential
from iam.models.grants import Code, Family, Redemption, RefreshUse
from iam.models.sessions import OpSession
from iam.ports import IamStores
from iam.store import make_stores
from iam.store.tables import metadata
from secops.adapters.spine import Spine
from secops.kernel.clock import HOUR, SECOND
from secops.kernel.errors import Conflict
from secops.kernel.transactions import Transaction
from tests.fakes.clock import START

STORES: IamStores = make_stores()
THREE = ("system-admin", "security-admin", "audit-admin")


def person(number: int, *, proved: bool = True) -> Person:
    key = f"person-{number}".encode()
    return Person(f"per_{number}", "org_root", key, proved, b"sealed", 2, START)


def account(number: int, person_id: str | None = None) -> Account:
    return Account(f"acc_{number}", "org_root", f"n{number}", "natural", person_id, "active", START)


def grant(number: int, role: str, key: bytes | None, side: str | None = "operating") -> RoleGrant:
    return RoleGrant("org_root", "account", f"acc_{number}", role, side, key, "test", START)


def run(spine: Spine, work: Callable[[Transaction], Any]) -> Any:
    return spine.transactions.run(work)


@pytest.fixture
def people(spine: Spine) -> Spine:
    def work(tx: Transaction) -> None:
        for number in range(4):
            STORES.persons.add_person(tx, person(number))
            STORES.accounts.add(tx, account(number, f"per_{number}"), f"n{number}")

    run(spine, work)
    return spine


@pytest.mark.parametrize("first", THREE)
@pytest.mark.parametrize("second", THREE)
def test_the_database_lets_no_person_be_two_of_the_three(
    people: Spine, first: str, second: str
) -> None:
    key = person(0).key
    run(people, lambda tx: STORES.roles.add(tx, grant(0, first, key)))
    with pytest.raises((RoleConflict, Conflict)):
        run(people, lambda tx: STORES.roles.add(tx, grant(1, second, key)))
    run(people, lambda tx: STORES.roles.add(tx, grant(1, second, person(1).key)))


@pytest.mark.parametrize("first", THREE)
def test_not_even_a_bare_statement_gets_round_the_three(people: Spine, first: str) -> None:
    key = person(0).key
    run(people, lambda tx: STORES.roles.add(tx, grant(0, first, key)))
    other = next(role for role in THREE if role != first)
    statement = sa.text(
        "INSERT INTO iam_role_grants (subject_id, role, org_id, subject_kind, side, person_key,"
        " granted_by, granted_at) VALUES ('acc_1', :role, 'o', 'account', 'operating', :key,"
        " 'attacker', 0)"
    )
    with pytest.raises(Conflict):
        run(people, lambda tx: tx.execute(statement, {"role": other, "key": key}))
    update = sa.text("UPDATE iam_role_grants SET side = 'judging' WHERE person_key = :key")
    with pytest.raises(Conflict):
        run(people, lambda tx: tx.execute(update, {"key": key}))


def test_an_accounts_grant_names_its_person(people: Spine) -> None:
    with pytest.raises((RoleConflict, Conflict)):
        run(people, lambda tx: STORES.roles.add(tx, grant(0, "analyst", None)))


def test_a_person_stands_on_one_side(people: Spine) -> None:
    key = person(0).key
    roles = STORES.roles
    run(people, lambda tx: roles.add(tx, grant(0, "auditor", key, "judging")))
    with pytest.raises(RoleConflict):
        run(people, lambda tx: roles.add(tx, grant(1, "analyst", key)))
    run(people, lambda tx: roles.add(tx, grant(1, "staff", key, None)))
    assert run(people, lambda tx: roles.remove(tx, "acc_0", "auditor"))
    assert not run(people, lambda tx: roles.remove(tx, "acc_0", "auditor"))
    run(people, lambda tx: roles.add(tx, grant(1, "analyst", key)))
    held = run(people, lambda tx: roles.of_person(tx, key))
    assert held == {"staff", "analyst"}
    assert run(people, lambda tx: dict(roles.facts(tx, "org_root")))["conflicts"] == 0


def test_proving_a_person_moves_the_grants_or_refuses(people: Spine) -> None:
    roles = STORES.roles
    run(people, lambda tx: roles.add(tx, grant(0, "system-admin", person(0).key)))
    run(people, lambda tx: roles.add(tx, grant(1, "audit-admin", person(1).key)))
    known = person(9)
    run(people, lambda tx: STORES.persons.prove_person(tx, "acc_0", known))
    assert run(people, lambda tx: roles.of_person(tx, known.key)) == {"system-admin"}
    with pytest.raises(RoleConflict):
        run(people, lambda tx: STORES.persons.prove_person(tx, "acc_1", known))
    assert run(people, lambda tx: roles.of_person(tx, person(1).key)) == {"audit-admin"}


def test_a_name_is_taken_once(people: Spine) -> None:
    with pytest.raises(NameTaken):
        run(people, lambda tx: STORES.accounts.add(tx, account(77), "n0"))


def test_a_totp_step_is_used_once_and_never_backwards(people: Spine) -> None:
    credentials = STORES.credentials
    run(people, lambda tx: credentials.set_totp(tx, TotpCredential("acc_0", b"s", 10)))
    used = [run(people, lambda tx, s=s: credentials.use_step(tx, "acc_0", s)) for s in (10, 12, 12)]
    assert used == [False, True, False]
    assert not run(people, lambda tx: credentials.use_step(tx, "acc_0", 11))


def test_recovery_codes_and_identifiers_are_used_once(people: Spine) -> None:
    credentials, grants = STORES.credentials, STORES.grants
    run(people, lambda tx: credentials.set_recovery_codes(tx, "acc_0", [b"a", b"b"]))
    use = [
        run(people, lambda tx: credentials.use_recovery_code(tx, "acc_0", b"a")) for _ in range(2)
    ]
    once = [
        run(people, lambda tx: grants.use_once(tx, "kind", b"k", tx.now + HOUR)) for _ in range(2)
    ]
    assert (use, once) == ([True, False], [True, False])


def test_password_history_keeps_the_newest(people: Spine) -> None:
    credentials = STORES.credentials
    for number in range(5):
        new = PasswordCredential("acc_0", f"h{number}", START + number)
        run(people, lambda tx, new=new: credentials.set_password(tx, new, 3))
    kept = run(people, lambda tx: [p.hash for p in credentials.passwords(tx, "acc_0")])
    assert kept == ["h4", "h3", "h2"]
    run(people, lambda tx: credentials.clear(tx, "acc_0"))
    kept = run(people, lambda tx: [p.hash for p in credentials.passwords(tx, "acc_0")])
    assert kept == ["h3", "h2"]


def test_counters_are_kept(people: Spine) -> None:
    lockouts = STORES.lockouts
    run(people, lambda tx: lockouts.write(tx, "account", b"k", Attempts(1, 2, 3)))
    run(people, lambda tx: lockouts.write(tx, "account", b"k", Attempts(5, 2, START + HOUR)))
    assert run(people, lambda tx: lockouts.read(tx, "account", b"k")).failures == 5
    assert run(people, lambda tx: lockouts.locked(tx, "account")) == 1
    run(people, lambda tx: lockouts.clear(tx, "account", b"k"))
    assert run(people, lambda tx: lockouts.read(tx, "account", b"k")) == Attempts(0, 0, 0)


def session() -> OpSession:
    return OpSession(
        "ses_1", b"d", "org_root", "acc_0", START, 2, ("pwd", "otp"), START, HOUR, START + HOUR, ""
    )


@pytest.fixture
def signed_in(people: Spine) -> Spine:
    run(people, lambda tx: STORES.sessions.add(tx, session()))
    return people


def family(key_id: str | None) -> Family:
    return Family(
        b"f" * 16, "org_root", "app", "ses_1", key_id, frozenset({"a"}), HOUR, START + 2 * HOUR
    )


@pytest.mark.parametrize("key_id", [None, "secret:1"])
def test_a_generation_is_won_once(signed_in: Spine, key_id: str | None) -> None:
    grants = STORES.grants
    run(signed_in, lambda tx: grants.add_family(tx, family(key_id)))
    use = RefreshUse(b"f" * 16, 0, "app", key_id)
    outcomes = [run(signed_in, lambda tx: grants.rotate(tx, use)) for _ in range(2)]
    assert outcomes[0].outcome == "rotated"
    assert outcomes[0].generation == 1
    assert outcomes[1].outcome == ("reused" if key_id is None else "repeated")
    after = run(signed_in, lambda tx: grants.rotate(tx, RefreshUse(b"f" * 16, 9, "app", key_id)))
    assert after.outcome == ("refused" if key_id is None else "ahead")


@pytest.mark.parametrize(
    "use",
    [
        RefreshUse(b"f" * 16, 0, "other", "secret:1"),
        RefreshUse(b"f" * 16, 0, "app", "secret:2"),
        RefreshUse(b"f" * 16, 0, "app", None),
    ],
)
def test_another_clients_or_keys_use_is_theft(signed_in: Spine, use: RefreshUse) -> None:
    grants = STORES.grants
    run(signed_in, lambda tx: grants.add_family(tx, family("secret:1")))
    assert run(signed_in, lambda tx: grants.rotate(tx, use)).outcome == "reused"
    honest = RefreshUse(b"f" * 16, 0, "app", "secret:1")
    assert run(signed_in, lambda tx: grants.rotate(tx, honest)).outcome == "refused"


def test_ending_a_session_ends_its_families(signed_in: Spine) -> None:
    run(signed_in, lambda tx: STORES.grants.add_family(tx, family(None)))
    assert run(signed_in, lambda tx: STORES.sessions.end(tx, "ses_1"))
    assert not run(signed_in, lambda tx: STORES.sessions.end(tx, "ses_1"))
    use = RefreshUse(b"f" * 16, 0, "app", None)
    assert run(signed_in, lambda tx: STORES.grants.rotate(tx, use)).outcome == "refused"
    assert run(signed_in, lambda tx: STORES.sessions.alive_of(tx, "acc_0")) == []


def test_a_code_is_redeemed_once_by_whom_it_was_made_for(signed_in: Spine) -> None:
    grants = STORES.grants
    code = Code(
        b"c", "org_root", "app", "uri", "challenge", frozenset({"a"}), None, "ses_1", START + SECOND
    )
    run(signed_in, lambda tx: grants.add_code(tx, code))
    right = Redemption(b"c", "app", "uri", "challenge", "jti", b"f" * 16)
    wrong = Redemption(b"c", "app", "uri", "other", "jti2", b"g" * 16)
    assert run(signed_in, lambda tx: grants.redeem_code(tx, wrong)) is None
    assert run(signed_in, lambda tx: grants.spent_code(tx, wrong)) is None
    assert run(signed_in, lambda tx: grants.redeem_code(tx, right)) == code
    assert run(signed_in, lambda tx: grants.redeem_code(tx, right)) is None
    assert run(signed_in, lambda tx: grants.spent_code(tx, wrong)).token_id == "jti"


def test_a_grant_tells_its_own_client_alone_whose_it_is(signed_in: Spine) -> None:
    grants = STORES.grants
    code = Code(
        b"c", "org_root", "app", "uri", "challenge", frozenset({"a"}), None, "ses_1", START + SECOND
    )
    run(signed_in, lambda tx: grants.add_code(tx, code))
    run(signed_in, lambda tx: grants.add_family(tx, family(None)))

    def told(client_id: str) -> list[str | None]:
        def work(tx: Transaction) -> list[str | None]:
            of_code = grants.session_of_code(tx, b"c", client_id)
            return [of_code, grants.session_of_family(tx, b"f" * 16, client_id)]

        found: list[str | None] = run(signed_in, work)
        return found

    assert (told("app"), told("other")) == (["ses_1", "ses_1"], [None, None])
    used = Redemption(b"c", "app", "uri", "challenge", "jti", b"g" * 16)
    run(signed_in, lambda tx: grants.redeem_code(tx, used))
    assert told("app") == [None, "ses_1"]


def test_what_is_demanded_of_real_names_is_told_for_applications_and_services(
    spine: Spine,
) -> None:
    oa = Client("oa", "org_root", "OA", real_name_level="document")
    portal = CasService("oa", "org_root", "https://oa.example", "OA", real_name_level="certificate")

    def work(tx: Transaction) -> list[str | None]:
        STORES.clients.add(tx, oa)
        STORES.clients.add(tx, Client("forum", "org_root", "Forum"))
        STORES.cas.put_service(tx, portal)
        names = ("oa", "forum", "cas:oa", "cas:forum", "none", "")
        return [STORES.demands.of_application(tx, name) for name in names]

    assert run(spine, work) == ["document", "none", "certificate", None, None, None]
    kept = run(spine, lambda tx: STORES.clients.get(tx, "oa"))
    assert kept.real_name_level == "document"
    assert run(spine, lambda tx: STORES.cas.service(tx, "oa")) == portal


def test_risk_follows_the_latest_announcement(people: Spine) -> None:
    risks = STORES.risks
    stored = [
        run(people, lambda tx, e=e: risks.put(tx, "account:a", e * 10, (e, START)))
        for e in (2, 2, 1, 3)
    ]
    assert stored == [True, False, False, True]
    assert run(people, lambda tx: dict(risks.all(tx))) == {"account:a": (30, START)}


def test_what_expired_is_purged(signed_in: Spine) -> None:
    grants = STORES.grants
    run(signed_in, lambda tx: grants.use_once(tx, "kind", b"old", tx.now - 2 * HOUR))
    run(signed_in, lambda tx: grants.use_once(tx, "kind", b"new", tx.now))
    assert run(signed_in, lambda tx: grants.purge(tx, 100)) == 1
    assert not run(signed_in, lambda tx: grants.use_once(tx, "kind", b"new", tx.now))


def test_the_migration_makes_the_tables_that_the_stores_use(spine: Spine) -> None:
    def ours(thing: Any, name: str | None, kind: str, *_: Any) -> bool:
        del thing
        return kind != "table" or (name or "").startswith("iam_")

    with spine.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": ours, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
