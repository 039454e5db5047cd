"""三员分立 as data: who administers, who gives rights, who judges (GB/T 22239-2019 §8.1.5)."""

from __future__ import annotations

from itertools import combinations

import pytest

from secops.kernel.permissions import GRANTS, ROLES, permissions_of
from secops.kernel.permissions.clauses import AUDIT, SECURITY, SYSTEM, clauses_of
from secops.kernel.permissions.roles import (
    ADMINISTRATORS,
    AUDIT_ADMIN,
    AUDITOR,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    grant,
)

READS = ("read", "read_all", "see", "use")
RESTRICTS = frozenset(
    {
        "iam.account.lock",
        "iam.session.revoke",
        "iam.lock.set",
        "iam.device.revoke",
    }
)
"""What takes away and never gives may be several people's."""
SHARED = frozenset(
    {
        "iam.role.request",
        "iam.privilege.request",
        "iam.emergency.approve",
        "iam.policy.approve",
        "iam.lock.lift",
        "iam.lock_lift.approve",
        "audits.waiver.request",
        "audits.rectification.prove",
    }
)
"""Each of these takes a second person who is not the first: asking alone gives nothing."""


def test_no_role_holds_everything_and_none_holds_two_sides() -> None:
    every = {each.permission for each in GRANTS}
    for role in ROLES:
        held = permissions_of(frozenset({role}))
        assert held < every
    for together in combinations(sorted(ADMINISTRATORS), 2):
        assert permissions_of(frozenset(together)) < every


@pytest.mark.parametrize(("one", "other"), list(combinations(sorted(ADMINISTRATORS), 2)))
def test_two_administrators_share_reading_and_taking_away_alone(one: str, other: str) -> None:
    both = permissions_of(frozenset({one})) & permissions_of(frozenset({other}))
    giving = {
        name
        for name in both
        if name.rpartition(".")[2] not in READS and name not in RESTRICTS and name not in SHARED
    }
    assert giving == set()


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("iam.account.create", SYSTEM_ADMIN),
        ("iam.organisation.change", SYSTEM_ADMIN),
        ("iam.role.assign", SECURITY_ADMIN),
        ("iam.reset.approve", SECURITY_ADMIN),
        ("kms.key.create", SECURITY_ADMIN),
        ("iam.auditor.assign", AUDIT_ADMIN),
    ],
)
def test_who_administers_never_gives_rights_and_the_other_way_round(
    permission: str, role: str
) -> None:
    (found,) = [each for each in GRANTS if each.permission == permission]
    assert found.roles == {role}


def test_asking_and_approving_are_never_one_administrators() -> None:
    pairs = (
        ("iam.account.reset", "iam.reset.approve"),
        ("iam.client.request", "iam.client.approve"),
        ("iam.upstream.configure", "iam.upstream.approve"),
    )
    roles = {str(each.permission): each.roles for each in GRANTS}
    for ask, approve in pairs:
        if ask in roles:
            assert roles[ask].isdisjoint(roles[approve]), (ask, approve)


def test_clauses_follow_who_holds_a_permission() -> None:
    assert clauses_of(grant("a.b", "x", "x", SYSTEM_ADMIN)) == (SYSTEM,)
    assert clauses_of(grant("a.b", "x", "x", AUDITOR, SECURITY_ADMIN)) == (AUDIT, SECURITY)
    assert clauses_of(grant("a.b", "x", "x", "staff")) == ()
    used = {clause for each in GRANTS for clause in clauses_of(each)}
    assert used == {SYSTEM, AUDIT, SECURITY}
