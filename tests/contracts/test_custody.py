"""What every custody of the root key promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kms.adapters.custody.software import SoftwareCustody
from kms.errors.keys import MaterialTampered, PoolLocked, WrongPassphrase
from kms.ports.keys import Custody
from tests.fakes.custody import FakeCustody
from tests.fakes.key_pool import FAST
from tests.fakes.randomness import FakeRandomness

Make = Callable[[], Custody]
PASSPHRASE = b"correct horse battery"
HANDOVER = b"h" * 32


@pytest.fixture(
    params=[
        lambda: SoftwareCustody("intl", FakeRandomness(), FAST),
        lambda: SoftwareCustody("gm", FakeRandomness(), FAST),
        FakeCustody,
    ],
    ids=["software intl", "software gm", "fake"],
)
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def test_a_new_custody_is_locked_and_does_nothing(make: Make) -> None:
    custody = make()
    assert not custody.is_unlocked
    for attempt in (
        lambda: custody.wrap(b"m", b"c"),
        lambda: custody.unwrap(b"w" * 64, b"c"),
        lambda: custody.authenticate(b"r"),
        lambda: custody.hand_over(HANDOVER),
    ):
        with pytest.raises(PoolLocked):
            attempt()


def test_what_was_wrapped_unwraps_after_unlocking_elsewhere(make: Make) -> None:
    first, second = make(), make()
    envelope = first.create_root(PASSPHRASE)
    wrapped = first.wrap(b"material", b"context")
    second.unlock(envelope, PASSPHRASE)
    assert second.unwrap(wrapped, b"context") == b"material"
    assert second.authenticate(b"record") == first.authenticate(b"record")


def test_a_wrong_passphrase_unlocks_nothing(make: Make) -> None:
    envelope = make().create_root(PASSPHRASE)
    custody = make()
    for wrong in (b"", PASSPHRASE + b" ", b"another"):
        with pytest.raises(WrongPassphrase):
            custody.unlock(envelope, wrong)
    assert not custody.is_unlocked


def test_a_changed_envelope_unlocks_nothing(make: Make) -> None:
    envelope = make().create_root(PASSPHRASE)
    custody = make()
    for bad in (b"", b"{}", b"[]", envelope[:-3], envelope.replace(b"argon2id", b"argon2ie")):
        if bad == envelope:
            continue
        with pytest.raises((MaterialTampered, WrongPassphrase)):
            custody.unlock(bad, PASSPHRASE)
    assert not custody.is_unlocked


def test_a_locked_custody_has_forgotten_the_root(make: Make) -> None:
    custody = make()
    custody.create_root(PASSPHRASE)
    custody.lock()
    custody.lock()
    assert not custody.is_unlocked
    with pytest.raises(PoolLocked):
        custody.wrap(b"m", b"c")


def test_the_context_and_every_byte_are_bound(make: Make) -> None:
    custody = make()
    custody.create_root(PASSPHRASE)
    wrapped = custody.wrap(b"material", b"context")
    with pytest.raises(MaterialTampered):
        custody.unwrap(wrapped, b"contexu")
    for place in range(len(wrapped)):
        changed = wrapped[:place] + bytes((wrapped[place] ^ 1,)) + wrapped[place + 1 :]
        with pytest.raises(MaterialTampered):
            custody.unwrap(changed, b"context")


def test_the_same_material_never_wraps_to_the_same_bytes(make: Make) -> None:
    custody = make()
    custody.create_root(PASSPHRASE)
    assert custody.wrap(b"m", b"c") != custody.wrap(b"m", b"c")


def test_a_handover_opens_only_with_its_key(make: Make) -> None:
    first, second = make(), make()
    first.create_root(PASSPHRASE)
    handover = first.hand_over(HANDOVER)
    with pytest.raises(MaterialTampered):
        second.take_over(handover, b"x" * 32)
    with pytest.raises(MaterialTampered):
        second.take_over(handover[:-1], HANDOVER)
    assert not second.is_unlocked
    second.take_over(handover, HANDOVER)
    assert second.authenticate(b"r") == first.authenticate(b"r")


PLAN = {"set": "ab", "threshold": 2}


def test_a_new_envelope_holds_the_same_root_and_opens_by_the_new_secret_alone(make: Make) -> None:
    first = make()
    old = first.create_root(PASSPHRASE)
    for secret, plan in ((b"s" * 32, PLAN), (b"another passphrase", None)):
        new = first.reseal(secret, plan)
        assert first.plan_of(new) == plan
        second = make()
        with pytest.raises(WrongPassphrase):
            second.unlock(new, PASSPHRASE)
        second.unlock(new, secret)
        assert second.authenticate(b"record") == first.authenticate(b"record")
    assert first.plan_of(old) is None


def test_a_plan_is_bound_to_its_envelope(make: Make) -> None:
    custody = make()
    custody.create_root(PASSPHRASE)
    shared = custody.reseal(b"s" * 32, PLAN)
    with pytest.raises(WrongPassphrase):
        make().unlock(shared.replace(b'"threshold":2', b'"threshold":1'), b"s" * 32)


def test_a_locked_custody_seals_no_envelope(make: Make) -> None:
    with pytest.raises(PoolLocked):
        make().reseal(PASSPHRASE)
