from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secops.kernel.actors import Actor, os_actor, system_actor
from secops.kernel.canonical import canonical, canonical_record
from secops.kernel.catalogue import Text
from secops.kernel.clock import SystemClock, from_datetime, from_rfc3339, to_rfc3339
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.events import ANNOUNCEMENTS, AlertRaised, SessionRevoked, from_record, to_record
from secops.kernel.ids import Ids, SystemRandomness
from secops.kernel.pages import PageRequest, decode_cursor, encode_cursor, page_of, page_request
from secops.kernel.permissions import GRANTS, ROLES, permissions_of, roles_with
from secops.kernel.trail import Act, encode_act

ASCII_KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(ASCII_KEYS, PLAIN, max_size=5))
def test_records_have_the_rfc_8785_form(record: dict[str, object]) -> None:
    assert canonical_record(record) == canonical(record)


def test_what_json_cannot_say_has_no_canonical_form() -> None:
    for value in (float("nan"), {1: 2}, object()):
        with pytest.raises(Invalid):
            canonical(value)


@given(st.integers(0, 4_000_000_000_000_000))
def test_an_instant_survives_rfc_3339(instant: int) -> None:
    assert from_rfc3339(to_rfc3339(instant)) == instant


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="ambiguous"):
        from_datetime(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the attack
    assert from_datetime(datetime(1970, 1, 2, tzinfo=UTC)) == 86_400_000_000


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    ids = Ids(SystemClock(), SystemRandomness())
    made = [ids.new("acc") for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert {len(identifier) for identifier in made} == {30}
    assert [i[:14] for i in made] == sorted(i[:14] for i in made)


@given(st.lists(st.text() | st.integers(-(2**53), 2**53), max_size=4).map(tuple))
def test_a_cursor_survives(key: tuple[str | int, ...]) -> None:
    cursor = encode_cursor(key)
    if len(cursor) <= 1024:
        assert decode_cursor(cursor) == key


@pytest.mark.parametrize("cursor", ["é", "!!", "bnVsbA", "WzEuNV0", "W3RydWVd", "A" * 1_025])
def test_a_cursor_of_others_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        decode_cursor(cursor)


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "", "１", "99999999999999"])
def test_a_limit_outside_the_page_is_refused(limit: str) -> None:
    with pytest.raises(Invalid):
        page_request(limit, None)


def test_pages_end_where_the_rows_end() -> None:
    assert page_request(None, None) == PageRequest()
    assert page_request("2", encode_cursor(("a",))) == PageRequest(2, ("a",))
    rows = ["a", "b", "c"]
    keys = [(row,) for row in rows]
    assert page_of(rows, 3, keys).next is None
    cut = page_of(rows, 2, keys)
    assert (list(cut.items), decode_cursor(cut.next or "")) == (["a", "b"], ("b",))


def test_an_announcement_survives_its_record() -> None:
    said = SessionRevoked("org", "ses_1", "acc_1", "risk")
    assert from_record(to_record(said)) == said
    raised = AlertRaised("org", "alt_1", "rule", "high", {"source.ip": "127.0.0.5"})
    assert from_record(to_record(raised)) == raised
    assert all(kind.name == name for name, kind in ANNOUNCEMENTS.items())
    with pytest.raises(Invalid):
        from_record({"name": "gossip"})


def test_a_leaf_names_act_actor_target_and_outcome() -> None:
    actor = Actor("account", "acc_1", "org_1", "张三", session_id="ses_1")
    leaf = encode_act(Act("kms.sign", actor, "key:k/1", details={"digest": "00"}), 7)
    assert leaf == (
        b'{"action":"kms.sign","actor":{"client":null,"id":"acc_1","kind":"account",'
        b'"org":"org_1","session":"ses_1"},"at":7,"details":{"digest":"00"},"outcome":"done",'
        b'"request":null,"target":"key:k/1","v":1}'
    )


def test_the_product_and_the_operating_system_hold_no_role() -> None:
    assert system_actor("scheduler").permissions == frozenset()
    assert os_actor("root").id == "os:root"
    assert not os_actor("root").may(GRANTS[0].permission)


def test_every_permission_is_granted_to_known_roles_and_named_in_both_languages() -> None:
    names = [grant.permission for grant in GRANTS]
    assert len(names) == len(set(names))
    for grant in GRANTS:
        assert grant.roles <= set(ROLES), grant
        assert grant.title.zh, grant
        assert grant.title.en, grant


def test_an_unknown_role_holds_nothing() -> None:
    assert permissions_of(frozenset({"root"})) == frozenset()
    first = GRANTS[0]
    assert list(roles_with(first.permission)) == sorted(first.roles)


def test_a_text_speaks_both_languages() -> None:
    assert (Text("是", "yes").into("zh"), Text("是", "yes").into("en")) == ("是", "yes")


def test_an_error_without_detail_says_its_title() -> None:
    assert SecopsError().detail == "Internal error"
    assert SecopsError("x", key="k").facts == {"key": "k"}
