"""The ledger names nobody: canary persons go through the whole house, and one of them is erased."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
import sqlalchemy as sa

from audits.adapters.signatures import EngineVerifier
from audits.core.c2sp import open_note, parse_proof, parse_tree_head, parse_vkey
from audits.core.rfc6962 import SHA256, verify_inclusion
from audits.models.holds import LegalHold
from audits.models.records import NewRecord
from audits.service.assessments.entering import Judgement
from audits.service.holds.holds import NewHold
from audits.service.ledger.signatures import check_of
from iam.core.gb11643.id_number import check_character
from iam.errors import ErasureBarred, SignInRefused
from iam.models.accounts import Account, IdentityDocument, NewAccount
from iam.models.sessions import PasswordAttempt
from iam.service.people.mandates import NewMandate
from kms.models.seal_registry import SealRequest
from playbooks.service import NewIncident, NewTask, StateChange
from secops.bridges.house import House
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY
from secops.kernel.errors import SecopsError
from secops.kernel.transactions import Transaction
from tests.fakes.demo_site import OWNER, DemoSite

FULL_NAME: Final = "陈金丝雀"
NAME: Final = "chen.jinsique"
PHONE: Final = "13800138765"
MAIL: Final = "jinsique.chen@example.cn"
NUMBER: Final = "88888819790203" + "123"
CREDIT_CODE: Final = "91350100M000100Y43"
OTHERS: Final = ("王责任雀", "李供应雀", "赵见证雀", "孙录入雀")
CANARIES: Final = (FULL_NAME, NAME, PHONE, MAIL, NUMBER, *OTHERS)
TYPED_BY_PEOPLE: Final = {
    "assessment_entries.reason",
    "audits_records.filename",
    "audits_records.note",
    "audits_records.title",
    "audits_register_versions.content",
    "audits_systems.details",
    "playbooks_incident_tasks.title",
    "playbooks_incident_timeline.text",
    "playbooks_incidents.title",
}
"""Where names stand because somebody typed them there: the manual says so."""


@dataclass(frozen=True)
class Story:
    house: House
    account: Account
    incident_id: str


def spellings(canary: str) -> list[bytes]:
    """A text as it could stand in a record: as it is, escaped, hex, base64, UTF-16."""
    found = []
    for encoded in (canary.encode(), canary.encode("utf-16-le"), canary.encode("utf-16-be")):
        found += [encoded, encoded.hex().encode(), encoded.hex().upper().encode()]
        # base64 of a longer text: what stands in the middle depends on where the canary begins
        for shift in range(3):
            whole = base64.b64encode(b"\0" * shift + encoded)
            found.append(whole[-(-shift * 8 // 6) : (shift + len(encoded)) * 8 // 6])
    found.append(canary.encode("unicode_escape"))
    return [each for each in found if len(each) > 7]


def records(house: House) -> list[bytes]:
    house.audits.ledger.sequencer.drain()
    return [one.entry.record for one in house.audits.ledger.store.entries(0, 100_000)]


def leaks(house: House) -> list[tuple[str, bytes]]:
    written = b"\n".join(records(house))
    return [(name, each) for name in CANARIES for each in spellings(name) if each in written]


def people(house: House) -> Account:
    """Identity: an account with a real name and a document, a legal person, a mandate."""
    iam, system = house.iam, house.act_as("system-admin")
    document = IdentityDocument("cn-id", NUMBER + check_character(NUMBER))
    new = NewAccount(NAME, "civil", FULL_NAME, document, "临江县数据局", "科员")
    account, _ = iam.accounts.make(OWNER, new, ROOT_ORG)
    means = iam.accounts.means
    means.parts.transactions.run(
        lambda tx: means.stores.accounts.set_state(tx, account.id, "active")
    )
    iam.roles.assign_role(house.act_as("security-admin"), NAME, "staff")
    with pytest.raises(SignInRefused):
        iam.sign_in.begin(PasswordAttempt(NAME, f"{PHONE}{MAIL}", "127.0.0.1"))
    legal = iam.power.mandates.create_legal_person(system, CREDIT_CODE, "示例公司", NAME)
    now = house.parts.clock.now()
    wanted = NewMandate(legal.id, "staff", f"{FULL_NAME} {PHONE}", now, now + DAY, ("demo",))
    with pytest.raises(SecopsError):  # the representative is not known well enough
        iam.power.mandates.grant_mandate(system, wanted)
    iam.accounts.lock_account(system, NAME, "离岗")
    iam.accounts.unlock_account(system, NAME, "返岗")
    return account


def seals(house: House) -> None:
    wish = SealRequest(
        name="测试章", shape="round", organization="临江县数据局", holders=(NAME,), reason="用印"
    )
    found = house.kms.seal_applications.apply_seal(house.act_as("seal-applicant"), wish)
    house.kms.seal_applications.decide_application(
        house.act_as("security-admin"), found.id, grant=False, reason="测试"
    )


def response(house: House) -> str:
    books, analyst = house.playbooks, house.act_as("analyst")
    incident = books.incidents.open_incident(analyst, NewIncident(title=f"{FULL_NAME}{PHONE}"))
    books.members.set_member(analyst, incident.id, NAME, "observer")
    books.tasks.add_task(analyst, incident.id, NewTask(f"联系{FULL_NAME}", "triage", NAME))
    return incident.id


def register(house: House) -> None:
    register, system = house.audits.register, house.act_as("system-admin")
    owner, supplier, approver, witness = OTHERS
    written = {"name": "政务服务系统", "s_level": "3", "a_level": "3", "owner": owner}
    written |= {"contact": FULL_NAME, "contact_phone": PHONE, "unit_head": owner}
    kept = register.systems.add_system(system, written)
    asset = {"name": "host-1", "kind": "host", "owner": owner}
    register.assets.add_asset(system, kept.id, asset)
    access = {"supplier": "示例运维公司", "person": supplier, "approved_by": approver}
    access |= {"purpose": "运维", "starts_at": "2026-01-01", "ends_at": "2026-12-31"}
    register.suppliers.add_supplier_access(system, kept.id, access | {"account": NAME})
    new = NewRecord(
        kind="training",
        title=f"{FULL_NAME}培训",
        held_on="2026-03-01",
        filename=f"{FULL_NAME}.txt",
        person=witness,
        note=MAIL,
    )
    record = house.audits.records.add_record(system, new, f"{FULL_NAME} {PHONE}".encode())
    house.audits.records.read_record(system, record.id)


def evidence(house: House) -> None:
    """What auditors write: a judgement by name, and a task for the canary."""
    audits, auditor = house.audits, house.act_as("auditor")
    judgement = Judgement("L3-PES1-01", "compliant", f"访谈{FULL_NAME}", OTHERS[3])
    audits.assessments.enter_judgement(auditor, "gbt22239", judgement)


@pytest.fixture(scope="module")
def story(site: DemoSite) -> Iterator[Story]:
    house = site.house
    account = people(house)
    seals(house)
    incident_id = response(house)
    register(house)
    evidence(house)
    yield Story(house, account, incident_id)
    system = house.act_as("system-admin")
    if house.iam.accounts.get_account(system, account.id).state == "active":
        house.iam.power.departures.order_departure(system, account.id, "left")


def test_the_canaries_are_found_where_they_stand() -> None:
    """The search itself finds a canary in every spelling, at every place in a longer text."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        for before in range(3):
            text = b"x" * before + FULL_NAME.encode(encoding) + b"yz"
            for form in (text, text.hex().encode(), base64.b64encode(text)):
                assert any(each in form for each in spellings(FULL_NAME))


