"""Keys in backends: placement, fail-over, wrong answers, traces of objects, draining."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from kms.core.backends.circuit import Circuit
from kms.core.backends.placement import place_key
from kms.errors.backends import (
    BackendDraining,
    BackendNotFound,
    BackendUnavailable,
    BackendUnsupported,
)
from kms.errors.keys import NotExportable, PoolLocked
from kms.models.backends import (
    SOFTWARE,
    BackendOptions,
    BackendSetup,
    KeyWish,
    Offer,
    Placement,
)
from kms.models.keys import KeyRequest
from kms.store.tables.backends import kms_backend_slots
from kms.store.tables.keys import kms_key_versions
from secops.crypto import signatures
from secops.crypto.options import DEFAULT
from secops.kernel.errors import Conflict, Forbidden
from secops.kernel.waiting import MustWait, without_waiting
from tests.fakes.clock import FakeClock
from tests.fakes.key_backend import FakeKeyBackend
from tests.fakes.key_pool import AUDITOR, KEEPER, USER, WHOLE, KeyPool, open_key_pool

MESSAGE = b"a notice of the county"
EAST, WEST = "east", "west"


def fake(name: str, *, group: str = "", centre: str = EAST, preference: int = 1) -> FakeKeyBackend:
    options = BackendOptions(name, "pkcs11", centre, group, preference)
    return FakeKeyBackend(options)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def alone() -> FakeKeyBackend:
    return fake("alone")


@pytest.fixture
def twins() -> tuple[FakeKeyBackend, FakeKeyBackend]:
    return fake("first", group="twins"), fake("second", group="twins", centre=WEST, preference=2)


@pytest.fixture
def pool(
    tmp_path: Path,
    clock: FakeClock,
    alone: FakeKeyBackend,
    twins: tuple[FakeKeyBackend, FakeKeyBackend],
) -> Iterator[KeyPool]:
    rules = (
        Placement(("nowhere",), types=frozenset({"ml-dsa-65"})),
        Placement(("alone", "twins"), orgs=frozenset({"org_other"})),
    )
    devices = (alone, *twins)
    setup = BackendSetup((), rules)
    with open_key_pool(tmp_path, clock=clock, devices=devices, setup=setup) as opened:
        yield opened


def sign(pool: KeyPool, name: str) -> bytes:
    made = pool.services.transit.sign_bytes(USER, name, MESSAGE)
    found = pool.services.transit.verify_bytes(USER, name, MESSAGE, made.signature)
    assert found == made.key_version
    return made.signature


def acts(pool: KeyPool, action: str) -> list[tuple[str, dict[str, Any]]]:
    found = [leaf for leaf in pool.leaves() if leaf["action"] == action]
    return [(leaf["outcome"], leaf["details"]) for leaf in found]


def slots(pool: KeyPool) -> list[Any]:
    with pool.spine.read_engine.begin() as connection:
        return list(connection.execute(select(kms_backend_slots)))


def test_a_key_in_a_backend_signs_there_and_nowhere_else(
    pool: KeyPool, alone: FakeKeyBackend
) -> None:
    pool.create("notices", "ecdsa-p256", USER, backend="alone")
    sign(pool, "notices")
    assert (alone.signatures, len(alone.objects)) == (1, 1)
    loaded = pool.services.keys.get_key(KEEPER, "notices")
    assert (loaded.key.backend, loaded.versions[1].backend) == ("alone", "alone")
    material = next(iter(alone.objects.values()))
    assert material not in loaded.versions[1].wrapped


def test_a_key_in_a_backend_encrypts_there(pool: KeyPool, alone: FakeKeyBackend) -> None:
    pool.create("box", "aes256-gcm96", USER, backend="alone")
    made = pool.services.transit.encrypt(USER, "box", {"plaintext": "aGVsbG8="})
    opened = pool.services.transit.decrypt(USER, "box", {"ciphertext": made.text})
    assert opened.plaintext == b"hello"
    alone.fault = "lie"
    with pytest.raises(BackendUnavailable):
        pool.services.transit.encrypt(USER, "box", {"plaintext": "aGVsbG8="})


def test_material_that_stays_in_a_backend_is_refused_where_it_is_needed_here(
    pool: KeyPool,
) -> None:
    with pytest.raises(BackendUnsupported):
        pool.create("box", "aes256-gcm96", USER, backend="alone", exportable=True)
    pool.create("box", "aes256-gcm96", USER, backend="alone")
    with pytest.raises(BackendUnsupported):
        pool.services.transit.hmac(USER, "box", {"input": "aGVsbG8="})
    pool.create("notices", "ecdsa-p256", USER, backend="alone")
    ring = pool.services.system_keys._ring
    loaded = pool.services.keys.get_key(KEEPER, "notices")
    with pytest.raises(NotExportable):
        _ = ring.private_key(loaded, 1).der


def test_making_an_object_leaves_intent_and_outcome(pool: KeyPool) -> None:
    key_id = pool.create("notices", "ecdsa-p256", backend="alone")
    (intent, done) = acts(pool, "kms.make_object")
    assert [intent[0], done[0]] == ["intent", "done"]
    assert intent[1]["object"] == done[1]["object"]
    assert (done[1]["backend"], done[1]["version"]) == ("alone", 1)
    assert [(row.key_id, row.version, row.state) for row in slots(pool)] == [(key_id, 1, "held")]


def test_a_group_puts_one_key_into_every_member_and_fails_over(
    pool: KeyPool, twins: tuple[FakeKeyBackend, FakeKeyBackend]
) -> None:
    first, second = twins
    pool.create("notices", "ecdsa-p256", USER, backend="twins")
    assert first.objects == second.objects
    sign(pool, "notices")
    assert (first.signatures, second.signatures) == (1, 0)
    first.fault = "gone"
    sign(pool, "notices")
    sign(pool, "notices")
    assert (first.signatures, second.signatures) == (1, 2)


def test_a_backend_that_fell_out_gets_work_again_after_a_check(
    pool: KeyPool, clock: FakeClock, twins: tuple[FakeKeyBackend, FakeKeyBackend]
) -> None:
    first, second = twins
    pool.create("notices", "ecdsa-p256", USER, backend="twins")
    first.fault = "gone"
    sign(pool, "notices")
    first.fault, before = "", first.checks
    sign(pool, "notices")
    assert (first.checks, first.signatures) == (before, 0)  # left alone for a second
    clock.advance(1.1)
    sign(pool, "notices")
    assert (first.checks, first.signatures) == (before + 1, 1)
    assert second.signatures == 2
    outcomes = [(outcome, each["failure"]) for outcome, each in acts(pool, "kms.check_backend")]
    assert outcomes[-2:] == [("failed", "kms.backend_fault"), ("done", "")]


@pytest.mark.parametrize("fault", ["lie", "babble"])
def test_a_wrong_signature_never_leaves_and_condemns_its_backend(
    pool: KeyPool, twins: tuple[FakeKeyBackend, FakeKeyBackend], fault: str
) -> None:
    first, second = twins
    pool.create("notices", "ecdsa-p256", USER, backend="twins")
    first.fault = fault
    for _ in range(5):
        sign(pool, "notices")
    assert (first.signatures, second.signatures) == (1, 5)
    second.fault = fault
    with pytest.raises(BackendUnavailable):
        sign(pool, "notices")
    codes = [
        each["failure"] for outcome, each in acts(pool, "kms.check_backend") if outcome != "done"
    ]
    assert codes == ["kms.backend_wrong_answer"] * 2


@pytest.mark.parametrize("fault", ["gone", "hang", "lie", "babble"])
def test_where_no_member_is_left_the_caller_gets_503(
    pool: KeyPool, alone: FakeKeyBackend, fault: str
) -> None:
    pool.create("notices", "ecdsa-p256", USER, backend="alone")
    alone.fault = fault
    with pytest.raises(BackendUnavailable) as caught:
        sign(pool, "notices")
    assert caught.value.status == 503


def test_a_locked_pool_signs_nothing_in_a_backend(pool: KeyPool) -> None:
    pool.create("notices", "ecdsa-p256", USER, backend="alone")
    pool.services.pool.lock(WHOLE)
    with pytest.raises(PoolLocked):
        sign(pool, "notices")


def test_a_group_makes_no_key_that_a_member_would_lack(
    pool: KeyPool, twins: tuple[FakeKeyBackend, FakeKeyBackend]
) -> None:
    twins[1].fault = "gone"
    with pytest.raises(BackendUnavailable):
        pool.create("notices", "ecdsa-p256", backend="twins")
    assert (twins[0].objects, twins[1].objects) == ({}, {})


def test_an_object_made_for_a_key_that_came_to_nothing_is_erased_and_named(
    pool: KeyPool, clock: FakeClock, alone: FakeKeyBackend
) -> None:
    alone.fault = "gone at afterwards"
    with pytest.raises(BackendUnavailable):
        pool.create("notices", "ecdsa-p256", backend="alone")
    assert len(alone.objects) == 1
    alone.fault = ""
    clock.advance(2)
    pool.services.backend_control.sweep_objects()
    assert (alone.objects, slots(pool)) == ({}, [])
    assert [outcome for outcome, _ in acts(pool, "kms.make_object")] == ["intent", "failed"]
    assert [(outcome, each["found"]) for outcome, each in acts(pool, "kms.destroy_object")] == [
        ("done", True)
    ]


def test_a_call_without_outcome_is_closed_as_unknown_by_name_and_its_object_erased(
    pool: KeyPool, clock: FakeClock, alone: FakeKeyBackend
) -> None:
    """A process that was killed between the device's answer and the key's row."""
    maker = pool.services.keys._maker
    key = maker.new_key("org_town", KeyRequest("notices", "ecdsa-p256", backend="alone"))
    maker.new_version(key, 1)
    sweep = pool.services.backend_control.sweep_objects
    sweep()
    assert len(alone.objects) == 1  # it may still be at work
    clock.advance(121)
    alone.fault = "gone"
    sweep()
    unknown = [each for each in acts(pool, "kms.make_object") if each[0] == "unknown"]
    assert [(each["backend"], each["version"]) for _, each in unknown] == [("alone", 1)]
    assert [row.state for row in slots(pool)] == ["unknown"]
    alone.fault = ""
    clock.advance(2)
    sweep()
    assert (alone.objects, slots(pool)) == ({}, [])


def test_a_version_that_took_too_long_is_not_entered(
    pool: KeyPool, clock: FakeClock, alone: FakeKeyBackend
) -> None:
    maker = pool.services.keys._maker
    key = maker.new_key("org_town", KeyRequest("notices", "ecdsa-p256", backend="alone"))
    version = maker.new_version(key, 1)
    clock.advance(121)
    pool.services.backend_control.sweep_objects()
    with pytest.raises(Conflict):
        pool.spine.parts.transactions.run(lambda tx: maker.insert(tx, key, version))
    assert alone.objects == {}


def test_an_object_goes_with_the_version_that_led_to_it(
    pool: KeyPool, clock: FakeClock, alone: FakeKeyBackend
) -> None:
    key_id = pool.create("notices", "ecdsa-p256", USER, backend="alone")
    pool.services.keys.rotate_key(KEEPER, "notices")
    assert len(alone.objects) == 2
    table = kms_key_versions
    pool.change(delete(table).where(table.c.key_id == key_id, table.c.version == 1))
    alone.fault = "gone"
    pool.services.backend_control.sweep_objects()
    assert len(alone.objects) == 2
    alone.fault = ""
    clock.advance(2)
    pool.services.backend_control.sweep_objects()
    assert len(alone.objects) == 1
    assert [(row.version, row.state) for row in slots(pool)] == [(2, "held")]
    outcomes = [(outcome, each["version"]) for outcome, each in acts(pool, "kms.destroy_object")]
    assert outcomes == [("intent", 1), ("done", 1)]


def test_a_drained_backend_takes_no_new_keys_and_rotation_moves_a_key(
    pool: KeyPool, clock: FakeClock, alone: FakeKeyBackend
) -> None:
    pool.create("notices", "ecdsa-p256", USER, backend="alone")
    control = pool.services.backend_control
    control.drain_backend(WHOLE, "alone")
    with pytest.raises(BackendDraining):
        pool.create("others", "ecdsa-p256", backend="alone")
    sign(pool, "notices")  # what it holds goes on working
    with pytest.raises(BackendDraining):  # not into software in silence
        pool.services.keys.rotate_key(KEEPER, "notices")
    moved = pool.services.keys.rotate_key(KEEPER, "notices", backend="twins")
    assert {number: row.backend for number, row in moved.versions.items()} == {
        1: "alone",
        2: "twins",
    }
    clock.advance(1.1)
    sign(pool, "notices")
    assert alone.signatures == 1
    with pytest.raises(Conflict):
        control.drain_backend(WHOLE, "alone")
    control.resume_backend(WHOLE, "alone")
    back = pool.services.keys.rotate_key(KEEPER, "notices", backend="alone")
    assert back.versions[3].backend == "alone"
    assert [leaf["action"] for leaf in pool.leaves() if "_backend" in leaf["action"]][-1] == (
        "kms.resume_backend"
    )


def test_only_the_security_administrator_drains_and_auditors_see(pool: KeyPool) -> None:
    control = pool.services.backend_control
    for attempt in (
        lambda: control.drain_backend(AUDITOR, "alone"),
        lambda: control.resume_backend(USER, "alone"),
        lambda: control.list_backends(USER),
    ):
        with pytest.raises(Forbidden):
            attempt()
    with pytest.raises(BackendNotFound):
        control.drain_backend(WHOLE, "nothing")
    assert [each.name for each in control.list_backends(AUDITOR)] == ["alone", "first", "second"]


def test_the_list_says_how_each_backend_fares(
    pool: KeyPool, twins: tuple[FakeKeyBackend, FakeKeyBackend]
) -> None:
    pool.create("notices", "ecdsa-p256", USER, backend="twins")
    twins[0].fault = "gone"
    sign(pool, "notices")
    pool.services.backend_control.drain_backend(WHOLE, "second")
    alone, first, second = pool.services.backend_control.list_backends(KEEPER)
    assert (alone.healthy, alone.keys, alone.calls) == (True, {}, 0)
    assert (first.healthy, first.failure) == (False, "kms.backend_fault")
    assert (second.healthy, second.draining, second.centre) == (True, True, WEST)
    assert first.keys == second.keys == {"ecdsa-p256": 1}
    assert (second.failures, first.failures) == (0, 1)
    assert second.rate > 0


def test_scheduled_rotation_passes_over_a_key_whose_device_is_away(
    pool: KeyPool, clock: FakeClock, alone: FakeKeyBackend
) -> None:
    for name, backend in (("away", "alone"), ("here", "software")):
        pool.create(name, "ecdsa-p256", backend=backend, auto_rotate_period=3_600)
    clock.advance(3_700)
    alone.fault = "gone"
    for _ in range(3):
        pool.services.key_rotation.rotate_due_keys()
    versions = {
        name: pool.services.keys.get_key(KEEPER, name).key.latest_version
        for name in ("away", "here")
    }
    assert versions == {"away": 1, "here": 2}
    # known to be away, it is not asked: one failure, then nothing
    assert [outcome for outcome, _ in acts(pool, "kms.make_object")].count("failed") <= 1
    alone.fault = ""
    clock.advance(120)
    pool.services.key_rotation.rotate_due_keys()
    assert pool.services.keys.get_key(KEEPER, "away").key.latest_version == 2


def test_a_thread_that_serves_many_never_waits_for_a_device(
    pool: KeyPool, alone: FakeKeyBackend
) -> None:
    pool.create("notices", "ecdsa-p256", USER, backend="alone")
    loaded = pool.services.keys.get_key(KEEPER, "notices")
    key = pool.services.system_keys._ring.private_key(loaded, 1)
    with pytest.raises(MustWait):
        without_waiting(lambda: key.sign(MESSAGE, DEFAULT))
    assert alone.signatures == 0
    key.public_key.verify(key.sign(MESSAGE, DEFAULT), MESSAGE, DEFAULT)


def test_every_backend_is_checked_hourly_whether_it_is_used_or_not(
    pool: KeyPool, clock: FakeClock, alone: FakeKeyBackend
) -> None:
    check = pool.services.backend_control.check_backends
    check()
    check()
    first = alone.checks
    clock.advance(3_601)
    alone.fault = "gone"
    check()
    assert alone.checks == first + 1
    failed = [each for outcome, each in acts(pool, "kms.check_backend") if outcome == "failed"]
    assert failed[-1] == {"failure": "kms.backend_fault"}


def test_a_key_whose_backend_is_not_configured_answers_503(
    tmp_path: Path, alone: FakeKeyBackend
) -> None:
    with open_key_pool(tmp_path, devices=(alone,)) as pool:
        pool.create("notices", "ecdsa-p256", USER, backend="alone")
    with open_key_pool(tmp_path, devices=()) as pool, pytest.raises(BackendUnavailable):
        sign(pool, "notices")


def test_moving_a_versions_row_to_another_backend_is_noticed(pool: KeyPool) -> None:
    pool.create("notices", "ecdsa-p256", USER, backend="alone")
    pool.change(kms_key_versions.update().values(backend="twins"))
    from kms.errors.keys import MaterialTampered  # noqa: PLC0415 - beside what it is about

    with pytest.raises(MaterialTampered):
        pool.services.keys.rotate_key(KEEPER, "notices")


def wish(key_type: str = "ecdsa-p256", **other: str) -> KeyWish:
    return KeyWish(key_type, key_type, **({"mount": "transit", "org_id": "org"} | other))


def test_the_first_rule_that_fits_decides() -> None:
    offers = {
        "tokens": Offer(frozenset({"ecdsa-p256"}), frozenset({EAST})),
        "machines": Offer(frozenset({"sm2"}), frozenset({WEST})),
        "full": Offer(frozenset({"sm2"}), draining=True),
    }
    rules = (
        Placement(("full", "machines"), types=frozenset({"sm2"}), centre=WEST),
        Placement(("tokens",), mounts=frozenset({"finance"})),
        Placement(("full",), orgs=frozenset({"org_2"})),
    )
    assert place_key(wish("sm2"), rules, offers) == "machines"
    assert place_key(wish(mount="finance"), rules, offers) == "tokens"
    assert place_key(wish(), rules, offers) == SOFTWARE
    assert place_key(wish(), (), {}) == SOFTWARE
    with pytest.raises(BackendUnsupported):
        place_key(wish(org_id="org_2"), rules, offers)
    with pytest.raises(BackendDraining):
        place_key(wish("sm2"), (Placement(("full",)),), offers)
    with pytest.raises(BackendNotFound):
        place_key(wish("sm2"), (Placement(("machines",), centre=EAST),), offers)
    with pytest.raises(BackendNotFound):
        place_key(wish("sm2"), (Placement(()),), offers)


def test_the_products_own_keys_go_into_a_device_only_by_name(
    tmp_path: Path, alone: FakeKeyBackend
) -> None:
    offers = {"alone": Offer(frozenset({"ecdsa-p256"}))}
    everything = Placement(("alone",))
    assert place_key(wish(mount="system"), (everything,), offers) == SOFTWARE
    rule = Placement(("alone",), mounts=frozenset({"system"}))
    setup = BackendSetup((), (rule,))
    with open_key_pool(tmp_path, devices=(alone,), setup=setup) as pool:
        signer = pool.services.system_keys.signer("seal", "ecdsa-p256")
        signature = signer.sign(MESSAGE)
        key = signatures.public_key("ecdsa-p256", signer.public_key_der)
        key.verify(signature, MESSAGE, DEFAULT)
        box = pool.services.system_keys.box("box")
        assert box.open(box.seal(b"m", b""), b"") == b"m"
        assert (alone.signatures, len(alone.objects)) == (1, 1)
        alone.fault = "gone"
        with pytest.raises(BackendUnavailable):
            signer.sign(MESSAGE)


def test_a_circuit_waits_longer_with_each_failure_and_asks_for_a_check() -> None:
    circuit = Circuit()
    assert circuit.readiness(0) == "check"
    circuit = circuit.checked()
    assert circuit.readiness(0) == "ready"
    pauses = []
    for _ in range(8):
        circuit = circuit.failed(100, "code")
        pauses.append(circuit.until - 100)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [circuit.readiness(159), circuit.readiness(160)] == ["wait", "check"]
    assert circuit.checked().failed(200, "code").until == 260
    assert circuit.checked().worked() == Circuit(suspected=False)
