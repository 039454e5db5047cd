"""Erasing a person on every real database: no table keeps what it should not, none is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
import sqlalchemy as sa

from audits.store.erasure import NAMED as AUDITS_NAMED
from audits.store.erasure import PersonTraces as AuditsTraces
from audits.store.tables import supplier_accesses
from iam.models.accounts import Account, Person
from iam.store import make_stores
from iam.store.erasure import OWN_ROWS
from iam.store.tables import (
    civil_services,
    departures,
    device_sessions,
    metadata,
    registered_devices,
    scim_users,
    sessions,
)
from playbooks.store.erasure import NAMED as PLAYBOOKS_NAMED
from playbooks.store.erasure import PersonTraces as PlaybooksTraces
from playbooks.store.tables import incident_members, incident_tasks, incidents, observables
from secops.adapters.spine import Spine
from secops.kernel.transactions import Transaction
from tests.fakes.clock import START

STORES: Final = make_stores()
CANARY: Final = "陈金丝雀13800138000"
PSEUDONYM: Final = "erased-00"
KEPT: Final[Mapping[str, str]] = {
    "iam_break_glass": "an emergency account is no person's, and is never erased",
    "iam_cas_tickets": "ids and times; they expire within minutes",
    "iam_logout_notices": "ids and times",
    "iam_recoveries": "ids and times",
    "iam_session_clients": "ids and times",
}
"""Tables with an account's id and nothing else about whose it is."""
OURS: Final = ("id", "digest", "org_id", "amr", "successor_id", "ordered_by", "state")
"""Columns of ours that say nothing about a person."""
_VALUES: Final[tuple[tuple[type[sa.types.TypeEngine[Any]], Any], ...]] = (
    (sa.Text, CANARY),
    (sa.LargeBinary, CANARY.encode()),
    (sa.Boolean, False),
    (sa.Integer, 1),
)


def row(table: sa.Table, **given: Any) -> dict[str, Any]:
    """A row of ``table`` with the canary wherever something can stand."""
    made = {
        column.name: next(value for kind, value in _VALUES if isinstance(column.type, kind))
        for column in table.columns
        if not column.foreign_keys
    }
    return made | given


def add_account(tx: Transaction, number: int) -> None:
    key = f"key-{number}".encode()
    person = Person(
        id=f"per_{number}",
        org_id="o",
        key=key,
        proved=True,
        sealed_name=CANARY.encode(),
        real_name_level=4,
        created_at=START,
    )
    STORES.persons.add_person(tx, person)
    name = f"{CANARY}-{number}"
    account = Account(f"acc_{number}", "o", name, "natural", person.id, "closed", START)
    STORES.accounts.add(tx, account, name)
    STORES.accounts.signed_in(tx, account.id, START)


def _ours(column: sa.Column[Any], text: str) -> str | bytes:
    return text.encode() if isinstance(column.type, sa.LargeBinary) else text


def fill(tx: Transaction, number: int) -> None:
    """Give the account a row in each table of its own."""
    mine = {"account_id": f"acc_{number}"}
    mark = f"{CANARY}-{number}".encode()
    for table in (*OWN_ROWS, scim_users, sessions, departures):
        keys = {
            column.name: mark if isinstance(column.type, sa.LargeBinary) else mark.decode()
            for column in table.columns
            if (column.primary_key or column.unique) and not isinstance(column.type, sa.Integer)
        }
        ours = {name: _ours(table.c[name], f"{name}-{number}") for name in OURS if name in table.c}
        tx.execute(table.insert().values(**row(table, **keys | ours | mine)))
    tx.execute(departures.update().values(state="due"))
    tx.execute(civil_services.insert().values(**row(civil_services, person_id=f"per_{number}")))
    device = sa.select(registered_devices.c.id).where(
        registered_devices.c.account_id == mine["account_id"]
    )
    session = sa.select(sessions.c.id).where(sessions.c.account_id == mine["account_id"])
    tx.execute(
        device_sessions.insert().values(
            session_id=tx.execute(session).scalar_one(),
            device_id=tx.execute(device).scalar_one(),
            proved_at=START,
        )
    )


@pytest.fixture
def filled(spine: Spine) -> Spine:
    def work(tx: Transaction) -> None:
        for number in (1, 2):
            add_account(tx, number)
            fill(tx, number)

    spine.transactions.run(work)
    return spine


def everything(spine: Spine, number: int) -> str:
    """All rows of the plane that belong to an account or its person, as text."""

    def read(tx: Transaction) -> str:
        found = []
        for table in metadata.sorted_tables:
            column = next(
                (table.c[n] for n in ("account_id", "person_id") if n in table.c), table.c.get("id")
            )
            if column is None or (column.name == "id" and table.name != "iam_persons"):
                continue
            owner = f"acc_{number}" if column.name == "account_id" else f"per_{number}"
            rows = tx.execute(sa.select(table).where(column == owner))
            found += [f"{table.name} {tuple(map(_text, each))}" for each in rows]
        return "\n".join(found)

    return spine.transactions.read(read)


def _text(value: Any) -> Any:
    return bytes(value).decode() if isinstance(value, bytes | memoryview) else value