def test_no_ledger_record_names_a_person(story: Story) -> None:
    assert len(records(story.house)) > 20
    assert leaks(story.house) == []


def lifted(house: House, hold: LegalHold) -> None:
    """Let the hold end, as another audit administrator would."""
    store = house.audits.traces.holds

    def work(tx: Transaction) -> None:
        store.lift(tx, replace(hold, lifted_by="acc_x", lifted_at=tx.now, lift_reason="over"))

    house.parts.transactions.run(work)


def places_of(house: House, *texts: str) -> set[str]:
    """The columns of the main database in which one of ``texts`` stands."""
    found = set()
    needles = [text.encode() for text in texts]
    with house.spine.read_engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        for table in tables:
            rows = connection.execute(sa.text(f'SELECT * FROM "{table}"')).mappings()  # noqa: S608 - its own tables
            for row in rows:
                for column, value in row.items():
                    held = value if isinstance(value, bytes) else str(value).encode()
                    if any(needle in held for needle in needles):
                        found.add(f"{table}.{column}")
    return found


def test_what_is_erased_is_gone_and_the_ledger_proves_as_before(story: Story) -> None:
    house, account = story.house, story.account
    iam, erasures = house.iam, house.iam.power.erasures
    system, auditor = house.act_as("system-admin"), house.act_as("auditor")
    iam.power.departures.order_departure(system, NAME, f"{FULL_NAME}病退")
    with pytest.raises(ErasureBarred, match=story.incident_id):
        erasures.erase_person(system, NAME, "本人申请")
    closing = StateChange("误报", "false_alarm")
    analyst = house.act_as("analyst")
    house.playbooks.incidents.change_state(analyst, story.incident_id, "closed", closing)
    wanted = NewHold("2026-01-01", "2026-01-02", f"案件涉及 {NAME.upper()}", "法院")
    hold = house.audits.holds.place_legal_hold(house.act_as("audit-admin"), wanted)
    with pytest.raises(ErasureBarred, match=hold.id):
        erasures.erase_person(system, NAME, "本人申请")
    lifted(house, hold)
    assert "iam_accounts.name" in places_of(house, NAME)
    before = records(house)
    proof = parse_proof(house.audits.ledger.prove_entry(auditor, str(len(before) - 1)))
    change = erasures.erase_person(system, NAME, "本人申请")
    iam.power.changes.approve_change(house.act_as("security-admin"), change.id)
    after = records(house)
    assert after[: len(before)] == before
    verdict = house.audits.ledger.verify_ledger(auditor)
    assert (verdict.valid, verdict.first_bad) == (True, None)
    keys = [parse_vkey(line) for line in house.audits.ledger.store.vkeys()]
    head = parse_tree_head(open_note(proof.checkpoint, keys, check_of(EngineVerifier())))
    leaf = (proof.index, SHA256.leaf(after[proof.index]))
    verify_inclusion(SHA256, leaf, (head.size, head.root), proof=proof.hashes)
    shown = iam.accounts.get_account(auditor, account.id)
    assert (shown.id, shown.name[:7]) == (account.id, "erased-")
    assert places_of(house, NAME) == {
        "audits_register_versions.content",  # what the register said then
        "kms_seal_applications.holders",  # who was to hold a seal: a legal record
        "playbooks_incident_timeline.text",  # the incident's own record
    }
    assert places_of(house, FULL_NAME, NUMBER, PHONE, MAIL) == TYPED_BY_PEOPLE
