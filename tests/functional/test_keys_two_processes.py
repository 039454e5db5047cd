"""What is taken away in one process holds in another within a second; prints how long it took."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kms.errors.keys import KeyNotGranted, KeyPendingDestruction, KeySuspended, PoolLocked
from secops.kernel.clock import SystemClock
from secops.kernel.errors import SecopsError
from tests.fakes.key_pool import KEEPER, USER, WHOLE, KeyPool, open_key_pool

INPUT = {"input": base64.b64encode(b"hello").decode()}
DEADLINE = 1.0


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[KeyPool, KeyPool]]:
    with (
        open_key_pool(tmp_path, clock=SystemClock()) as first,
        open_key_pool(tmp_path, clock=SystemClock()) as second,
    ):
        yield first, second


def seconds_until_refused(use: Callable[[], object], by: type[SecopsError]) -> float:
    """Use again and again until it is refused; fails after ten seconds."""
    started = time.monotonic()
    while time.monotonic() - started < 10:
        try:
            use()
        except by:
            return time.monotonic() - started
    pytest.fail("it was never refused")


@pytest.mark.parametrize(
    ("act", "refusal"),
    [
        ("suspend", KeySuspended),
        ("destroy", KeySuspended),
        ("revoke grant", KeyNotGranted),
        ("lock the pool", PoolLocked),
    ],
)
def test_what_is_taken_away_here_is_refused_there_within_a_second(
    pair: tuple[KeyPool, KeyPool], act: str, refusal: type[SecopsError]
) -> None:
    here, there = pair
    here.create("k", "ecdsa-p256", USER)
    here.services.keys.configure_key(KEEPER, "k", {"deletion_allowed": True})

    def use() -> None:
        try:
            there.services.transit.sign(USER, "k", INPUT)
        except KeyPendingDestruction as error:
            raise KeySuspended from error

    use()
    control = here.services.key_control
    {
        "suspend": lambda: control.suspend_key(KEEPER, "k", reason="risk"),
        "destroy": lambda: here.services.key_destruction.destroy_key(KEEPER, "k"),
        "revoke grant": lambda: control.revoke_key_grant(KEEPER, "k", USER.id),
        "lock the pool": lambda: here.services.pool.lock(WHOLE),
    }[act]()
    spent = seconds_until_refused(use, refusal)
    print(f"{act}: refused after {spent:.3f} s")
    assert spent <= DEADLINE + 0.25


def test_a_rotation_here_signs_there_with_the_new_version_within_a_second(
    pair: tuple[KeyPool, KeyPool],
) -> None:
    here, there = pair
    here.create("k", "ed25519", USER)
    assert there.services.transit.sign(USER, "k", INPUT).key_version == 1
    here.services.keys.rotate_key(KEEPER, "k")
    started = time.monotonic()
    while there.services.transit.sign(USER, "k", INPUT).key_version != 2:
        assert time.monotonic() - started < DEADLINE + 0.25