def test_every_table_with_an_accounts_rows_is_erased_or_kept_for_a_reason() -> None:
    named = {table.name for table in metadata.sorted_tables if "account_id" in table.c}
    changed = {"iam_scim_users", "iam_sessions", "iam_departures"}
    assert {table.name for table in OWN_ROWS} | changed | set(KEPT) == named
    free = {"name", "address", "subject", "reason", "sealed_address", "sealed_subject", "trouble"}
    loose = {name: free & set(metadata.tables[name].c.keys()) for name in KEPT}
    assert {name: kept for name, kept in loose.items() if kept} == {
        "iam_logout_notices": {"trouble"}
    }


def test_nothing_of_the_person_is_left_and_nothing_of_another_is_touched(filled: Spine) -> None:
    other = everything(filled, 2)

    def work(tx: Transaction) -> Mapping[str, int]:
        counts = STORES.erasures.erase_account(tx, "acc_1", PSEUDONYM)
        return {**counts, **STORES.erasures.erase_person(tx, "per_1", b"random")}

    counts = filled.transactions.run(work)
    left = everything(filled, 1)
    assert CANARY not in left
    assert CANARY in other
    read = filled.transactions.read
    assert everything(filled, 2) == other
    account = read(lambda tx: STORES.accounts.get(tx, "acc_1"))
    assert (account.name, account.person_id, account.last_sign_in) == (PSEUDONYM, "per_1", None)
    assert account.erased_at is not None
    assert set(counts.values()) == {1}
    assert len(counts) == len(OWN_ROWS) + 7
    due = sa.select(departures.c.state, departures.c.reason).where(
        departures.c.account_id == "acc_1"
    )
    assert tuple(read(lambda tx: tx.execute(due).one())) == ("cancelled", "")


def names_beside(
    spine: Spine, identifier: sa.Column[Any], named: sa.Column[Any], account_id: str
) -> set[str]:
    found = sa.select(named).where(identifier == account_id)
    return set(spine.transactions.read(lambda tx: tx.execute(found).scalars().all()))


def test_names_beside_ids_in_other_planes_are_replaced(spine: Spine) -> None:
    columns = (*PLAYBOOKS_NAMED, *AUDITS_NAMED)

    def work(tx: Transaction) -> Mapping[str, int]:
        for identifier, named in columns:
            table = identifier.table
            mark = f"{table.name}-{identifier.name}"
            for number in (1, 2):
                keys = {
                    column.name: f"{mark}-{number}"
                    for column in table.columns
                    if column.primary_key and isinstance(column.type, sa.Text)
                }
                given = keys | {identifier.name: f"acc_{number}", named.name: CANARY}
                given |= {
                    c: f"{mark}-{number}"
                    for c in ("name", "digest", "system_id", "fingerprint")
                    if c in table.c and c not in given
                }
                tx.execute(table.insert().values(**row(table, **given)))
        return {
            **PlaybooksTraces().rename(tx, "acc_1", PSEUDONYM),
            **AuditsTraces().rename(tx, "acc_1", "zhang.wei", PSEUDONYM),
        }

    counts = spine.transactions.run(work)
    assert sum(counts.values()) == len(columns)
    assert {type(name) for name in counts} == {str}  # what an act can hold
    for identifier, named in columns:
        for number, name in ((1, PSEUDONYM), (2, CANARY)):
            assert names_beside(spine, identifier, named, f"acc_{number}") == {name}


def test_an_access_that_refers_to_the_account_by_name_refers_to_the_pseudonym(spine: Spine) -> None:
    def work(tx: Transaction) -> Mapping[str, int]:
        for number, name in enumerate(("zhang.wei", "zhang.weiwei")):
            given = {"id": f"sup_{number}", "account": name}
            tx.execute(supplier_accesses.insert().values(**row(supplier_accesses, **given)))
        return AuditsTraces().rename(tx, "acc_1", "zhang.wei", PSEUDONYM)

    assert spine.transactions.run(work) == {"audits_supplier_accesses": 1}
    found = sa.select(supplier_accesses.c.account).order_by(supplier_accesses.c.id)
    names = spine.transactions.read(lambda tx: tx.execute(found).scalars().all())
    assert names == [PSEUDONYM, "zhang.weiwei"]


@pytest.mark.parametrize("how", ["subject", "observable", "member", "task"])
def test_an_open_incident_names_the_account_and_a_closed_one_does_not(
    spine: Spine, how: str
) -> None:
    def work(tx: Transaction) -> None:
        for number, closed in (("open", None), ("closed", START)):
            incident_id = f"inc_{number}"
            subjects = '{"account":"zhang.wei"}' if how == "subject" else "{}"
            about = {"id": incident_id, "subjects": subjects, "closed_at": closed}
            tx.execute(incidents.insert().values(**row(incidents, **about)))
            here = {"incident_id": incident_id}
            if how == "observable":
                here |= {"kind": "account", "value": "zhang.wei"}
                tx.execute(observables.insert().values(**row(observables, **here)))
            elif how == "member":
                here |= {"account_id": "acc_1"}
                tx.execute(incident_members.insert().values(**row(incident_members, **here)))
            elif how == "task":
                here |= {"id": f"task_{number}", "assignee": "acc_1"}
                tx.execute(incident_tasks.insert().values(**row(incident_tasks, **here)))

    spine.transactions.run(work)
    traces, read = PlaybooksTraces(), spine.transactions.read
    assert read(lambda tx: traces.open_incidents(tx, "acc_1", "zhang.wei")) == ["inc_open"]
    assert read(lambda tx: traces.open_incidents(tx, "acc_2", "zhang.we%")) == []
