"""Notices from draft to archive: who may do what, numbers, seals, proofs, verification."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from playbooks.errors import ChangedMeanwhile, IncidentNotFound
from playbooks.errors.notices import (
    ApprovalStale,
    CalendarInvalid,
    ExtensionRefused,
    NoticeFileChanged,
    NoticeInvalid,
    NoticeNotFound,
    NoticeSealMissing,
    NoticeStateRefused,
    OwnNotice,
    ProofRefused,
    RecheckFailed,
)
from playbooks.models.notices import Content, Notice, UsableSeal
from playbooks.service import NewIncident
from playbooks.service.notices import deliveries
from playbooks.service.notices.deliveries import MAX_PROOF, MAX_PROOFS
from playbooks.store.deliveries import Deliveries
from playbooks.store.notices import Notices
from playbooks.store.tables import notices
from secops.adapters.journal.reader import JournalReader
from secops.adapters.spine import journal_folder
from secops.crypto.hashes import sha256, sm3
from secops.kernel.approvals import SelfApproval
from secops.kernel.clock import DAY, HOUR, SECOND
from secops.kernel.errors import Conflict, Forbidden, Invalid
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction
from tests.fakes.notice_office import SEAL, FakeNoticeOffice, FakeUnits
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

KEEPER = person("zhou", "seal-holder")
LIAISON = person("sun", "integrator", "org_a")
OTHER = person("feng", "integrator", "org_b")
CONTENT = Content(
    "关于弱口令的通报", "发现弱口令。", "medium", urgent=False, units=("org_a", "org_b")
)
PAGE = PageRequest(9)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        yield opened


def office(home: House) -> FakeNoticeOffice:
    found = home.surroundings.ports.notices.seals
    assert isinstance(found, FakeNoticeOffice)
    return found


def approved(home: House, content: Content = CONTENT) -> Notice:
    work = home.services.notices
    notice = work.drafting.draft_notice(ANALYST, content)
    notice = work.drafting.submit_notice(ANALYST, notice.id)
    return work.issuing.decide_notice(APPROVER, notice.id, notice.digest, grant=True)


def issued(home: House, content: Content = CONTENT) -> Notice:
    return home.services.notices.issuing.issue_notice(KEEPER, approved(home, content).id)


def rectified(home: House, content: Content = CONTENT) -> Notice:
    notice, unit = issued(home, content), home.services.notices.deliveries
    unit.receive_notice(LIAISON, notice.id)
    unit.add_proof(LIAISON, notice.id, "截图.png", b"proof")
    unit.rectify_notice(LIAISON, notice.id, "已改")
    return notice


def refused(home: House) -> list[str]:
    reader = JournalReader(journal_folder(home.spine.parts.home))
    found = [reader.read(process, 0).records for process in reader.processes()]
    records = [orjson.loads(record) for part in found for record in part]
    return [record["action"] for record in records if record["outcome"] == "refused"]


def titles(home: House, unit: str) -> list[str]:
    reader = person("he", "analyst", unit)
    return [one.title for one in home.services.inbox.list_notifications(reader, PAGE).items]


def test_a_notice_goes_its_whole_way_and_the_ledger_has_each_step(home: House) -> None:
    work = home.services.notices
    notice = issued(home, replace(CONTENT, units=("org_a",), check="detector:weak"))
    assert (notice.reference, notice.state) == ("〔2026〕1", "issued")
    work.deliveries.receive_notice(LIAISON, notice.id)
    work.deliveries.respond_notice(LIAISON, notice.id, "已核实,正在整改")
    proof = work.deliveries.add_proof(LIAISON, notice.id, "截图.png", b"proof")
    work.deliveries.rectify_notice(LIAISON, notice.id, "已改")
    recheck = work.verifying.recheck_notice(AUDITOR, notice.id, "org_a")
    assert recheck is not None
    assert recheck.passed is True
    work.verifying.verify_notice(AUDITOR, notice.id, "org_a", "close", "属实")
    view = work.views.show_notice(ANALYST, notice.id)
    assert (view.notice.state, view.units[0].delivery.ending) == ("closed", "verified")
    assert work.drafting.archive_notice(ANALYST, notice.id).state == "archived"
    assert (proof.sha256, proof.sm3) == (sha256(b"proof").hex(), sm3(b"proof").hex())
    assert work.views.read_proof(ANALYST, notice.id, proof.id)[1] == b"proof"
    assert b"proof" not in home.spine.parts.blobs.get(proof.blob)
    mine = [act for act in home.acts() if "notice" in act or "proof" in act]
    assert mine == [
        "playbooks.draft_notice",
        "playbooks.submit_notice",
        "playbooks.decide_notice",
        "playbooks.number_notice",
        "playbooks.issue_notice",
        "playbooks.receive_notice",
        "playbooks.respond_notice",
        "playbooks.add_proof",
        "playbooks.rectify_notice",
        "playbooks.verify_notice",
        "playbooks.close_notice",
        "playbooks.archive_notice",
    ]
    leaf = next(each for each in home.leaves() if each["action"] == "playbooks.issue_notice")
    content = work.issuing.read_notice_file(ANALYST, notice.id)
    assert leaf["details"]["file_sha256"] == sha256(content).hex()
    assert leaf["details"]["file_sm3"] == sm3(content).hex()
    assert work.issuing.read_notice_file(LIAISON, notice.id).endswith(SEAL + b"sel_1")
    assert work.issuing.verify_notice_file(LIAISON, notice.id).valid
    assert "复测:规则无命中" in [r.text for r in view.remarks][-2]
    assert CONTENT.title not in orjson.dumps(leaf).decode()
    printed = office(home).printed[0]
    assert (printed.issuer, printed.units) == ("本单位", ("市数据局",))
    assert printed.facts["整改时限"] == "2026年1月15日前"


def test_nobody_approves_what_they_wrote_by_whichever_account(home: House) -> None:
    work = home.services.notices
    both = replace(ANALYST, roles=frozenset({"analyst", "security-admin"}))
    notice = work.drafting.draft_notice(both, CONTENT)
    second = person("li", "analyst")
    notice = work.drafting.revise_notice(second, notice.id, CONTENT, notice.version)
    notice = work.drafting.submit_notice(second, notice.id)
    with pytest.raises(SelfApproval):  # the first author, who did not ask
        work.issuing.decide_notice(both, notice.id, notice.digest, grant=True)
    twin = person("wang2", "security-admin")
    home.persons.one(ANALYST.id, twin.id)
    with pytest.raises(SelfApproval):
        work.issuing.decide_notice(twin, notice.id, notice.digest, grant=True)
    assert work.issuing.decide_notice(APPROVER, notice.id, notice.digest, grant=True)
    holder = replace(KEEPER, id=second.id)
    office(home).seals[second.id] = [UsableSeal("sel_2", "x")]
    with pytest.raises(SelfApproval):  # nor seals an author
        work.issuing.issue_notice(holder, notice.id)
    home.persons.one(APPROVER.id, KEEPER.id)
    with pytest.raises(SelfApproval):  # nor who approved it, as the holder of the seal
        work.issuing.issue_notice(KEEPER, notice.id)
    assert office(home).sealed == []
    assert refused(home).count("playbooks.decide_notice") == 2
    assert refused(home).count("playbooks.issue_notice") == 2


def test_what_was_approved_is_what_is_issued(home: House) -> None:
    work, notice = home.services.notices, approved(home)
    with pytest.raises(NoticeStateRefused):
        work.drafting.revise_notice(ANALYST, notice.id, CONTENT, notice.version)

    def forge(tx: Transaction) -> None:
        tx.execute(notices.update().values(body="没有问题。"))

    home.spine.parts.transactions.run(forge)
    with pytest.raises(ApprovalStale):
        work.issuing.issue_notice(KEEPER, notice.id)
    assert office(home).sealed == []


def test_an_approver_approves_what_they_looked_at(home: House) -> None:
    work = home.services.notices
    notice = work.drafting.submit_notice(ANALYST, work.drafting.draft_notice(ANALYST, CONTENT).id)
    work.drafting.recall_notice(ANALYST, notice.id)
    changed = work.drafting.revise_notice(
        ANALYST, notice.id, replace(CONTENT, severity="low"), notice.version + 1
    )
    again = work.drafting.submit_notice(ANALYST, changed.id)
    with pytest.raises(ApprovalStale):
        work.issuing.decide_notice(APPROVER, notice.id, notice.digest, grant=True)
    returned = work.issuing.decide_notice(
        APPROVER, notice.id, again.digest, grant=False, reason="等级不当"
    )
    assert (returned.state, returned.reason) == ("draft", "等级不当")
    with pytest.raises(ChangedMeanwhile):
        work.drafting.revise_notice(ANALYST, notice.id, CONTENT, notice.version)
    with pytest.raises(NoticeStateRefused):
        work.issuing.issue_notice(KEEPER, notice.id)


def test_an_approval_ends_after_a_week_and_is_asked_for_again(home: House) -> None:
    work, notice = home.services.notices, approved(home)
    home.clock.advance(7 * 86_400)
    with pytest.raises(ApprovalStale):
        work.issuing.issue_notice(KEEPER, notice.id)
    work.drafting.recall_notice(ANALYST, notice.id)
    notice = work.drafting.submit_notice(ANALYST, notice.id)
    work.issuing.decide_notice(APPROVER, notice.id, notice.digest, grant=True)
    assert work.issuing.issue_notice(KEEPER, notice.id).number == 1


def test_a_number_survives_a_seal_that_fails_and_none_is_skipped(home: House) -> None:
    work, first = home.services.notices, approved(home)
    office(home).broken = 1
    with pytest.raises(NoticeSealMissing):
        work.issuing.issue_notice(KEEPER, first.id)
    second = issued(home)
    assert second.number == 2
    assert work.issuing.issue_notice(KEEPER, first.id).number == 1
    with pytest.raises(NoticeStateRefused):
        work.issuing.issue_notice(KEEPER, first.id)
    office(home).broken = 1
    third = approved(home)
    with pytest.raises(NoticeSealMissing):
        work.issuing.issue_notice(KEEPER, third.id)
    gone = work.drafting.withdraw_notice(ANALYST, third.id, "重复")
    assert (gone.reference, issued(home).number) == ("〔2026〕3", 4)


def test_a_crash_between_seal_and_store_is_made_good_by_the_same_number(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """What no handler of ours catches, as a kill."""

    def killed(*_: Any) -> None:
        raise Killed

    work, notice = home.services.notices, approved(home)
    monkeypatch.setattr(Deliveries, "add", killed)
    with pytest.raises(Killed):
        work.issuing.issue_notice(KEEPER, notice.id)
    monkeypatch.undo()
    assert titles(home, "org_a") == []
    with pytest.raises(NoticeStateRefused):  # nobody was given a file that is not the notice
        work.issuing.read_notice_file(ANALYST, notice.id)
    done = work.issuing.issue_notice(KEEPER, notice.id)
    assert (done.state, done.number) == ("issued", 1)
    # both uses stand in the seal's ledger, and say of which notice they are
    assert [use[2] for use in office(home).sealed] == ["通报〔2026〕1"] * 2
    assert home.acts().count("playbooks.issue_notice") == 1
    assert home.acts().count("playbooks.number_notice") == 1
    assert titles(home, "org_a") == ["收到通报〔2026〕1:关于弱口令的通报"]


def test_what_is_taken_back_waits_for_nobodys_approval(home: House) -> None:
    work, parts = home.services.notices, home.spine.parts

    def waiting() -> int:
        found: int = parts.transactions.read(
            lambda tx: len(parts.approvals.pending(tx, "org_root"))
        )
        return found

    notice = work.drafting.submit_notice(ANALYST, work.drafting.draft_notice(ANALYST, CONTENT).id)
    assert waiting() == 1
    work.drafting.recall_notice(ANALYST, notice.id)
    assert waiting() == 0
    work.drafting.submit_notice(ANALYST, notice.id)
    work.drafting.withdraw_notice(ANALYST, notice.id, "重复")
    assert waiting() == 0


def test_a_year_begins_with_one_at_midnight_in_beijing(home: House) -> None:
    assert issued(home).reference == "〔2026〕1"
    home.clock.advance(365 * 86_400 - 8 * 3_600 - 1)
    assert issued(home).reference == "〔2026〕2"
    home.clock.advance(1)
    assert issued(home).reference == "〔2027〕1"


def test_numbers_given_at_the_same_time_have_no_gap_and_no_double(home: House) -> None:
    store, run = Notices(), home.spine.parts.transactions.run
    found: list[int] = []

    class Undone(Exception):
        pass

    def give(undo: bool) -> None:  # noqa: FBT001
        def work(tx: Transaction) -> int:
            number = store.next_number(tx, "org_root", 2026)
            if undo:
                raise Undone
            return number

        with contextlib.suppress(Undone):
            found.append(run(work))

    threads = [threading.Thread(target=give, args=(n % 4 == 0,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 19))
    assert run(lambda tx: store.next_number(tx, "org_a", 2026)) == 1

    def double(tx: Transaction) -> None:
        values: dict[str, Any] = {"year": 2026, "number": 5}
        tx.execute(notices.update().values(**values))

    issued(home)
    issued(home)
    with pytest.raises(Conflict):
        run(double)


def test_two_who_issue_at_once_issue_once(home: House) -> None:
    work, notice = home.services.notices, approved(home)
    seal = office(home).seal_notice

    def slow(*args: Any) -> bytes:
        office(home).seal_notice = seal  # type: ignore[method-assign]
        work.issuing.issue_notice(KEEPER, notice.id)  # the other one is quicker
        return seal(*args)

    office(home).seal_notice = slow  # type: ignore[method-assign,assignment]
    with pytest.raises(NoticeStateRefused):
        work.issuing.issue_notice(KEEPER, notice.id)
    view = work.views.show_notice(ANALYST, notice.id)
    assert (view.notice.number, len(view.units)) == (1, 2)


def test_without_a_seal_nothing_is_issued_and_no_number_is_taken(home: House) -> None:
    work, notice = home.services.notices, approved(home)
    none = person("wu", "seal-holder")
    with pytest.raises(NoticeSealMissing):
        work.issuing.issue_notice(none, notice.id)
    with pytest.raises(NoticeSealMissing):
        work.issuing.issue_notice(KEEPER, notice.id, "sel_other")
    office(home).seals[KEEPER.id].append(UsableSeal("sel_2", "备用章"))
    with pytest.raises(NoticeSealMissing):
        work.issuing.issue_notice(KEEPER, notice.id)
    assert [seal.id for seal in work.issuing.usable_seals(KEEPER)] == ["sel_1", "sel_2"]
    assert work.views.show_notice(ANALYST, notice.id).notice.number == 0
    made = work.issuing.issue_notice(KEEPER, notice.id, "sel_2")
    assert made.issue is not None
    assert made.issue.seal == "sel_2"


def test_a_unit_sees_its_own_part_and_nobody_elses(home: House) -> None:
    work, notice = home.services.notices, issued(home)
    draft = work.drafting.draft_notice(ANALYST, replace(CONTENT, title="草稿"))
    work.deliveries.receive_notice(OTHER, notice.id)
    view = work.views.show_delivery(LIAISON, notice.id)
    assert [unit.delivery.org_id for unit in view.units] == ["org_a"]
    assert (set(view.names), view.remarks) == ({"org_root", "org_a"}, ())
    assert [one.notice.id for one in work.views.list_deliveries(LIAISON, "open", PAGE).items] == [
        notice.id
    ]
    stranger = person("jin", "integrator", "org_c")
    for reader, identifier in ((stranger, notice.id), (LIAISON, draft.id)):
        for ask in (
            work.views.show_delivery,
            work.issuing.read_notice_file,
            work.issuing.verify_notice_file,
            work.deliveries.receive_notice,
        ):
            with pytest.raises(NoticeNotFound):
                ask(reader, identifier)
    with pytest.raises(Forbidden):
        work.views.show_notice(LIAISON, notice.id)
    above = person("he", "analyst", "org_a")
    with pytest.raises(NoticeNotFound):
        work.views.show_notice(above, notice.id)
    with pytest.raises(NoticeNotFound):
        work.issuing.decide_notice(
            person("xu", "security-admin", "org_a"), draft.id, draft.digest, grant=True
        )


def test_a_long_history_shows_its_end_and_each_unit_its_own(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playbooks.store import notices as store  # noqa: PLC0415 - only here

    work, notice = home.services.notices, issued(home)
    work.deliveries.receive_notice(LIAISON, notice.id)
    for _ in range(4):
        asked = work.deliveries.petition_notice(OTHER, notice.id, "appeal", "不是我单位系统")
        work.verifying.decide_petition(APPROVER, notice.id, asked.id, grant=False, reason="是")
    monkeypatch.setattr(store, "MAX_REMARKS", 3)
    shown = [one.kind for one in work.views.show_notice(ANALYST, notice.id).remarks]
    assert shown == ["decide_petition", "petition_notice", "decide_petition"]
    mine = [one.kind for one in work.views.show_delivery(LIAISON, notice.id).remarks]
    assert mine == ["receive_notice"]


def test_a_unit_asks_so_many_times_about_one_notice(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playbooks.store import deliveries as store  # noqa: PLC0415 - only here

    monkeypatch.setattr(store, "MAX_PETITIONS", 1)
    work, notice = home.services.notices, issued(home)
    asked = work.deliveries.petition_notice(LIAISON, notice.id, "appeal", "不是我单位系统")
    work.verifying.decide_petition(APPROVER, notice.id, asked.id, grant=False, reason="是")
    with pytest.raises(NoticeStateRefused, match="at most"):
        work.deliveries.petition_notice(LIAISON, notice.id, "appeal", "再问")
    work.deliveries.petition_notice(OTHER, notice.id, "appeal", "不是我单位系统")


def test_a_unit_that_was_closed_is_not_called_as_the_house_is(home: House) -> None:
    notice = issued(home)
    units = home.surroundings.ports.notices.units
    assert isinstance(units, FakeUnits)
    del units.titles["org_b"]
    names = home.services.notices.views.show_notice(ANALYST, notice.id).names
    assert names == {"org_root": "本单位", "org_a": "市数据局", "org_b": "org_b"}


def test_a_unit_can_not_reach_a_proof_of_another(home: House) -> None:
    work, notice = home.services.notices, rectified(home)
    (proof,) = work.views.show_notice(ANALYST, notice.id).units[0].proofs
    for reader in (OTHER, person("he", "analyst", "org_b"), person("jin", "integrator", "org_c")):
        with pytest.raises(NoticeNotFound):
            work.views.read_proof(reader, notice.id, proof.id)
    assert work.views.read_proof(person("he", "analyst", "org_a"), notice.id, proof.id)[0] == proof
    with pytest.raises(Forbidden):
        work.views.read_proof(person("bai", "staff"), notice.id, proof.id)


def test_a_notice_goes_down_the_tree_only(home: House) -> None:
    work = home.services.notices
    below = person("he", "analyst", "org_a")
    assert work.drafting.draft_notice(below, replace(CONTENT, units=("org_c",))).org_id == "org_a"
    for units in (("org_b",), ("org_root",), ("org_nobody",)):
        with pytest.raises(NoticeInvalid):
            work.drafting.draft_notice(below, replace(CONTENT, units=units))
    with pytest.raises(IncidentNotFound):
        work.drafting.draft_notice(ANALYST, replace(CONTENT, incident_id="inc_other"))
    assert set(work.views.possible_units(below)) == {"org_a", "org_c"}
    left = approved(home)
    units = home.surroundings.ports.notices.units
    assert isinstance(units, FakeUnits)
    units.parents["org_b"] = "org_elsewhere"  # after it was approved
    with pytest.raises(NoticeInvalid):
        work.issuing.issue_notice(KEEPER, left.id)
    assert office(home).sealed == []
    units.parents["org_b"] = "org_root"
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(title="主页被篡改"))
    linked = replace(CONTENT, incident_id=incident.id)
    draft = work.drafting.draft_notice(ANALYST, linked)
    revised = work.drafting.revise_notice(ANALYST, draft.id, linked, draft.version)
    assert revised.content.incident_id == incident.id


def test_roles_are_apart(home: House) -> None:
    work, notice = home.services.notices, issued(home)
    for actor, ask in (
        (APPROVER, lambda who: work.drafting.draft_notice(who, CONTENT)),
        (ANALYST, lambda who: work.issuing.decide_notice(who, notice.id, "", grant=True)),
        (APPROVER, lambda who: work.issuing.issue_notice(who, notice.id)),
        (AUDITOR, lambda who: work.deliveries.receive_notice(who, notice.id)),
        (ANALYST, lambda who: work.deliveries.rectify_notice(who, notice.id, "x")),
        (LIAISON, lambda who: work.verifying.verify_notice(who, notice.id, "org_a", "close", "x")),
        (ANALYST, lambda who: work.drafting.withdraw_notice(who, notice.id, "x")),
    ):
        with pytest.raises(Forbidden):
            ask(actor)


def test_who_acted_for_the_unit_does_not_verify_by_whichever_account(home: House) -> None:
    own = replace(CONTENT, units=("org_root",))
    fixer = person("yan", "integrator")
    work, notice = home.services.notices, issued(home, own)
    work.deliveries.receive_notice(fixer, notice.id)
    helper = person("lu", "integrator")
    work.deliveries.add_proof(helper, notice.id, "a.txt", b"x")
    work.deliveries.rectify_notice(fixer, notice.id, "已改")
    twin = person("yan2", "auditor")
    home.persons.one(fixer.id, twin.id)
    tries: list[tuple[Any, type[Exception]]] = [
        (replace(fixer, roles=frozenset({"auditor"})), SelfApproval),
        (replace(helper, roles=frozenset({"auditor"})), SelfApproval),
        (twin, SelfApproval),
    ]
    for who, error in tries:
        for verdict in ("close", "return"):
            with pytest.raises(error):
                work.verifying.verify_notice(who, notice.id, "org_root", verdict, "x")  # type: ignore[arg-type]
    assert issubclass(OwnNotice, Forbidden)
    assert refused(home).count("playbooks.verify_notice") == 6
    done = work.verifying.verify_notice(AUDITOR, notice.id, "org_root", "close", "属实")
    assert done.state == "closed"


def test_a_check_that_still_finds_the_fault_keeps_it_open(home: House) -> None:
    work = home.services.notices
    notice = rectified(home, replace(CONTENT, check="detector:weak"))
    office(home).passed = False
    with pytest.raises(RecheckFailed):
        work.verifying.verify_notice(AUDITOR, notice.id, "org_a", "close", "看着没问题")
    back = work.verifying.verify_notice(AUDITOR, notice.id, "org_a", "return", "仍命中")
    assert (back.state, back.rounds) == ("responded", 1)
    with pytest.raises(NoticeStateRefused):  # the proof is of the first round
        work.deliveries.rectify_notice(LIAISON, notice.id, "真的改了")
    work.deliveries.add_proof(LIAISON, notice.id, "二.png", b"again")
    work.deliveries.rectify_notice(LIAISON, notice.id, "真的改了")
    office(home).passed = None  # nobody can tell: a person decides, with a reason
    with pytest.raises(NoticeInvalid):
        work.verifying.verify_notice(AUDITOR, notice.id, "org_a", "close", " ")
    work.verifying.verify_notice(AUDITOR, notice.id, "org_a", "close", "现场查看")
    assert work.views.show_notice(ANALYST, notice.id).notice.state == "issued"  # org_b is not done
    scores, names = work.views.score_units(ANALYST, 2026)
    assert [(s.org_id, s.returned, s.closed) for s in scores] == [("org_b", 0, 0), ("org_a", 1, 1)]
    assert names["org_a"] == "市数据局"
    assert work.views.score_units(ANALYST, 2025)[0] == ()
    with pytest.raises(NoticeInvalid):
        work.views.score_units(ANALYST, 1)
    unknown = rectified(home, replace(CONTENT, check="detector:unknown"))
    with pytest.raises(Invalid):
        work.verifying.verify_notice(AUDITOR, unknown.id, "org_a", "close", "x")
    plain = rectified(home)
    assert work.verifying.recheck_notice(AUDITOR, plain.id, "org_a") is None


def test_proofs_are_few_small_and_never_opened(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, notice = home.services.notices.deliveries, issued(home)
    with pytest.raises(NoticeStateRefused):
        work.add_proof(LIAISON, notice.id, "a", b"x")
    work.receive_notice(LIAISON, notice.id)
    with pytest.raises(NoticeStateRefused):
        work.rectify_notice(LIAISON, notice.id, "没有证明")
    for name in ("", "x" * 201, "a\nb", "a\u202egnp.exe"):
        with pytest.raises(NoticeInvalid):
            work.add_proof(LIAISON, notice.id, name, b"x")
    for content in (b"", b"x" * (MAX_PROOF + 1)):
        with pytest.raises(ProofRefused):
            work.add_proof(LIAISON, notice.id, "a", content)
    bomb = b"PK\x03\x04" + b"\0" * 1_000
    for number in range(MAX_PROOFS):
        work.add_proof(LIAISON, notice.id, f"{number}.zip", bomb)
    with pytest.raises(ProofRefused):
        work.add_proof(LIAISON, notice.id, "more", b"x")
    monkeypatch.setattr(deliveries, "MAX_PROOFS_SIZE", 100)
    work.receive_notice(OTHER, notice.id)
    work.add_proof(OTHER, notice.id, "a", b"x" * 60)
    with pytest.raises(ProofRefused):
        work.add_proof(OTHER, notice.id, "b", b"x" * 60)


def test_more_time_is_asked_for_in_time_and_granted_by_another(home: House) -> None:
    work, notice = home.services.notices, issued(home, replace(CONTENT, severity="high"))
    unit = work.deliveries
    with pytest.raises(ExtensionRefused):
        unit.petition_notice(LIAISON, notice.id, "extension", "设备到货晚", days=2)
    unit.receive_notice(LIAISON, notice.id)
    asked = unit.petition_notice(LIAISON, notice.id, "extension", "设备到货晚", days=2)
    with pytest.raises(NoticeStateRefused):
        unit.petition_notice(LIAISON, notice.id, "extension", "再来", days=1)
    for kind, days in (("holiday", 1), ("appeal", 1)):
        with pytest.raises(NoticeInvalid):
            unit.petition_notice(LIAISON, notice.id, kind, "x", days=days)
    before = work.views.show_delivery(LIAISON, notice.id).units[0].delivery.rectify_due
    mine = replace(LIAISON, org_id="org_root", roles=frozenset({"security-admin"}))
    with pytest.raises(SelfApproval):
        work.verifying.decide_petition(mine, notice.id, asked.id, grant=True, reason="同意")
    with pytest.raises(NoticeNotFound):
        work.verifying.decide_petition(APPROVER, notice.id, "pet_x", grant=True, reason="同意")
    work.verifying.decide_petition(APPROVER, notice.id, asked.id, grant=True, reason="同意")
    with pytest.raises(ChangedMeanwhile):
        work.verifying.decide_petition(APPROVER, notice.id, asked.id, grant=True, reason="同意")
    view = work.views.show_delivery(LIAISON, notice.id)
    assert view.units[0].delivery.rectify_due == before + 2 * DAY
    home.clock.advance(20 * 86_400)
    with pytest.raises(ExtensionRefused):
        unit.petition_notice(LIAISON, notice.id, "extension", "晚了", days=1)
    assert "playbooks.petition_notice" in refused(home)
    appeal = unit.petition_notice(LIAISON, notice.id, "appeal", "不是我单位系统")
    work.verifying.decide_petition(APPROVER, notice.id, appeal.id, grant=False, reason="是")
    again = unit.petition_notice(LIAISON, notice.id, "appeal", "已移交")
    work.verifying.decide_petition(APPROVER, notice.id, again.id, grant=True, reason="属实")
    delivery = work.views.show_delivery(LIAISON, notice.id).units[0].delivery
    assert (delivery.state, delivery.ending) == ("closed", "appealed")
    with pytest.raises(NoticeStateRefused):
        unit.petition_notice(LIAISON, notice.id, "appeal", "又")


def test_withdrawing_an_issued_notice_frees_its_units_and_keeps_its_number(home: House) -> None:
    work, notice = home.services.notices, issued(home)
    gone = work.drafting.withdraw_notice(APPROVER, notice.id, "误发")
    assert (gone.state, gone.reference) == ("withdrawn", "〔2026〕1")
    delivery = work.views.show_delivery(LIAISON, notice.id).units[0].delivery
    assert (delivery.state, delivery.ending) == ("closed", "withdrawn")
    with pytest.raises(NoticeStateRefused):
        work.deliveries.receive_notice(LIAISON, notice.id)
    assert titles(home, "org_a")[0] == "通报已撤回:〔2026〕1"


def test_units_are_urged_once_before_and_daily_after_and_the_issuer_is_told(home: House) -> None:
    work, notice = home.services.notices, issued(home, replace(CONTENT, urgent=True))
    remind = work.reminders.remind_units
    assert remind() == 0
    home.clock.advance(5_400 + 1)
    assert (remind(), remind()) == (2, 0)
    work.deliveries.receive_notice(OTHER, notice.id)
    home.clock.advance(1_800)
    assert (remind(), remind()) == (1, 0)
    assert titles(home, "org_a")[:2] == ["督办:签收 通报〔2026〕1", "催办:签收 通报〔2026〕1"]
    assert titles(home, "org_root")[0] == "督办:签收 通报〔2026〕1"
    assert "督办:签收 通报〔2026〕1" not in titles(home, "org_b")
    home.clock.advance(86_400)
    assert remind() == 1
    late = work.deliveries.receive_notice(LIAISON, notice.id)
    assert late.late == ("receive",)
    assert remind() == 0
    work.deliveries.add_proof(LIAISON, notice.id, "a", b"x")
    work.deliveries.rectify_notice(LIAISON, notice.id, "已改")
    home.clock.advance(10 * 86_400)
    assert remind() >= 1
    assert any(one.startswith("督办(逾期") and "复核" in one for one in titles(home, "org_root"))
    lines = [r.text for r in work.views.show_notice(ANALYST, notice.id).remarks]
    assert lines.count("督办:签收") == 1


def test_a_fault_in_one_notice_keeps_no_other_unit_waiting(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = home.services.notices
    first, second = sorted(issued(home, replace(CONTENT, urgent=True)).id for _ in range(2))
    home.clock.advance(5_400 + 1)
    tell = type(work.reminders)._tell

    def broken(self: Any, tx: Transaction, delivery: Any, *rest: Any) -> bool:
        if delivery.notice_id == first:
            raise ChangedMeanwhile
        return tell(self, tx, delivery, *rest)

    monkeypatch.setattr(type(work.reminders), "_tell", broken)
    with pytest.raises(ChangedMeanwhile):
        work.reminders.remind_units()
    monkeypatch.undo()
    assert len(titles(home, "org_a")) == 3  # both were issued, the second was urged
    assert work.reminders.remind_units() == 2
    assert work.reminders.remind_units() == 0
    assert work.views.show_notice(ANALYST, second).notice.state == "issued"


def test_deadlines_say_which_years_nobody_entered_and_take_the_homes_own_tables(
    home: House, tmp_path: Path
) -> None:
    home.clock.instant = 1_798_600_000 * SECOND  # 2026-12-30
    first = issued(home)
    view = home.services.notices.views.show_notice(ANALYST, first.id)
    assert view.units[0].delivery.guessed == (2027,)
    assert "2027 年节假日安排尚未录入" in office(home).printed[-1].facts["说明"]
    table = {
        "years": {"2027": {"source": "国办", "off": [["2027-01-01", "2027-01-03"]], "worked": []}}
    }
    (tmp_path / "working_days.json").write_bytes(orjson.dumps(table))
    second = issued(home)
    delivery = home.services.notices.views.show_notice(ANALYST, second.id).units[0].delivery
    assert (delivery.guessed, "说明" in office(home).printed[-1].facts) == ((), False)
    for content in (b"{", b"[]", b" " * ((1 << 20) + 1)):
        (tmp_path / "working_days.json").write_bytes(content)
        with pytest.raises(CalendarInvalid):
            issued(home)
    (tmp_path / "working_days.json").unlink()
    (tmp_path / "working_days.json").mkdir()
    with pytest.raises(CalendarInvalid):
        issued(home)


def test_a_file_that_is_no_longer_the_one_issued_is_not_given_out(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, notice, draft = home.services.notices, issued(home), approved(home)
    with pytest.raises(NoticeStateRefused):
        work.issuing.read_notice_file(ANALYST, draft.id)
    blobs = type(home.spine.parts.blobs)
    monkeypatch.setattr(blobs, "get", lambda _self, _name: b"another")
    for reader in (ANALYST, LIAISON):
        with pytest.raises(NoticeFileChanged):
            work.issuing.read_notice_file(reader, notice.id)


def test_lists_have_limits_cursors_and_states(home: House) -> None:
    views = home.services.notices.views
    made = [issued(home).id for _ in range(3)]
    first = views.list_notices(ANALYST, "issued", PageRequest(2))
    assert len(first.items) == 2
    assert first.next is not None
    assert {one.id for one in views.list_notices(ANALYST, "", PAGE).items} == set(made)
    mine = views.list_deliveries(LIAISON, "pending", PageRequest(2))
    assert (len(mine.items), mine.next is None) == (2, False)
    assert mine.items[0].debts[0].due - mine.items[0].delivery.issued_at == 24 * HOUR
    for ask in (
        lambda: views.list_notices(ANALYST, "lost", PAGE),
        lambda: views.list_deliveries(LIAISON, "lost", PAGE),
    ):
        with pytest.raises(NoticeInvalid):
            ask()


def test_an_organisation_has_room_for_so_many_drafts(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playbooks.service.notices import drafting  # noqa: PLC0415

    monkeypatch.setattr(drafting, "MAX_UNISSUED", 2)
    approved(home)
    approved(home)
    with pytest.raises(NoticeInvalid):
        approved(home)
