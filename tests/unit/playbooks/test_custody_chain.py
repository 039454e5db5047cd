"""Chains of custody: what is kept, who receives it, and every way to cheat."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.custody import (
    HandOver,
    custody_record,
    export_of,
    link_of,
    statement_of,
    verify_chain,
    verify_export,
)
from playbooks.errors import ChangedMeanwhile
from playbooks.errors.custody import (
    CustodyRejected,
    CustodySignerLocked,
    EvidenceNotFound,
    EvidenceRefused,
    HandOverRefused,
    MemberRoleRefused,
    PersonNotFound,
)
from playbooks.models.custody import CustodyLink, Evidence, NewEvidence
from playbooks.service import NewIncident
from playbooks.service.incidents import locker
from playbooks.store.tables import evidence
from secops.adapters.journal.reader import JournalReader
from secops.adapters.spine import journal_folder
from secops.kernel.actors import Actor
from secops.kernel.approvals import SelfApproval
from secops.kernel.canonical import canonical
from secops.kernel.errors import Forbidden, Invalid, Unavailable
from tests.fakes.custody_signer import FakeCustodySigner
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

SIGNER = FakeCustodySigner()
KEYS = SIGNER.custody_keys()
OTHER = person("li", "analyst")
RUNNER = Actor(kind="system", id="playbooks-runner", org_id="org_root", name="runner")
ITEM = Evidence(
    id="evd_1",
    incident_id="inc_1",
    org_id="org_root",
    name="auth.log",
    kind="extract",
    source="",
    size=3,
    sha256="ab",
    sm3="cd",
    kept_by="acc_a",
    kept_at=10,
    key="evd_1",
    holder="acc_a",
    holder_is_person=True,
    links=0,
    head="",
    blob="",
)

Chain = list[CustodyLink]


def next_link(item: Evidence, hand: HandOver) -> tuple[Evidence, CustodyLink]:
    record = custody_record(item, hand)
    link = link_of(item, record, SIGNER.sign_custody(canonical(record)))
    return replace(item, links=link.seq, head=link.digest, holder=hand.receiver), link


def chain_of(item: Evidence, *holders: str) -> Chain:
    links, giver = [], ""
    for number, holder in enumerate(holders):
        item, link = next_link(item, HandOver(giver, holder, "移交", number, number))
        links.append(link)
        giver = holder
    return links


def verify(links: Chain) -> Any:
    return verify_chain([(link.record, link.signature) for link in links], KEYS)


GOOD = chain_of(ITEM, "acc_a", "acc_b", "acc_c")


def test_a_chain_proves_who_holds_what() -> None:
    proved = verify(GOOD)
    assert (proved.evidence_id, proved.holder, proved.links) == ("evd_1", "acc_c", 3)
    assert proved.head == GOOD[-1].digest


@pytest.mark.parametrize(
    ("cheat", "why"),
    [
        (lambda c: [], "1 to"),
        (lambda c: [c[0], c[2]], "link 3"),
        (lambda c: [c[1], c[2]], "link 1 says"),
        (lambda c: [c[0], c[2], c[1]], "says that it is link"),
        (lambda c: [c[0], c[1], c[1]], "says that it is link"),
        (lambda c: [c[0], c[0]], "says that it is link"),
        (lambda c: [c[0], replace(c[1], record={**c[1].record, "receiver": "acc_x"})], "fit"),
        (lambda c: [replace(c[0], record={**c[0].record, "sha256": "ff"})], "fit"),
        (lambda c: [replace(c[0], record={**c[0].record, "at": True})], "type"),
        (lambda c: [replace(c[0], record={**c[0].record, "more": 1})], "no record"),
        (lambda c: [replace(c[0], record={**c[0].record, "act": "transferred"})], "kind"),
        (lambda c: [replace(c[0], signature=replace(c[0].signature, kid="00"))], "known key"),
        (lambda c: [replace(c[0], signature=replace(c[0].signature, value="xx"))], "fit"),
        (lambda c: [replace(c[0], signature=replace(c[0].signature, algorithm="x"))], "known key"),
        (lambda c: [replace(c[0], signature=c[1].signature)], "fit"),
    ],
)
def test_what_was_changed_moved_repeated_or_left_out_is_rejected(
    cheat: Callable[[Chain], Chain], why: str
) -> None:
    with pytest.raises(CustodyRejected, match=why):
        verify(cheat(list(GOOD)))


@pytest.mark.parametrize(
    ("item", "hand", "why"),
    [
        ({}, HandOver("acc_z", "acc_c", "", 5, 6), "did not hold"),
        ({}, HandOver("acc_b", "acc_b", "", 5, 6), "to the giver"),
        ({}, HandOver("acc_b", "acc_c", "", 0, 6), "before"),
        ({}, HandOver("acc_b", "acc_c", "", 7, 6), "before"),
        ({"id": "evd_2"}, HandOver("acc_b", "acc_c", "", 5, 6), "evidence_id"),
        ({"incident_id": "inc_2"}, HandOver("acc_b", "acc_c", "", 5, 6), "incident_id"),
        ({"sm3": "ef"}, HandOver("acc_b", "acc_c", "", 5, 6), "sm3"),
        ({"head": "00"}, HandOver("acc_b", "acc_c", "", 5, 6), "follow"),
    ],
)
def test_even_a_signed_link_must_fit_the_one_before(
    item: dict[str, Any], hand: HandOver, why: str
) -> None:
    before = replace(ITEM, links=2, head=GOOD[1].digest, holder="acc_b")
    _, link = next_link(replace(before, **item), hand)
    with pytest.raises(CustodyRejected, match=why):
        verify([*GOOD[:2], link])


def test_an_export_holds_chains_of_its_incident_alone() -> None:
    other = chain_of(replace(ITEM, incident_id="inc_2"), "acc_a")
    heads = [("evd_1", 1, other[0].digest)]
    statement = statement_of("org_root", "inc_1", 1, heads)
    signature = SIGNER.sign_custody(canonical(statement))
    with pytest.raises(CustodyRejected, match="another incident"):
        verify_export(export_of(statement, signature, [other]), KEYS)


@given(st.sampled_from(sorted(GOOD[1].record)), st.integers(), st.text(max_size=8))
def test_no_field_of_a_signed_record_can_be_another(name: str, number: int, text: str) -> None:
    record = dict(GOOD[1].record)
    value = number if isinstance(record[name], int) else text
    if value != record[name]:
        with pytest.raises(CustodyRejected):
            verify([GOOD[0], replace(GOOD[1], record={**record, name: value}), GOOD[2]])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        for actor in (ANALYST, APPROVER, AUDITOR, OTHER):
            opened.containment.add(actor.id, actor.name)
        yield opened


def opened(home: House) -> str:
    return home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1")).id


def kept(home: House, **values: Any) -> Evidence:
    new = {"name": "auth.log", "content": b"log", "incident_id": "", **values}
    new["incident_id"] = new["incident_id"] or opened(home)
    return home.services.locker.keep_evidence(ANALYST, NewEvidence(**new))


def refused(home: House) -> list[str]:
    reader = JournalReader(journal_folder(home.spine.parts.home))
    found = [reader.read(process, 0).records for process in reader.processes()]
    records = [orjson.loads(record) for part in found for record in part]
    return [record["action"] for record in records if record["outcome"] == "refused"]


def test_evidence_is_kept_with_both_digests_and_read_back(home: House) -> None:
    item = kept(home, source="sshd")
    assert (item.size, item.holder, item.links) == (3, ANALYST.id, 1)
    found, content = home.services.locker.read_evidence(AUDITOR, item.id)
    assert (found, content) == (item, b"log")
    assert home.acts()[-2:] == ["playbooks.keep_evidence", "playbooks.read_evidence"]
    view = home.services.incidents.show_incident(AUDITOR, item.incident_id)
    assert view.work.evidence == (item,)
    with pytest.raises(EvidenceNotFound):
        home.services.locker.read_evidence(person("x", "analyst", "org_b"), item.id)


def test_what_a_run_collects_is_kept_once_per_key_and_taken_over_by_a_person(home: House) -> None:
    incident = opened(home)
    new = NewEvidence(incident, "extract.jsonl", b"{}", "extract", "alr_1", "key-1")
    item = home.services.locker.keep(RUNNER, new)
    assert home.services.locker.keep(RUNNER, new) == item
    with pytest.raises(EvidenceRefused):
        home.services.locker.keep(RUNNER, replace(new, content=b"[]"))
    assert not item.holder_is_person
    with pytest.raises(HandOverRefused):
        home.services.custody.accept_evidence(replace(AUDITOR, kind="client"), item.id)
    with pytest.raises(MemberRoleRefused):
        home.services.custody.accept_evidence(OTHER, item.id)
    taken = home.services.custody.accept_evidence(ANALYST, item.id)
    assert (taken.holder, taken.holder_is_person, taken.links) == (ANALYST.id, True, 2)


@pytest.mark.parametrize(
    "values",
    [
        {"content": b""},
        {"name": " "},
        {"name": "../x"},
        {"name": "a\nb"},
        {"name": "x" * 201},
        {"kind": "photo"},
        {"source": "x" * 201},
    ],
)
def test_evidence_without_content_or_with_odd_words_is_refused(
    home: House, values: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        kept(home, **values)


def test_an_incident_keeps_no_more_than_its_limits(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = opened(home)
    monkeypatch.setattr(locker, "MAX_EVIDENCE_BYTES", 4)
    with pytest.raises(Invalid):
        kept(home, incident_id=incident, content=b"12345")
    monkeypatch.setattr(locker, "MAX_INCIDENT_BYTES", 6)
    kept(home, incident_id=incident)
    with pytest.raises(EvidenceRefused, match="bytes"):
        kept(home, incident_id=incident, content=b"1234")
    monkeypatch.setattr(locker, "MAX_EVIDENCE_ITEMS", 1)
    with pytest.raises(EvidenceRefused, match="items"):
        kept(home, incident_id=incident, content=b"1")


def test_a_hand_over_is_offered_accepted_by_the_one_named_and_proved(home: House) -> None:
    item = kept(home)
    custody = home.services.custody
    offer = custody.offer_evidence(ANALYST, item.id, receiver="li", reason="送检")
    assert (offer.giver, offer.receiver) == (ANALYST.id, OTHER.id)
    with pytest.raises(HandOverRefused):
        custody.offer_evidence(ANALYST, item.id, receiver="zhao", reason="x")
    with pytest.raises(HandOverRefused):
        custody.accept_evidence(APPROVER, item.id)
    assert refused(home)[-1] == "playbooks.accept_evidence"
    after = custody.accept_evidence(OTHER, item.id)
    assert (after.holder, after.links) == (OTHER.id, 2)
    with pytest.raises(HandOverRefused):
        custody.accept_evidence(OTHER, item.id)
    with pytest.raises(HandOverRefused):
        custody.offer_evidence(ANALYST, item.id, receiver="zhao", reason="x")
    proved = custody.verify_custody(AUDITOR, item.incident_id)[item.id]
    assert not isinstance(proved, str)
    assert (proved.holder, proved.links, proved.head) == (OTHER.id, 2, after.head)


def test_a_clock_that_was_set_back_breaks_no_chain(home: House) -> None:
    item = kept(home)
    custody = home.services.custody
    home.clock.advance(-60)
    with pytest.raises(HandOverRefused, match="clock"):
        custody.offer_evidence(ANALYST, item.id, receiver="li", reason="送检")
    home.clock.advance(120)
    custody.offer_evidence(ANALYST, item.id, receiver="li", reason="送检")
    home.clock.advance(-30)
    with pytest.raises(HandOverRefused, match="clock"):
        custody.accept_evidence(OTHER, item.id)
    home.clock.advance(30)
    custody.accept_evidence(OTHER, item.id)
    proved = custody.verify_custody(AUDITOR, item.incident_id)[item.id]
    assert not isinstance(proved, str)


def test_who_receives_is_another_person_of_the_organisation(home: House) -> None:
    item = kept(home)
    custody = home.services.custody
    with pytest.raises(HandOverRefused):
        custody.offer_evidence(ANALYST, item.id, receiver=ANALYST.id, reason="x")
    with pytest.raises(PersonNotFound):
        custody.offer_evidence(ANALYST, item.id, receiver="nobody", reason="x")
    with pytest.raises(Forbidden):
        custody.offer_evidence(person("sun", "staff"), item.id, receiver="li", reason="x")
    custody.offer_evidence(ANALYST, item.id, receiver="li", reason="x")
    home.persons.one("acc_wang", "acc_li")
    with pytest.raises(SelfApproval):
        custody.accept_evidence(OTHER, item.id)


def test_an_offer_ends_by_giver_or_receiver_and_nobody_else(home: House) -> None:
    item = kept(home)
    custody = home.services.custody
    for ender in (ANALYST, OTHER):
        custody.offer_evidence(ANALYST, item.id, receiver="li", reason="x")
        with pytest.raises(HandOverRefused):
            custody.withdraw_offer(APPROVER, item.id)
        custody.withdraw_offer(ender, item.id)
        with pytest.raises(HandOverRefused):
            custody.accept_evidence(OTHER, item.id)


def test_two_who_extend_one_chain_one_wins(home: House) -> None:
    item = kept(home)
    custody, stores = home.services.custody, home.surroundings.stores
    custody.offer_evidence(ANALYST, item.id, receiver="li", reason="x")
    custody.accept_evidence(OTHER, item.id)
    _, link = next_link(item, HandOver(item.holder, "acc_z", "", item.kept_at, item.kept_at))
    with pytest.raises(ChangedMeanwhile):
        home.spine.parts.transactions.run(
            lambda tx: stores.evidence.extend(tx, item, replace(item, holder="acc_z"), link)
        )


def test_nothing_is_kept_or_handed_over_while_the_key_is_locked(home: House) -> None:
    item = kept(home)
    home.services.custody.offer_evidence(ANALYST, item.id, receiver="li", reason="x")
    signer = home.surroundings.ports.custody
    assert isinstance(signer, FakeCustodySigner)
    signer.locked = True
    with pytest.raises(CustodySignerLocked):
        home.services.custody.accept_evidence(OTHER, item.id)
    with pytest.raises(CustodySignerLocked):
        kept(home, incident_id=item.incident_id)
    signer.locked = False
    assert home.services.custody.accept_evidence(OTHER, item.id).links == 2


def exported(home: House) -> tuple[dict[str, Any], dict[str, bytes]]:
    item = kept(home)
    kept(home, incident_id=item.incident_id, name="b.log")
    home.services.custody.offer_evidence(ANALYST, item.id, receiver="li", reason="送检")
    home.services.custody.accept_evidence(OTHER, item.id)
    document = home.services.custody.export_custody(AUDITOR, item.incident_id)
    return document, dict(home.surroundings.ports.custody.custody_keys())


def test_an_export_is_whole_or_it_is_rejected(home: House) -> None:
    document, keys = exported(home)
    assert sorted(chain.links for chain in verify_export(document, keys)) == [1, 2]
    cheats: list[Callable[[dict[str, Any]], Any]] = [
        lambda d: d["chains"].pop(),
        lambda d: max(d["chains"], key=len).pop(),
        lambda d: d["chains"].reverse(),
        lambda d: d["chains"].append(d["chains"][0]),
        lambda d: d["statement"].update(made_at=1),
        lambda d: d["statement"].update(incident_id="inc_x"),
        lambda d: d["signature"].update(value="00"),
        lambda d: d["signature"].update(colour="red"),
        lambda d: d["signature"].update(value=5),
        lambda d: d["signature"].update(kid=[]),
        lambda d: d["chains"][0][0]["signature"].update(value=None),
        lambda d: d["chains"][0][0]["signature"].update(kid={}),
        lambda d: d["chains"][0][0]["record"].update(size=1 << 60),
        lambda d: d["statement"].update(heads=1.5e400),
        lambda d: d["chains"][0][0].pop("record"),
        lambda d: d["chains"][0].clear(),
        lambda d: d.update(format="x"),
        lambda d: d.update(chains=5),
    ]
    for cheat in cheats:
        changed = copy.deepcopy(document)
        cheat(changed)
        with pytest.raises(CustodyRejected):
            verify_export(changed, keys)
    with pytest.raises(CustodyRejected):
        verify_export(document, KEYS)
    with pytest.raises(CustodyRejected):
        verify_export([], keys)


def test_a_row_that_says_another_holder_is_found(home: House) -> None:
    item = kept(home)
    change = sa.update(evidence).values(holder="acc_li")
    home.spine.parts.transactions.run(lambda tx: tx.execute(change))
    verdict = home.services.custody.verify_custody(ANALYST, item.incident_id)[item.id]
    assert verdict == "the record of the item is not what its chain says"


def test_content_that_changed_on_disk_is_not_given_out(home: House) -> None:
    item = kept(home)
    (blob,) = [path for path in home.spine.parts.home.rglob("*") if path.name == item.blob[2:]]
    other = blob.read_bytes()
    blob.write_bytes(b"LOG")
    with pytest.raises(Unavailable):
        home.services.locker.read_evidence(ANALYST, item.id)
    blob.write_bytes(other)
    twin = kept(home, incident_id=item.incident_id)
    rows = sa.update(evidence).where(evidence.c.id == twin.id).values(blob=item.blob)
    home.spine.parts.transactions.run(lambda tx: tx.execute(rows))
    with pytest.raises(Invalid):  # what was kept for one item opens for no other
        home.services.locker.read_evidence(ANALYST, twin.id)
    box = home.surroundings.ports.secret_box
    forged = home.spine.parts.blobs.put(box.seal(b"LOG", f"file|{item.id}".encode()))
    rows = sa.update(evidence).where(evidence.c.id == item.id).values(blob=forged)
    home.spine.parts.transactions.run(lambda tx: tx.execute(rows))
    with pytest.raises(Unavailable, match="not what was kept"):
        home.services.locker.read_evidence(ANALYST, item.id)


def test_what_is_kept_lies_encrypted_and_what_is_refused_lies_nowhere(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = b"4.6 million citizens"
    item = kept(home, content=secret)

    def files() -> list[bytes]:
        return [p.read_bytes() for p in (home.spine.parts.home / "blobs").rglob("*") if p.is_file()]

    assert len(files()) == 1
    assert not any(secret in content for content in files())
    again = NewEvidence(incident_id=item.incident_id, name="x", content=b"x", key="order 1")
    first = home.services.locker.keep(RUNNER, again)
    known, calls = locker.EvidenceLocker._known, []

    def late(self: locker.EvidenceLocker, *args: Any) -> Evidence | None:
        calls.append(args)  # nothing is known until the second look, inside the unit of work
        return None if len(calls) == 1 else known(self, *args)

    monkeypatch.setattr(locker.EvidenceLocker, "_known", late)
    assert home.services.locker.keep(RUNNER, again) == first
    calls.clear()
    with pytest.raises(EvidenceRefused):
        home.services.locker.keep(RUNNER, replace(again, content=b"y"))
    assert len(files()) == 2
