"""Early warnings: colours, scope and end, approval bound to content, adjustment, expiry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.notices import early_warnings as core
from playbooks.errors import ChangedMeanwhile
from playbooks.errors.notices import (
    ApprovalStale,
    NoticeInvalid,
    NoticeStateRefused,
    WarningNotFound,
)
from playbooks.models.early_warnings import WARNING_STATES, EarlyWarning, WarningContent
from playbooks.store.tables import early_warnings
from secops.kernel.approvals import SelfApproval
from secops.kernel.clock import DAY, HOUR
from secops.kernel.errors import Forbidden
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction
from tests.fakes.clock import START
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

CONTENT = WarningContent("orange", "勒索软件预警", "全市政务外网", "立即加固", START + DAY)
PAGE = PageRequest(9)
BARE = EarlyWarning("wrn_1", "org_root", CONTENT, "draft", ("acc_w",), START, START)
MOVES: dict[str, tuple[Any, set[str], str]] = {
    "revise": (lambda w: core.revise_warning(w, CONTENT, "acc_x", START), {"draft"}, "draft"),
    "submit": (lambda w: core.submit_warning(w, "apr", START), {"draft"}, "review"),
    "issue": (lambda w: core.issue_warning(w, START), {"approved"}, "issued"),
    "lift": (lambda w: core.lift_warning(w, START, "已处置"), {"issued", "adjusted"}, "lifted"),
    "withdraw": (
        lambda w: core.withdraw_warning(w, START, "误拟"),
        {"draft", "review", "approved"},
        "withdrawn",
    ),
}


@given(st.lists(st.sampled_from([*MOVES, "decide", "adjust"]), max_size=25), st.booleans())
def test_a_warning_moves_only_as_the_table_says(wishes: list[str], grant: bool) -> None:  # noqa: FBT001
    warning = BARE
    for wish in wishes:
        before = warning
        try:
            warning = _moved(warning, wish, grant=grant)
        except NoticeStateRefused:
            assert wish in ("decide", "adjust") or before.state not in MOVES[wish][1]
            continue
        assert warning.version == before.version + 1
        assert warning.state in WARNING_STATES
        if wish in MOVES:
            assert before.state in MOVES[wish][1]
            assert warning.state == MOVES[wish][2]
        if wish == "adjust":
            assert (warning.content, warning.state) == (before.content, before.state)
        assert (warning.wanted is None) or warning.state in ("issued", "adjusted")


def _moved(warning: EarlyWarning, wish: str, *, grant: bool) -> EarlyWarning:
    if wish == "decide":
        return core.decide_warning(warning, "acc_z", START, grant=grant, reason="理由")
    if wish == "adjust":
        wanted = replace(CONTENT, colour="red")
        return core.adjust_warning(warning, wanted, "acc_x", "apr", START)
    moved: EarlyWarning = MOVES[wish][0](warning)
    return moved


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "green"},
        {"title": ""},
        {"title": "x" * 121},
        {"scope": "  "},
        {"measures": ""},
        {"measures": "a\u202eb"},
        {"ends_at": START},
        {"ends_at": START + 367 * DAY},
    ],
)
def test_scope_and_end_and_colour_are_never_left_open(change: dict[str, Any]) -> None:
    with pytest.raises(NoticeInvalid):
        core.check_warning(replace(CONTENT, **change), START)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        yield opened


def approved(home: House, content: WarningContent = CONTENT) -> EarlyWarning:
    work = home.services.notices.warnings
    warning = work.submit_warning(ANALYST, work.draft_warning(ANALYST, content).id)
    return work.decide_warning(APPROVER, warning.id, warning.digest, grant=True)


def issued(home: House, content: WarningContent = CONTENT) -> EarlyWarning:
    return home.services.notices.warnings.issue_warning(ANALYST, approved(home, content).id)


def seen(home: House, unit: str) -> list[tuple[str, str]]:
    reader = person("bai", "staff", unit)
    found = home.services.notices.warning_views.warnings_in_force(reader)
    return [(each.warning.content.colour, each.issuer) for each in found]


def test_a_warning_is_seen_below_its_issuer_until_its_end(home: House) -> None:
    work = home.services.notices.warnings
    issued(home)
    below = person("he", "analyst", "org_a")
    other = work.draft_warning(below, replace(CONTENT, colour="red"))
    other = work.submit_warning(below, other.id)
    chief = person("xu", "security-admin", "org_a")
    work.decide_warning(chief, other.id, other.digest, grant=True)
    work.issue_warning(below, other.id)
    assert seen(home, "org_c") == [("red", "市数据局"), ("orange", "本单位")]
    assert seen(home, "org_b") == [("orange", "本单位")]
    home.clock.advance(86_400 + 1)
    assert seen(home, "org_c") == []
    (mine,) = home.services.notices.warning_views.list_warnings(ANALYST, "issued", PAGE).items
    assert not mine.in_force(START + DAY + 1)


def test_an_adjustment_counts_once_another_approved_it(home: House) -> None:
    work, warning = home.services.notices.warnings, issued(home)
    wanted = replace(CONTENT, colour="red", ends_at=START + 3 * DAY)
    asked = work.adjust_warning(ANALYST, warning.id, wanted)
    assert seen(home, "org_root") == [("orange", "本单位")]
    with pytest.raises(NoticeStateRefused):
        work.adjust_warning(ANALYST, warning.id, wanted)
    both = replace(ANALYST, roles=frozenset({"security-admin"}))
    with pytest.raises(SelfApproval):
        work.decide_warning(both, warning.id, asked.digest, grant=True)
    with pytest.raises(ApprovalStale):
        work.decide_warning(APPROVER, warning.id, warning.digest, grant=True)
    done = work.decide_warning(APPROVER, warning.id, asked.digest, grant=True)
    assert (done.state, done.content) == ("adjusted", wanted)
    assert seen(home, "org_root") == [("red", "本单位")]
    again = work.adjust_warning(ANALYST, warning.id, CONTENT)
    kept = work.decide_warning(APPROVER, again.id, again.digest, grant=False, reason="不降级")
    assert (kept.content, kept.wanted, kept.state) == (wanted, None, "adjusted")
    twin = person("wang2", "security-admin")
    home.persons.one(ANALYST.id, twin.id)
    with pytest.raises(SelfApproval):  # nor does an author lift it, by whichever account
        work.lift_warning(twin, warning.id, "算了")
    lifted = work.lift_warning(APPROVER, warning.id, "威胁已消除")
    assert (lifted.state, seen(home, "org_root")) == ("lifted", [])


def test_an_organisation_has_room_for_so_many_warnings(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playbooks.service.notices import early_warnings as service  # noqa: PLC0415

    monkeypatch.setattr(service, "MAX_UNFINISHED", 2)
    work = home.services.notices.warnings
    issued(home)
    draft = work.draft_warning(ANALYST, CONTENT)
    with pytest.raises(NoticeInvalid):
        work.draft_warning(ANALYST, CONTENT)
    work.draft_warning(person("he", "analyst", "org_a"), CONTENT)  # others have their own
    work.withdraw_warning(ANALYST, draft.id, "重复")
    work.draft_warning(ANALYST, replace(CONTENT, ends_at=START + 9 * DAY))
    home.clock.advance(2 * 86_400)  # what is over counts no more
    work.draft_warning(ANALYST, replace(CONTENT, ends_at=START + 9 * DAY))


def test_what_was_approved_is_what_warns(home: House) -> None:
    work, warning = home.services.notices.warnings, approved(home)

    def forge(tx: Transaction) -> None:
        row = tx.execute(early_warnings.select()).one()
        values = {"content": row.content.replace("全市政务外网", "全省")}
        tx.execute(early_warnings.update().values(**values))

    home.spine.parts.transactions.run(forge)
    with pytest.raises(ApprovalStale):
        work.issue_warning(ANALYST, warning.id)
    assert seen(home, "org_root") == []


def test_an_approval_is_used_once_and_ends(home: House) -> None:
    work = home.services.notices.warnings
    late = approved(home, replace(CONTENT, ends_at=START + 30 * DAY))
    home.clock.advance(8 * 86_400)
    with pytest.raises(ApprovalStale):
        work.issue_warning(ANALYST, late.id)
    over = replace(CONTENT, ends_at=START + 8 * DAY + HOUR)
    warning = approved(home, over)
    home.clock.advance(7_200)
    with pytest.raises(NoticeInvalid):  # its end came before it was issued
        work.issue_warning(ANALYST, warning.id)
    assert work.withdraw_warning(ANALYST, warning.id, "过期").state == "withdrawn"


def test_a_draft_is_its_organisations_and_changes_as_it_was_read(home: House) -> None:
    work = home.services.notices.warnings
    draft = work.draft_warning(ANALYST, CONTENT)
    second = person("li", "analyst")
    changed = work.revise_warning(second, draft.id, replace(CONTENT, title="新"), draft.version)
    assert changed.authors == (ANALYST.id, second.id)
    with pytest.raises(ChangedMeanwhile):
        work.revise_warning(ANALYST, draft.id, CONTENT, draft.version)
    stranger = person("he", "analyst", "org_a")
    for ask in (home.services.notices.warning_views.show_warning, work.submit_warning):
        with pytest.raises(WarningNotFound):
            ask(stranger, draft.id)
    for who, ask in (
        (APPROVER, lambda who: work.draft_warning(who, CONTENT)),
        (AUDITOR, lambda who: work.issue_warning(who, draft.id)),
        (ANALYST, lambda who: work.lift_warning(who, draft.id, "x")),
        (ANALYST, lambda who: work.decide_warning(who, draft.id, "", grant=True)),
    ):
        with pytest.raises(Forbidden):
            ask(who)
    assert home.services.notices.warning_views.show_warning(AUDITOR, draft.id).content.title == "新"
    with pytest.raises(NoticeInvalid):
        home.services.notices.warning_views.list_warnings(ANALYST, "lost", PAGE)
    assert home.services.notices.warning_views.list_warnings(ANALYST, "", PAGE).items == [changed]
    leaves = [leaf["details"] for leaf in home.leaves() if "warning" in leaf["action"]]
    assert [each["colour"] for each in leaves] == ["orange", "orange"]


def test_a_warning_that_is_returned_is_a_draft_with_the_reason() -> None:
    asked = core.submit_warning(BARE, "apr", START)
    back = core.decide_warning(asked, "acc_z", START, grant=False, reason="范围不清")
    assert (back.state, back.reason, back.digest) == ("draft", "范围不清", "")
