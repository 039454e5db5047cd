"""Containment: the fake and the planes' own behave alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import pytest

from iam.models.clients import NewClient
from kms.service.containment import KmsContainment, build_containment
from kms.store.holds import SqlHoldStore
from playbooks.ports import Containment, Order, RestrainedKind
from secops.bridges.containment import PlaneContainment, Shield
from secops.kernel.actors import ROOT_ORG
from secops.kernel.errors import Invalid
from tests.fakes.containment import FakeContainment
from tests.fakes.iam_home import open_iam_home
from tests.fakes.key_pool import KEEPER, ORG, KeyPool, open_key_pool
from tests.fakes.seal_registry import build

ORDER = Order(
    org_id=ROOT_ORG,
    run_id="run_1",
    incident_id="inc_1",
    key="00",
    requester_id="acc_a",
    approver_id="acc_b",
    reason="contract",
    timeout_ms=1_000,
)
KINDS: tuple[RestrainedKind, ...] = ("account", "step-up", "client", "address", "key", "seal")
_NUMBERS = count()


@dataclass
class Subject:
    """The port, what it knows of each kind, an account with two sessions, a protected one."""

    port: Containment
    names: dict[RestrainedKind, str]
    name: str
    protected: str

    def order(self, kind: RestrainedKind) -> Order:
        """Return an order that was never given before."""
        org = ORG if kind == "key" and not isinstance(self.port, FakeContainment) else ROOT_ORG
        return replace(ORDER, org_id=org, key=f"order-{next(_NUMBERS)}")

    def look(self, kind: RestrainedKind) -> tuple[bool, int]:
        """Tell whether the subject is held, and by how many orders."""
        org = self.order(kind).org_id
        seen = self.port.look(kind, org, self.names[kind])
        assert seen is not None
        return seen.held, len(seen.holders)

    def id_of(self, kind: RestrainedKind) -> str:
        seen = self.port.look(kind, self.order(kind).org_id, self.names[kind])
        assert seen is not None
        return seen.id


def _fake() -> Subject:
    fake = FakeContainment()
    fake.add("acc_1", "analyst", sessions=2)
    fake.add("acc_2", "security-admin", protected="the last one")
    fake.add("acc_3", "system-admin")
    names: dict[RestrainedKind, str] = {"account": "system-admin", "step-up": "analyst"}
    for kind in KINDS[2:]:
        fake.subject(kind, f"{kind}_1", f"the {kind}")
        names[kind] = f"the {kind}"
    return Subject(fake, names, "analyst", "security-admin")


@pytest.fixture(params=["fake", "planes"], scope="module")
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    if request.param == "fake":
        yield _fake()
        return
    folder = tmp_path_factory.mktemp("contained")
    for name in ("iam", "seals"):
        (folder / name).mkdir()
    home = open_iam_home(folder / "iam")
    home.sign_in("analyst")
    home.clock.advance(60)  # a TOTP code is taken once
    home.sign_in("analyst")
    home.services.clients.create_client(home.actor("system-admin"), NewClient("shipper", "Shipper"))
    world = build(folder / "seals")
    with open_key_pool(folder / "keys") as pool:
        yield Subject(
            PlaneContainment(home.services.containment, _kms(pool, world), Shield()),
            {
                "account": "staff",
                "step-up": "analyst",
                "client": "shipper",
                "address": "203.0.113.9",
                "key": "letters",
                "seal": world.make().id,
            },
            "analyst",
            "security-admin",
        )
    world.spine.close()
    home.close()


def _kms(pool: KeyPool, world: object) -> KmsContainment:
    pool.create("letters", "aes256-gcm96", KEEPER)
    seals = build_containment(world.parts, None, None, SqlHoldStore()).seals  # type: ignore[attr-defined, arg-type]
    return KmsContainment(pool.services.containment.keys, seals)


def account_id(subject: Subject) -> str:
    found = subject.port.look("account", ROOT_ORG, subject.name)
    assert found is not None
    return found.id


def test_an_account_is_found_by_name_and_id_and_unknown_ones_are_none(subject: Subject) -> None:
    by_name = subject.port.look("account", ROOT_ORG, subject.name)
    assert by_name is not None
    assert by_name == subject.port.look("account", ROOT_ORG, by_name.id)
    assert (by_name.name, by_name.held, by_name.protected) == ("analyst", False, "")
    assert subject.port.look("account", ROOT_ORG, "nobody") is None


def test_the_last_security_administrator_is_protected(subject: Subject) -> None:
    found = subject.port.look("account", ROOT_ORG, subject.protected)
    assert found is not None
    assert found.protected


def test_sessions_end_once_and_again_changes_nothing(subject: Subject) -> None:
    account = account_id(subject)
    assert len(subject.port.sessions_of(account)) == 2
    assert subject.port.revoke_sessions(account, ORDER) == 2
    assert list(subject.port.sessions_of(account)) == []
    assert subject.port.revoke_sessions(account, ORDER) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_is_found_by_name_and_id_and_is_free(
    subject: Subject, kind: RestrainedKind
) -> None:
    org = subject.order(kind).org_id
    by_name = subject.port.look(kind, org, subject.names[kind])
    assert by_name is not None
    by_id = subject.port.look(kind, org, by_name.id)
    assert by_id is not None
    assert (by_id.id, by_id.held, by_id.holders, by_id.protected) == (by_name.id, False, (), "")
    nobody = "198.51.100.1" if kind == "address" else "nobody-of-this-name"
    unknown = subject.port.look(kind, org, nobody)
    assert unknown is None or kind == "address"  # every address can be blocked


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_has_one_effect_and_its_undoing_frees_the_subject(
    subject: Subject, kind: RestrainedKind
) -> None:
    port, target, order = subject.port, subject.id_of(kind), subject.order(kind)
    undo = replace(subject.order(kind), undoes=order.key)
    for _ in range(2):
        port.restrain(kind, target, order)
        assert subject.look(kind) == (True, 1)
        assert port.is_in_force(kind, target, order.key)
    for _ in range(2):
        port.give_back(kind, target, undo)
        assert subject.look(kind) == (False, 0)
        assert not port.is_in_force(kind, target, order.key)
    port.restrain(kind, target, order)  # repeated by a runner that was dead in between
    assert subject.look(kind) == (False, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_undoing_lifts_what_its_own_order_took_and_nothing_else(
    subject: Subject, kind: RestrainedKind
) -> None:
    port, target = subject.port, subject.id_of(kind)
    first, second = subject.order(kind), subject.order(kind)
    port.restrain(kind, target, first)
    port.restrain(kind, target, second)
    port.give_back(kind, target, replace(subject.order(kind), undoes="an order that took nothing"))
    assert subject.look(kind) == (True, 2)
    port.give_back(kind, target, replace(subject.order(kind), undoes=first.key))
    assert subject.look(kind) == (True, 1)
    port.give_back(kind, target, replace(subject.order(kind), undoes=second.key))
    assert subject.look(kind) == (False, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_giving_back_alone_lifts_all_that_was_ordered(
    subject: Subject, kind: RestrainedKind
) -> None:
    port, target = subject.port, subject.id_of(kind)
    port.restrain(kind, target, subject.order(kind))
    port.restrain(kind, target, subject.order(kind))
    port.give_back(kind, target, subject.order(kind))
    assert subject.look(kind) == (False, 0)


def test_a_token_is_ended_for_good_by_its_name(subject: Subject) -> None:
    name = "0123456789abcdef0123456789abcdef"
    assert not subject.port.is_token_revoked(name)
    for _ in range(2):
        subject.port.revoke_token(name, ORDER)
        assert subject.port.is_token_revoked(name)


@pytest.mark.parametrize("name", ["", "short", "secret:portal:1700000000000000", "a.b.c", "x" * 65])
def test_what_names_no_token_ends_nothing(subject: Subject, name: str) -> None:
    with pytest.raises(Invalid):
        subject.port.revoke_token(name, ORDER)
