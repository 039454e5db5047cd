"""Notices: the issuer's states, the units', and what an approval is bound to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.notices import delivery as unit
from playbooks.core.notices import notice as issuer
from playbooks.errors.notices import NoticeInvalid, NoticeStateRefused, OwnNotice
from playbooks.models.calendars import Deadline
from playbooks.models.notices import (
    DELIVERY_STATES,
    NOTICE_STATES,
    Content,
    Delivery,
    Issue,
    Notice,
)

CONTENT = Content(
    "关于弱口令的通报", "发现弱口令。\n请整改。", "medium", urgent=False, units=("org_a", "org_b")
)
NOTICE = Notice("ntc_1", "org_root", CONTENT, "draft", ("acc_w",), 1, 1)
DELIVERY = Delivery("ntc_1", "org_a", "org_root", "pending", 10, 100, "medium", 0)
ISSUE = Issue("acc_s", 9, "sel_1", "aa", "bb")

ISSUER_MOVES: dict[str, tuple[Callable[[Notice], Notice], set[str], str]] = {
    "revise": (lambda n: issuer.revise(n, CONTENT, "acc_x", 2), {"draft"}, "draft"),
    "submit": (lambda n: issuer.submit(n, "apr_1", 2), {"draft"}, "review"),
    "grant": (
        lambda n: issuer.decide(n, "acc_z", 3, grant=True, reason=""),
        {"review"},
        "approved",
    ),
    "return": (
        lambda n: issuer.decide(n, "acc_z", 3, grant=False, reason="不清楚"),
        {"review"},
        "draft",
    ),
    "recall": (lambda n: issuer.recall(n, 4), {"review", "approved"}, "draft"),
    "issue": (lambda n: issuer.issue(n, ISSUE), {"approved"}, "issued"),
    "withdraw": (
        lambda n: issuer.withdraw(n, 4, "重复"),
        {"draft", "review", "approved", "issued"},
        "withdrawn",
    ),
    "close": (lambda n: issuer.close(n, 5), {"issued"}, "closed"),
    "archive": (lambda n: issuer.archive(n, 6), {"closed"}, "archived"),
}
UNIT_MOVES: dict[str, tuple[Callable[[Delivery], Delivery], set[str], str]] = {
    "receive": (lambda d: unit.receive(d, "acc_u", 5), {"pending"}, "received"),
    "respond": (lambda d: unit.respond(d, "acc_u", "已知"), {"received"}, "responded"),
    "rectify": (
        lambda d: unit.rectify(d, "acc_u", "已改", 6, Deadline(300)),
        {"received", "responded"},
        "rectified",
    ),
    "verify": (lambda d: unit.verify(d, "acc_v", 7, ""), {"rectified"}, "closed"),
    "return": (
        lambda d: unit.send_back(d, "acc_v", Deadline(400, (2027,)), "x"),
        {"rectified"},
        "responded",
    ),
    "appeal": (
        lambda d: unit.end(d, "appealed", 8),
        {"pending", "received", "responded", "rectified"},
        "closed",
    ),
}


@given(st.lists(st.sampled_from(sorted(ISSUER_MOVES)), max_size=25))
def test_a_notice_moves_only_as_the_table_says_and_never_loses_its_number(
    wishes: list[str],
) -> None:
    notice, number = NOTICE, 0
    for wish in wishes:
        move, before, after = ISSUER_MOVES[wish]
        if wish == "issue" and notice.state == "approved" and not notice.number:
            with pytest.raises(NoticeStateRefused):
                move(notice)
            notice, number = issuer.give_number(notice, 2026, 7, 4), 7
        if notice.state not in before:
            with pytest.raises(NoticeStateRefused):
                move(notice)
            continue
        moved = move(notice)
        assert (moved.state, moved.version) == (after, notice.version + 1)
        notice = moved
        assert notice.number == number
        assert notice.state in NOTICE_STATES
        assert (notice.issue is not None) <= (number == 7)


@given(st.lists(st.sampled_from(sorted(UNIT_MOVES)), max_size=25))
def test_a_delivery_moves_only_as_the_table_says_and_counts_its_rounds(wishes: list[str]) -> None:
    delivery, rounds = DELIVERY, 0
    for wish in wishes:
        move, before, after = UNIT_MOVES[wish]
        if delivery.state not in before:
            with pytest.raises(NoticeStateRefused):
                move(delivery)
            continue
        rounds += wish == "return"
        moved = move(delivery)
        assert (moved.state, moved.rounds) == (after, rounds)
        assert moved.version == delivery.version + 1
        delivery = moved
        assert (delivery.closed_at is not None) == (delivery.state == "closed")
        assert delivery.state in DELIVERY_STATES
        assert "acc_v" not in delivery.hands


def test_a_number_is_given_once_and_only_to_what_is_approved() -> None:
    with pytest.raises(NoticeStateRefused):
        issuer.give_number(NOTICE, 2026, 1, 2)
    approved = issuer.decide(issuer.submit(NOTICE, "a", 2), "z", 3, grant=True, reason="")
    numbered = issuer.give_number(approved, 2026, 1, 4)
    assert (numbered.reference, approved.reference) == ("〔2026〕1", "")
    with pytest.raises(NoticeStateRefused):
        issuer.give_number(numbered, 2026, 2, 4)


@pytest.mark.parametrize(
    "other",
    [
        replace(NOTICE, content=replace(CONTENT, title="别的")),
        replace(NOTICE, content=replace(CONTENT, body="别的")),
        replace(NOTICE, content=replace(CONTENT, severity="low")),
        replace(NOTICE, content=replace(CONTENT, urgent=True)),
        replace(NOTICE, content=replace(CONTENT, units=("org_a",))),
        replace(NOTICE, content=replace(CONTENT, check="detector:x")),
        replace(NOTICE, content=replace(CONTENT, incident_id="inc_1")),
        replace(NOTICE, id="ntc_2"),
        replace(NOTICE, org_id="org_b"),
    ],
)
def test_every_word_of_a_notice_is_in_what_its_approval_is_bound_to(other: Notice) -> None:
    assert issuer.content_digest(other) != issuer.content_digest(NOTICE)
    turned = replace(NOTICE, content=replace(CONTENT, units=("org_b", "org_a")))
    assert issuer.content_digest(turned) == issuer.content_digest(NOTICE)


@pytest.mark.parametrize(
    "change",
    [
        {"title": " "},
        {"title": "x" * 121},
        {"title": "a\u202eb"},
        {"body": ""},
        {"body": "x" * 20_001},
        {"body": "x" * 2_001},
        {"body": "xx\n" * 7_000},
        {"body": "a\x00b"},
        {"severity": "critical"},
        {"units": ()},
        {"units": ("org_a", "org_a")},
        {"units": tuple(f"org_{n}" for n in range(201))},
        {"check": "shell:rm"},
        {"check": "control:gbt22239:9:x"},
    ],
)
def test_what_is_no_notice_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(NoticeInvalid):
        issuer.check_content(replace(CONTENT, **change))


def test_a_body_keeps_its_lines_and_loses_spaces_around_them() -> None:
    found = issuer.check_content(
        replace(CONTENT, title=" t ", body=" a \r\n\n b ", check="detector:a")
    )
    assert (found.title, found.body) == ("t", "a\nb")
    for reason in ("", " ", "x" * 2_001, "a\nb"):
        with pytest.raises(NoticeInvalid):
            issuer.check_reason(reason)


def test_what_comes_after_its_deadline_is_late_for_good_and_years_unknown_are_kept() -> None:
    late = unit.receive(DELIVERY, "acc_u", 11)
    done = unit.rectify(late, "acc_u", "已改", 101, Deadline(120, (2027,)))
    back = unit.send_back(done, "acc_v", Deadline(200, (2028,)), "")
    again = unit.rectify(back, "acc_r", "又改", 201, Deadline(220))
    closed = unit.verify(again, "acc_v", 221, "ok")
    assert closed.late == ("receive", "rectify-0", "rectify-1", "verify")
    assert (closed.guessed, closed.hands) == ((2027, 2028), ("acc_u", "acc_r"))
    assert (closed.ending, closed.verified_by, closed.recheck) == ("verified", "acc_v", "ok")


def test_nobody_who_acted_for_the_unit_verifies() -> None:
    done = unit.rectify(unit.receive(DELIVERY, "acc_u", 5), "acc_r", "已改", 6, Deadline(120))
    for hand in ("acc_u", "acc_r"):
        with pytest.raises(OwnNotice):
            unit.verify(done, hand, 7, "")
        with pytest.raises(OwnNotice):
            unit.send_back(done, hand, Deadline(200), "")
    assert unit.verify(done, "acc_v", 7, "").late == ()
    with pytest.raises(NoticeStateRefused):
        unit.extend(done, Deadline(300))
    assert unit.extend(unit.receive(DELIVERY, "acc_u", 5), Deadline(300)).rectify_due == 300


def test_a_notice_without_a_number_is_not_issued_and_a_recalled_one_keeps_it() -> None:
    approved = issuer.decide(issuer.submit(NOTICE, "a", 2), "z", 3, grant=True, reason="")
    with pytest.raises(NoticeStateRefused):
        issuer.issue(approved, ISSUE)
    back = issuer.recall(issuer.give_number(approved, 2026, 3, 4), 5)
    assert (back.state, back.number, back.approval_id) == ("draft", 3, "")
