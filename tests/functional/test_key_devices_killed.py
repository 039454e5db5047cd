"""Processes are killed while they make keys in a token: no key is lost, no object is left."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from kms.adapters.backends.pkcs11 import Pkcs11Backend
from kms.models.backends import LABEL, MadeObject, NewObject
from kms.ports.backends import KeyBackend
from kms.store.tables.backends import kms_backend_slots
from secops.kernel.ids import SystemRandomness
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, USER, KeyPool, open_key_pool
from tests.services.softhsm import Tokens, tokens

__all__ = ["tokens"]

ROUNDS = 4
MESSAGE = b"a notice of the county"


@pytest.fixture
def token(tokens: Tokens) -> Iterator[Pkcs11Backend]:
    made = tokens.backend()
    yield made
    made.close()


class DeadlyBackend(Pkcs11Backend):
    """Kills its process when the device has made an object and nobody knows yet."""

    left = 5

    def generate(self, wish: NewObject, material: bytes | None = None) -> MadeObject:
        made = super().generate(wish, material)
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        return made


def make_keys(home: Path, clock: FakeClock, token: KeyBackend, number: int, tell: int) -> None:
    with open_key_pool(home, clock=clock, devices=(token,)) as pool:
        for count in range(1_000):
            name = f"k{number}-{count}"
            pool.create(name, "ecdsa-p256", USER, backend=token.options.name)
            pool.services.keys.rotate_key(KEEPER, name)
            os.write(tell, f"{name}\n".encode())


def killed(home: Path, clock: FakeClock, token: Pkcs11Backend, number: int) -> list[str]:
    """Let a process make keys until it is killed, and return what it said it had made.

    In odd rounds that is between the device's answer and the key's row, else anywhere.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process, and it is killed
        try:
            deadly = DeadlyBackend(token.options, SystemRandomness())
            make_keys(home, clock, deadly if number % 2 else token, number, write)
        finally:
            os._exit(1)
    os.close(write)
    chance, said = random.Random(number), b""  # noqa: S311 - a test's
    with os.fdopen(read, "rb") as stream:
        if number % 2 == 0:
            for _ in range(chance.randint(1, 3)):
                said += stream.readline()
            for _ in range(chance.randint(0, 400_000)):
                pass  # somewhere within the next key's two versions
            os.kill(child, signal.SIGKILL)
        said += stream.read()
        os.waitpid(child, 0)
    return said.decode().splitlines()


def labels(token: Pkcs11Backend) -> set[str]:
    from pkcs11 import Attribute, ObjectClass  # noqa: PLC0415 - where SoftHSM2 is present

    token.check()  # other tests may have begun the library before this token was made
    with token._sessions.session() as session:
        found = session.session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        return {each.label for each in found if each.label.startswith(LABEL)}


def states(pool: KeyPool) -> dict[str, str]:
    with pool.spine.read_engine.begin() as connection:
        rows = connection.execute(select(kms_backend_slots))
        return {LABEL + row.id: row.state for row in rows}


def test_no_key_is_lost_and_no_object_left_whenever_a_process_is_killed(
    tmp_path: Path, token: Pkcs11Backend
) -> None:
    clock, answered = FakeClock(), []
    with open_key_pool(tmp_path, clock=clock, devices=(token,)):
        pass
    for number in range(ROUNDS):
        answered += killed(tmp_path, clock, token, number)
        clock.advance(121)
    with open_key_pool(tmp_path, clock=clock, devices=(token,)) as pool:
        open_before = [name for name, state in states(pool).items() if state == "intent"]
        assert len(open_before) >= ROUNDS // 2
        orphans = labels(token) & set(open_before)
        assert len(orphans) >= ROUNDS // 2
        pool.services.backend_control.sweep_objects()
        leaves = [leaf for leaf in pool.leaves() if leaf["action"] == "kms.make_object"]
        unknown = [
            LABEL + leaf["details"]["object"] for leaf in leaves if leaf["outcome"] == "unknown"
        ]
        assert sorted(unknown) == sorted(open_before)
        assert set(states(pool).values()) == {"held"}
        assert labels(token) == set(states(pool))
        assert len(answered) >= ROUNDS
        for name in answered:
            made = pool.services.transit.sign_bytes(USER, name, MESSAGE)
            assert made.key_version == 2
