"""SCIM writes: no update is lost, each is whole or nothing; bulk requests, and one's own user."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.errors import NameTaken
from iam.service.protection.locks import NewLock
from iam.service.scim import writing
from iam.service.scim.bulk import REQUEST, BulkRefused, _Job, _operation
from iam.service.scim.describing import BULK_OPERATIONS
from secops.kernel.actors import Actor
from secops.kernel.containment import ContainmentOrder
from secops.kernel.errors import AuditUnavailable, Forbidden
from tests.fakes.iam_home import OWNER, open_iam_home
from tests.unit.iam.test_scim_server import PATCH, USER, Site, activate, hire, state

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    home = open_iam_home(tmp_path)
    try:
        yield Site(home)
    finally:
        home.close()


def patch(site: Site, path: str, *operations: dict[str, Any], **headers: str) -> tuple[int, Any]:
    return site.call("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)


def bulk(site: Site, *operations: dict[str, Any], **more: Any) -> tuple[int, Any]:
    return site.call("POST", "Bulk", {"schemas": [REQUEST], "Operations": list(operations), **more})


def post(bulk_id: str, name: str, **more: Any) -> dict[str, Any]:
    data = {"schemas": [USER], "userName": name, **more}
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def group(bulk_id: str, name: str, *members: str) -> dict[str, Any]:
    data = {"schemas": [GROUP], "displayName": name, "members": [{"value": m} for m in members]}
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


def statuses(answer: Any) -> list[str]:
    return [one["status"] for one in answer["Operations"]]


# lost updates


def race(site: Site, identifier: str, count: int, **headers: str) -> list[int]:
    """Many writers at the same user, each with a title of its own; all begin together."""
    gate, found = threading.Barrier(count), [0] * count

    def write(number: int) -> None:
        gate.wait()
        change = {"op": "add", "path": "emails", "value": [{"value": f"m{number}@a.example"}]}
        found[number] = patch(site, f"Users/{identifier}", change, **headers)[0]

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_many_who_name_the_same_version_one_writes(site: Site) -> None:
    identifier = hire(site, "li.si")
    found = race(site, identifier, 6, if_match='W/"1"')
    assert sorted(found) == [200, 412, 412, 412, 412, 412]
    _, shown = site.call("GET", f"Users/{identifier}")
    assert (len(shown["emails"]), shown["meta"]["version"]) == (1, 'W/"2"')


def test_who_names_no_version_loses_nobodys_change(site: Site) -> None:
    identifier = hire(site, "li.si")
    found = race(site, identifier, 4)
    _, shown = site.call("GET", f"Users/{identifier}")
    assert (set(found), len(shown["emails"])) == ({200}, 4)


def test_a_writer_that_always_loses_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier = hire(site, "li.si")
    stores = site.home.services.scim.reader.means.stores
    monkeypatch.setattr(type(stores.scim_users), "change", lambda *_: False)
    change = {"op": "replace", "path": "title", "value": "处长"}
    assert patch(site, f"Users/{identifier}", change)[0] == 412
    monkeypatch.undo()
    monkeypatch.setattr(type(stores.scim_users), "remove", lambda *_: False)
    assert site.call("DELETE", f"Users/{identifier}")[0] == 412
    monkeypatch.undo()
    made = site.call("POST", "Groups", {"schemas": [GROUP], "displayName": "处室"})[1]
    monkeypatch.setattr(type(stores.scim_groups), "remove", lambda *_: False)
    assert site.call("DELETE", f"Groups/{made['id']}")[0] == 412
    assert (state(site, identifier), writing.TRIES) == ("pending", 5)


def test_a_lock_set_meanwhile_is_not_lifted_by_an_older_word(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = hire(site, "li.si")
    activate(site, identifier, active=False)
    services = site.home.services
    reader, once = type(services.scim.reader), []

    whole = reader.one

    def one(self: Any, org_id: str, kind: str, name: str) -> Any:
        held = whole(self, org_id, kind, name)
        if not once:
            once.append(True)
            run = site.home.spine.parts.transactions.run
            run(lambda tx: services.scim.reader.means.stores.accounts.set_state(tx, name, "closed"))
        return held

    monkeypatch.setattr(reader, "one", one)
    assert activate(site, identifier, active=True)[0] == 200
    assert state(site, identifier) == "closed"


def test_personnel_lifts_no_lock_and_who_lifts_a_lock_resumes_nobody(site: Site) -> None:
    identifier = hire(site, "li.si")
    activate(site, identifier, active=False)
    locks, security = site.home.services.protection.locks, site.home.actor("security-admin")
    lock = locks.lock_subject(security, NewLock("account", "li.si", "stolen", None))
    status, shown = activate(site, identifier, active=True)
    assert (status, shown["active"], state(site, identifier)) == (200, False, "locked")
    assert site.home.spine.parts.revocations.is_revoked("account", identifier)
    activate(site, identifier, active=False)
    second = replace(security, id=site.home.actor("staff").id)
    locks.ask_to_lift(security, lock.id, "found")
    locks.decide_lift(second, lock.id, grant=True)
    assert state(site, identifier) == "locked"
    assert site.home.spine.parts.revocations.is_revoked("account", identifier)


def test_who_left_while_a_run_held_the_account_stays_out_when_the_run_ends(site: Site) -> None:
    identifier = hire(site, "li.si")
    services = site.home.services
    stores, run = services.scim.reader.means.stores, site.home.spine.parts.transactions.run
    run(lambda tx: stores.accounts.set_state(tx, identifier, "active"))
    restraint = services.containment.restraint("account")
    restraint.restrain(identifier, ContainmentOrder("org_root", "key-1"))
    assert activate(site, identifier, active=False)[0] == 200
    restraint.give_back(identifier, ContainmentOrder("org_root", "key-2", undoes="key-1"))
    assert state(site, identifier) == "locked"
    assert site.home.spine.parts.revocations.is_revoked("account", identifier)


def test_without_a_ledger_administrators_are_out_of_reach_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = hire(site, "li.si")
    parts, services = site.home.spine.parts, site.home.services
    account = services.accounts.get_account(site.home.actor("system-admin"), identifier)
    parts.transactions.run(lambda tx: services.roles.grant(tx, OWNER, account, "audit-admin"))

    def unwritten(*_: Any) -> Any:
        raise AuditUnavailable

    monkeypatch.setattr(type(site.home.spine.transactions._committer), "run", unwritten)
    assert activate(site, identifier, active=False)[0] == 403
    assert site.call("DELETE", f"Users/{identifier}")[0] == 403
    assert not parts.revocations.is_revoked("account", identifier)
    monkeypatch.undo()
    assert state(site, identifier) == "pending"


def test_groups_compare_versions_too(site: Site) -> None:
    _, made = site.call("POST", "Groups", {"schemas": [GROUP], "displayName": "处室"})
    place = f"Groups/{made['id']}"
    change = {"op": "replace", "path": "displayName", "value": "科室"}
    assert patch(site, place, change, if_match='W/"1"')[0] == 200
    assert patch(site, place, change, if_match='W/"1"')[0] == 412
    assert site.call("DELETE", place, if_match='W/"1"')[0] == 412
    assert site.call("DELETE", place, if_match='W/"9", W/"2"')[0] == 204
    assert site.call("GET", place)[0] == 404


# whole or nothing


def test_a_name_that_is_taken_changes_nothing_of_the_rest(site: Site) -> None:
    hire(site, "li.si")
    identifier = hire(site, "wang.wu")
    before = len(site.home.leaves())
    status, _ = site.call(
        "PUT",
        f"Users/{identifier}",
        {"schemas": [USER], "userName": "Li.Si", "active": False, "title": "处长"},
    )
    _, shown = site.call("GET", f"Users/{identifier}")
    assert (status, shown["userName"], "title" in shown) == (409, "wang.wu", False)
    assert (state(site, identifier), len(site.home.leaves())) == ("pending", before)


def test_a_creation_that_fails_late_leaves_no_account(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = site.home.services.scim.reader.means.stores.scim_users

    def taken(*_: Any) -> None:
        raise NameTaken("late")

    monkeypatch.setattr(type(users), "add", taken)
    assert site.call("POST", "Users", {"schemas": [USER], "userName": "li.si"})[0] == 409
    monkeypatch.undo()
    assert site.call("POST", "Users", {"schemas": [USER], "userName": "li.si"})[0] == 201


def test_a_user_made_inactive_is_locked_from_the_first_moment(site: Site) -> None:
    identifier = hire(site, "li.si", active=False)
    assert state(site, identifier) == "locked"
    assert site.call("GET", f"Users/{identifier}")[1]["active"] is False
    assert activate(site, identifier, active=True)[0] == 200
    assert state(site, identifier) == "pending"


# bulk


def test_many_writes_refer_to_one_another_in_any_order(site: Site) -> None:
    old = hire(site, "zhao.liu")
    status, answer = bulk(
        site,
        group("g", "处室", "bulkId:a", "bulkId:b", old),
        post("a", "li.si"),
        post("b", "wang.wu"),
        {
            "method": "PATCH",
            "path": "/Users/bulkId:b",
            "data": {
                "schemas": [PATCH],
                "Operations": [{"op": "replace", "path": "active", "value": False}],
            },
        },
        {"method": "DELETE", "path": f"/Users/{old}", "version": 'W/"1"'},
    )
    assert (status, statuses(answer)) == (200, ["201", "201", "201", "200", "204"])
    made, first, second, _, gone = answer["Operations"]
    assert (first["bulkId"], first["version"], first["method"]) == ("a", 'W/"1"', "POST")
    identifiers = [one["location"].rpartition("/")[2] for one in (first, second)]
    _, shown = site.call("GET", "Groups/" + made["location"].rpartition("/")[2])
    assert [member["value"] for member in shown["members"]] == [*identifiers, old]
    assert [state(site, one) for one in identifiers] == ["pending", "locked"]
    assert (gone["location"].endswith(old), state(site, old)) == (True, "closed")


def test_an_operation_fails_alone(site: Site) -> None:
    hire(site, "li.si")
    status, answer = bulk(
        site,
        post("a", "LI.SI"),
        post("b", "wang.wu"),
        group("g", "处室", "bulkId:a"),
        {
            "method": "PUT",
            "path": "/Users/acc_nobody",
            "data": {"userName": "x", "schemas": [USER]},
        },
    )
    assert (status, statuses(answer)) == (200, ["409", "201", "409", "404"])
    failed = answer["Operations"][0]
    assert (failed["response"]["scimType"], failed["bulkId"]) == ("uniqueness", "a")
    assert "location" not in failed
    assert answer["Operations"][3]["location"] == "/Users/acc_nobody"


@pytest.mark.parametrize(("most", "expected"), [(1, ["400"]), (2, ["400", "201", "404"])])
def test_it_stops_after_as_many_errors_as_asked(site: Site, most: int, expected: list[str]) -> None:
    wrong = {"method": "POST", "path": "/Users", "bulkId": "x", "data": {"schemas": [USER]}}
    nowhere = {"method": "DELETE", "path": "/Nobody/1"}
    last = post("b", "wang.wu")
    _, answer = bulk(site, wrong, post("a", "li.si"), nowhere, last, failOnErrors=most)
    assert statuses(answer) == expected
    _, found = site.call("GET", "Users?filter=userName%20eq%20%22wang.wu%22")
    assert found["totalResults"] == 0


def test_references_in_a_circle_and_into_nothing_are_refused(site: Site) -> None:
    _, answer = bulk(
        site,
        group("g", "甲", "bulkId:h"),
        group("h", "乙", "bulkId:g"),
        group("i", "丙", "bulkId:i"),
        group("j", "丁", "bulkId:nobody"),
    )
    assert statuses(answer) == ["409", "409", "409", "400"]
    assert site.call("GET", "Groups")[1]["totalResults"] == 0


def test_a_group_does_not_get_a_group_by_bulk_either(site: Site) -> None:
    _, answer = bulk(site, group("g", "甲"), group("h", "乙", "bulkId:g"))
    assert statuses(answer) == ["201", "400"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "/Users", "data": {}},
        {"method": "POST", "path": "/Users/acc_1", "bulkId": "a", "data": {}},
        {"method": "PUT", "path": "/Users", "data": {}},
        {"method": "PUT", "path": "/Users/../Groups", "data": {}},
        {"method": "POST", "path": "/Bulk", "bulkId": "a", "data": {}},
        {"method": "POST", "path": "/Users", "bulkId": "a" * 201, "data": {}},
        {"method": "POST", "path": 7, "bulkId": "a", "data": {}},
        {"method": "POST", "path": "/Users", "bulkId": ["a"], "data": {}},
        {"path": "/Users/acc_1"},
    ],
)
def test_what_is_no_operation_is_its_own_failure(site: Site, wrong: dict[str, Any]) -> None:
    status, answer = bulk(site, wrong, post("z", "li.si"))
    first, second = statuses(answer)
    assert (status, first in ("400", "404"), second) == (200, True, "201")


def test_two_of_one_bulk_id_are_both_refused(site: Site) -> None:
    _, answer = bulk(site, post("a", "li.si"), post("a", "wang.wu"))
    assert statuses(answer) == ["400", "400"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"schemas": [USER], "Operations": []}, 400),
        ({"schemas": [REQUEST]}, 400),
        ({"schemas": [REQUEST], "Operations": ["x"]}, 400),
        ({"schemas": [REQUEST], "Operations": [], "failOnErrors": 0}, 400),
        ({"schemas": [REQUEST], "Operations": [], "failOnErrors": True}, 400),
        ({"schemas": [REQUEST], "Operations": [{}] * (BULK_OPERATIONS + 1)}, 413),
        ({"schemas": [REQUEST], "Operations": []}, 200),
    ],
)
def test_what_is_no_bulk_request_is_refused_whole(site: Site, body: Any, expected: int) -> None:
    assert site.call("POST", "Bulk", body)[0] == expected


def test_bulk_is_for_whoever_provisions(site: Site) -> None:
    token = site.token_of("other", frozenset({"scim"}), None)
    body = {"schemas": [REQUEST], "Operations": [post("a", "li.si")]}
    assert site.call("POST", "Bulk", body, token=token)[0] == 403
    with pytest.raises(Forbidden):
        site.home.services.scim_bulk.bulk(site.home.actor("system-admin"), body)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(
                st.none(),
                st.text(max_size=12),
                st.integers(),
                st.recursive(
                    st.sampled_from(["bulkId:a", "x"]),
                    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner),
                    max_leaves=6,
                ),
            )
            for name in ("method", "path", "bulkId", "version", "data")
        },
    )
)
def test_any_operation_is_one_or_refused(given_operation: dict[str, Any]) -> None:
    with contextlib.suppress(BulkRefused):
        assert _operation(_Job([given_operation]), 0).kind in ("Users", "Groups")


def test_the_configuration_says_what_bulk_takes(site: Site) -> None:
    _, config = site.call("GET", "ServiceProviderConfig")
    assert config["bulk"] == {"supported": True, "maxOperations": 100, "maxPayloadSize": 1_048_576}
    route = next(one for one in site.home.plane.routes if one.path == "/scim/v2/Bulk")
    assert route.max_body == config["bulk"]["maxPayloadSize"]


# one's own user


def test_everybody_provisioned_sees_themselves(site: Site) -> None:
    identifier = hire(site, "li.si", title="处长")
    account = site.home.services.scim.reader.means.stores.accounts
    read = site.home.spine.parts.transactions.read
    found = read(lambda tx: account.get(tx, identifier))
    actor = Actor(kind="account", id=identifier, org_id=found.org_id, name="li.si")
    me = site.home.services.scim.me
    answer = me(actor, {})
    assert (answer.status, answer.location.endswith(f"/Users/{identifier}")) == (200, True)
    shown: Any = answer.body
    assert (shown["userName"], shown["title"]) == ("li.si", "处长")
    narrow = Actor(
        **{**{n: getattr(actor, n) for n in actor.__slots__}, "scopes": frozenset({"openid"})}
    )
    with pytest.raises(Forbidden):
        me(narrow, {})


def test_who_was_not_provisioned_and_an_application_have_no_user(site: Site) -> None:
    assert site.call("GET", "Me")[0] == 404
    with pytest.raises(Exception, match="does not exist"):
        site.home.services.scim.me(site.home.actor("analyst"), {})
    assert site.call("GET", "Me", token="nobody")[0] == 401
