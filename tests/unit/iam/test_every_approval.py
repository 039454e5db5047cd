"""Whatever takes two persons is seen field by field in one place, and approved as it was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from iam.errors import StaleChange
from iam.models.changes import ChangeRequest, ChangeView, NewChange
from iam.service.protection.locks import NewLock
from iam.service.zero_trust.policies import NewPolicies
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.errors import Forbidden, NotFound, SecopsError
from secops.kernel.pages import PageRequest
from tests.fakes.iam_home import IamHome
from tests.fakes.province import SECRET, oidc_document
from tests.fakes.second_account import second_account
from tests.unit.iam.test_identity_api import Browser, body, token_for
from tests.unit.iam.test_identity_commands import printed, run
from tests.unit.iam.test_own_policies import ANALYSTS, OFFICE
from tests.unit.iam.test_registration import METADATA

FIRST = PageRequest(50)


def ask_reset(home: IamHome) -> str:
    return home.services.resets.request_reset(home.actor("system-admin"), "staff", "lost phone")


def ask_client(home: IamHome) -> str:
    return home.services.registration.request_client(home.actor("staff"), METADATA).request.id


def ask_upstream(home: IamHome) -> str:
    system = home.actor("system-admin")
    return home.services.upstreams.create_upstream(system, "province", oidc_document(), SECRET)


def ask_policies(home: IamHome) -> str:
    security, policies = home.actor("security-admin"), home.services.protection.policies
    draft = policies.draft_policies(security, NewPolicies("office", ANALYSTS, OFFICE))
    policies.propose_policies(security, draft.id, "fewer leaks")
    return policies.get_policies(security, draft.id).approval_id or ""


def ask_lift(home: IamHome) -> str:
    locks = home.services.protection.locks
    made = locks.lock_subject(home.actor("analyst"), NewLock("account", "staff", "strange"))
    return locks.ask_to_lift(home.actor("analyst"), made.id, "it was the owner")


ASKED: Mapping[str, Callable[[IamHome], str]] = {
    "iam.reset_account": ask_reset,
    "iam.register_client": ask_client,
    "iam.change_upstream": ask_upstream,
    "iam.activate_policies": ask_policies,
    "iam.lift_lock": ask_lift,
}
APPROVER = dict.fromkeys(ASKED, "security-admin") | {"iam.activate_policies": "system-admin"}
"""Who may approve it and is not who asks in these tests."""


@pytest.fixture(params=ASKED)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def view(home: IamHome, change: str, reader: str = "auditor") -> ChangeView:
    return home.services.power.changes.view_change(home.actor(reader), change)


def changed(seen: ChangeView) -> dict[str, tuple[Any, Any]]:
    return {each.field: (each.before, each.after) for each in seen.differences if each.changed}


def test_each_waits_in_the_one_list_with_its_differences(home: IamHome, kind: str) -> None:
    change = ASKED[kind](home)
    changes = home.services.power.changes
    waiting = changes.list_changes(home.actor("auditor"), FIRST).items
    assert [(each.id, each.kind) for each in waiting] == [(change, kind)]
    assert not changes.other_approvals(home.actor(APPROVER[kind]))
    seen = view(home, change, APPROVER[kind])
    assert (seen.stale, seen.may_decide, seen.may_withdraw) == (False, True, False)
    assert changed(seen)
    assert seen.request.expires_at > home.clock.now()
    assert kind in changes.titles()


def test_it_is_decided_where_it_is_seen_as_at_its_own_desk(home: IamHome, kind: str) -> None:
    changes = home.services.power.changes
    approved = changes.approve_change(home.actor(APPROVER[kind]), ASKED[kind](home), "seen")
    collected = kind in ("iam.reset_account", "iam.register_client")
    assert approved.state == ("approved" if collected else "applied")
    assert (approved.decided_by, approved.decision_reason) == (
        home.actor(APPROVER[kind]).id,
        "seen",
    )
    with pytest.raises(SecopsError):
        changes.approve_change(home.actor(APPROVER[kind]), approved.id)
    assert view(home, approved.id).request == approved


def test_it_is_rejected_there_too_and_then_nothing_comes_of_it(home: IamHome, kind: str) -> None:
    changes = home.services.power.changes
    rejected = changes.reject_change(home.actor(APPROVER[kind]), ASKED[kind](home), "no")
    assert rejected.state == "rejected"
    with pytest.raises(SecopsError):
        changes.approve_change(home.actor(APPROVER[kind]), rejected.id)
    assert view(home, rejected.id).request.state == "rejected"


def test_whoever_may_not_at_its_desk_sees_and_decides_nothing_here(
    home: IamHome, kind: str
) -> None:
    changes, change = home.services.power.changes, ASKED[kind](home)
    for role in ("auditor", "audit-admin", "integrator"):
        with pytest.raises(Forbidden):
            changes.approve_change(home.actor(role), change)
        with pytest.raises(Forbidden):
            changes.reject_change(home.actor(role), change, "no")
    with pytest.raises(NotFound):
        changes.withdraw_change(home.actor("audit-admin"), change)
    with pytest.raises(Forbidden):
        view(home, change, "integrator")
    with pytest.raises(NotFound):
        view(home, "apr_unknown")
    stranger = replace(home.actor("security-admin"), id="acc_stranger", org_id="org_elsewhere")
    for call in (changes.view_change, changes.approve_change):
        with pytest.raises(SecopsError):
            call(stranger, change)
    new = NewChange(kind, "account:x", {"state": "pending"}, "asked for in passing")
    with pytest.raises(SecopsError):
        changes.request_change(home.actor("system-admin"), new)
    assert view(home, change).request.state == "pending"


def test_neither_who_asked_nor_their_second_account_approves(home: IamHome, kind: str) -> None:
    change = ASKED[kind](home)
    requester = view(home, change).requester
    changes = home.services.power.changes
    with pytest.raises((SelfApproval, Forbidden)):
        changes.approve_change(home.actor(requester), change)
    disguised = second_account(home, requester, "security-admin")
    with pytest.raises(SelfApproval):
        changes.approve_change(disguised, change)
    assert not changes.view_change(disguised, change).may_decide
    assert view(home, change).request.state == "pending"


@pytest.mark.parametrize("kind", ["iam.reset_account", "iam.lift_lock"])
def test_nobody_approves_for_an_account_of_their_own_by_another_one(
    home: IamHome, kind: str
) -> None:
    disguised = second_account(home, "staff", "security-admin")
    change = ASKED[kind](home)
    with pytest.raises((SelfApproval, Forbidden)):
        home.services.power.changes.approve_change(disguised, change)
    assert view(home, change).request.state == "pending"


# what was seen is what is approved


def move_factors(home: IamHome, change: ChangeRequest) -> None:
    account = change.target.removeprefix("account:")
    store = home.services.resets.means.stores.credentials
    home.spine.parts.transactions.run(lambda tx: store.set_recovery_codes(tx, account, [b"d" * 32]))


def move_metadata(home: IamHome, change: ChangeRequest) -> None:
    sneaked = '{"client_name":"OA","redirect_uris":["https://evil.example/cb"]}'
    write(home, "UPDATE iam_client_requests SET metadata=:value WHERE id=:id", sneaked, change.id)


def move_upstream(home: IamHome, change: ChangeRequest) -> None:
    """A second proposal for the same provider comes first."""
    other = {**oidc_document(), "title": "Another"}
    system = home.actor("system-admin")
    asked = home.services.upstreams.create_upstream(system, "province", other, SECRET)
    home.services.power.changes.approve_change(home.actor("security-admin"), asked)


def move_policies(home: IamHome, change: ChangeRequest) -> None:
    """Another version comes into force meanwhile: approving this one would undo it unseen."""
    home.services.power.changes.approve_change(home.actor("system-admin"), ask_policies(home))


def move_lock(home: IamHome, change: ChangeRequest) -> None:
    """A second lock holds the subject: lifting the first one frees nobody any more."""
    again = NewLock("account", "staff", "stranger")
    home.services.protection.locks.lock_subject(home.actor("analyst"), again)


def write(home: IamHome, statement: str, value: str, row: str) -> None:
    home.spine.parts.transactions.run(
        lambda tx: tx.execute(sa.text(statement), {"value": value, "id": row})
    )


MOVED: Mapping[str, Callable[[IamHome, ChangeRequest], None]] = {
    "iam.reset_account": move_factors,
    "iam.register_client": move_metadata,
    "iam.change_upstream": move_upstream,
    "iam.activate_policies": move_policies,
    "iam.lift_lock": move_lock,
}


def test_what_has_moved_on_since_it_was_asked_for_is_not_approved(home: IamHome, kind: str) -> None:
    change = view(home, ASKED[kind](home)).request
    MOVED[kind](home, change)
    assert view(home, change.id).stale is True
    with pytest.raises(StaleChange):
        home.services.power.changes.approve_change(home.actor(APPROVER[kind]), change.id)
    assert view(home, change.id).request.state == "pending"
    done = home.services.power.changes.reject_change(home.actor(APPROVER[kind]), change.id, "old")
    assert done.state == "rejected"


def test_a_changed_row_of_the_request_itself_is_refused(home: IamHome, kind: str) -> None:
    """Who can write the table changes what is shown; the approval is of another digest."""
    change = ASKED[kind](home)
    for column in ("after", "before", "target"):
        kept = getattr(view(home, change).request, column)
        row = f'UPDATE iam_change_requests SET "{column}"=:value WHERE id=:id'  # noqa: S608 - ours
        write(home, row, "account:x" if column == "target" else '{"roles":["staff"]}', change)
        with pytest.raises(SecopsError):
            home.services.power.changes.approve_change(home.actor(APPROVER[kind]), change)
        write(home, row, kept if column == "target" else orjson.dumps(dict(kept)).decode(), change)
    approved = home.services.power.changes.approve_change(home.actor(APPROVER[kind]), change)
    assert approved.state in ("approved", "applied")


@pytest.mark.parametrize("kind", ["iam.reset_account", "iam.register_client"])
def test_what_is_collected_later_is_still_what_was_approved(home: IamHome, kind: str) -> None:
    change = view(home, ASKED[kind](home)).request
    home.services.power.changes.approve_change(home.actor("security-admin"), change.id)
    MOVED[kind](home, change)
    assert view(home, change.id).stale is True
    collect: Callable[[], object] = {
        "iam.reset_account": lambda: home.services.resets.complete_reset(
            home.actor("system-admin"), change.id
        ),
        "iam.register_client": lambda: home.services.registration.complete_client(
            home.actor("staff"), change.id
        ),
    }[kind]
    with pytest.raises(StaleChange):
        collect()


def test_what_was_collected_is_applied(home: IamHome) -> None:
    reset, client = ask_reset(home), ask_client(home)
    for change in (reset, client):
        home.services.power.changes.approve_change(home.actor("security-admin"), change)
    home.services.registration.complete_client(home.actor("staff"), client)
    home.clock.advance(86_400)
    home.services.resets.complete_reset(home.actor("system-admin"), reset)
    assert [view(home, one).request.state for one in (reset, client)] == ["applied", "applied"]
    assert not any(view(home, one).stale for one in (reset, client))


def test_what_was_approved_and_not_collected_in_time_has_expired(home: IamHome) -> None:
    reset = ask_reset(home)
    home.services.power.changes.approve_change(home.actor("security-admin"), reset)
    home.clock.advance(2 * 86_400)
    assert view(home, reset).request.state == "expired"
    with pytest.raises(NotPending):
        home.services.resets.complete_reset(home.actor("system-admin"), reset)


# what is seen


def test_a_reset_shows_which_factors_go(home: IamHome) -> None:
    seen = changed(view(home, ask_reset(home)))
    assert seen["state"] == ("active", "pending")
    assert seen["factors.totp"] == (1, 0)
    assert seen["password_set_at"][1] is None


def test_an_application_shows_everything_it_would_be_given(home: IamHome) -> None:
    seen = changed(view(home, ask_client(home)))
    assert seen["redirect_uris"] == (None, METADATA["redirect_uris"])
    assert seen["scopes"] == (None, ["openid", "profile"])
    assert seen["authentication"] == (None, "client_secret")
    assert "unknown_member" not in seen


def test_a_provider_shows_each_setting_and_that_its_secret_changes_but_no_secret(
    home: IamHome,
) -> None:
    home.services.power.changes.approve_change(home.actor("security-admin"), ask_upstream(home))
    system = home.actor("system-admin")
    other = oidc_document(client_id="another")
    asked = home.services.upstreams.create_upstream(system, "province", other, "new secret 9f1c")
    seen = view(home, asked)
    fields = changed(seen)
    assert set(fields) == {"settings.client_id", "secret"}
    assert fields["settings.client_id"][1] == "another"
    assert "new secret" not in repr(seen)
    assert SECRET not in repr(seen)


def test_policies_show_the_text_in_force_beside_the_new_one(home: IamHome) -> None:
    first = ask_policies(home)
    assert changed(view(home, first))["policies"] == (None, ANALYSTS)
    home.services.power.changes.approve_change(home.actor("system-admin"), first)
    assert changed(view(home, ask_policies(home))) == {"number": (1, 2)}


def test_lifting_a_lock_shows_whether_anybody_is_free_then(home: IamHome) -> None:
    seen = changed(view(home, ask_lift(home)))
    assert seen == {"lock_state": ("in_force", "lifted"), "subject_free": (False, True)}


def test_a_lock_waits_for_the_last_request_alone(home: IamHome) -> None:
    first = ask_lift(home)
    lock = view(home, first).request.target.removeprefix("lock:")
    second = home.services.protection.locks.ask_to_lift(home.actor("system-admin"), lock, "too")
    assert view(home, first).request.state == "withdrawn"
    with pytest.raises(NotFound):
        home.services.power.changes.approve_change(home.actor("security-admin"), first)
    done = home.services.power.changes.approve_change(home.actor("security-admin"), second)
    assert done.state == "applied"


# the other faces


def test_over_http_the_approver_sees_and_decides_it(home: IamHome, kind: str) -> None:
    browser, change = Browser(home), ASKED[kind](home)
    token = token_for(home, APPROVER[kind])
    seen = body(browser.send(f"GET /api/v1/iam/change-requests/{change}", token=token))
    assert (seen["kind"], seen["may_decide"], seen["stale"]) == (kind, True, False)
    assert seen["differences"]
    assert all(each["before"] != each["after"] for each in seen["differences"])
    answer = browser.send(f"POST /api/v1/iam/change-requests/{change}/approve", {}, token=token)
    assert body(answer)["state"] in ("approved", "applied")


def test_on_the_command_line_too(home: IamHome, kind: str) -> None:
    change = ASKED[kind](home)
    shown = printed(run(home, APPROVER[kind], "show-change", change, "--json"))
    assert (shown["kind"], shown["stale"]) == (kind, False)
    assert shown["differences"]
    listed = printed(run(home, APPROVER[kind], "list-changes", "--json"))["items"]
    assert [item["id"] for item in listed] == [change]
    assert run(home, APPROVER[kind], "approve-change", change).exit_code == 0
