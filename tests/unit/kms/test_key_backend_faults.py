"""Faults of real devices under the whole pool: SoftHSM2 tokens and the SDF machine in software."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kms.adapters.custody.tokens import TokenPassphrase
from kms.errors.backends import BackendFull, BackendUnavailable, BackendUnsupported
from kms.errors.keys import PoolLocked
from kms.ports.backends import KeyBackend
from kms.store.tables.backends import kms_backend_slots
from secops.crypto import signatures
from secops.crypto.options import DEFAULT
from secops.kernel.errors import Unavailable
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, PASSPHRASE, USER, KeyPool, open_key_pool
from tests.fakes.randomness import FakeRandomness
from tests.services.sdf_machines import PASSWORD, MakeMachine, make_machine, sdf_libraries
from tests.services.softhsm import PIN, Tokens, tokens

__all__ = ["make_machine", "sdf_libraries", "tokens"]

MESSAGE = b"a notice of the county"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def opened(home: Path, clock: FakeClock, *devices: KeyBackend) -> Any:
    return open_key_pool(home, clock=clock, devices=devices)


@dataclass
class Load:
    """Threads that sign all the time; what came out is verified outside."""

    pool: KeyPool
    name: str
    stop: threading.Event = field(default_factory=threading.Event)
    made: list[bytes] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    other: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                made = self.pool.services.transit.sign_bytes(USER, self.name, MESSAGE)
                self.made.append(made.signature)
            except Unavailable as error:
                self.refused.append(error.code)
            except Exception as error:  # noqa: BLE001 - what else came out is the claim
                self.other.append(error)

    def wait_for(
        self, what: list[Any], more: int, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        enough, aim = threading.Event(), len(what) + more
        for _ in range(2_000):
            if len(what) >= aim:
                return
            meanwhile()
            enough.wait(0.005)
        raise AssertionError(f"{len(self.made)} made, {self.refused[-3:]}, {self.other[-3:]}")


class Loads:
    """Starts threads that sign, and ends them whatever comes."""

    def __init__(self) -> None:
        self._loads: list[Load] = []
        self._threads: list[threading.Thread] = []

    def start(self, pool: KeyPool) -> Load:
        load = Load(pool, "notices")
        self._loads.append(load)
        for _ in range(2):
            thread = threading.Thread(target=load.run)
            self._threads.append(thread)
            thread.start()
        return load

    def end(self) -> None:
        for load in self._loads:
            load.stop.set()
        for thread in self._threads:
            thread.join(30)


@contextmanager
def loads() -> Iterator[Loads]:
    made = Loads()
    try:
        yield made
    finally:
        made.end()


def verify_all(pool: KeyPool, load: Load) -> int:
    """Verify every signature that was given out; return how many."""
    loaded = pool.services.keys.get_key(KEEPER, "notices")
    key = signatures.public_key(loaded.key.kind.algorithm, loaded.versions[1].public_key)
    for signature in load.made:
        key.verify(signature, MESSAGE, DEFAULT)
    return len(load.made)


def test_a_token_pulled_in_mid_load_is_replaced_by_its_twin(
    tmp_path: Path, clock: FakeClock, tokens: Tokens
) -> None:
    first, second = tokens.make(), tokens.make()
    devices = [tokens.backend(label, group="twins") for label in (first, second)]
    with opened(tmp_path, clock, *devices) as pool, loads() as under:
        pool.create("notices", "ecdsa-p256", USER, backend="twins")
        load = under.start(pool)
        load.wait_for(load.made, 20)
        tokens.pull(first)
        load.wait_for(load.made, 40)
        under.end()
        tokens.push(first)
        assert (load.other, load.refused) == ([], [])
        assert verify_all(pool, load) >= 60
        for device in devices:
            device.close()


def test_a_token_without_a_twin_that_is_pulled_answers_503_until_it_is_back(
    tmp_path: Path, clock: FakeClock, tokens: Tokens
) -> None:
    label = tokens.make()
    device = tokens.backend(label)
    with opened(tmp_path, clock, device) as pool, loads() as under:
        pool.create("notices", "ecdsa-p256", USER, backend=label)
        load = under.start(pool)
        load.wait_for(load.made, 10)
        tokens.pull(label)
        load.wait_for(load.refused, 10)
        tokens.push(label)
        # who asked just before it was back is told so later, and puts the next question off
        load.wait_for(load.made, 10, lambda: clock.advance(120))
        under.end()
        assert (load.other, set(load.refused)) == ([], {"kms.backend_unavailable"})
        assert verify_all(pool, load) >= 20
        device.close()


def test_a_token_that_was_erased_answers_503_for_good(
    tmp_path: Path, clock: FakeClock, tokens: Tokens
) -> None:
    label = tokens.make()
    device = tokens.backend(label)
    with opened(tmp_path, clock, device) as pool:
        pool.create("notices", "ecdsa-p256", USER, backend=label)
        tokens.delete(label)
        for _ in range(3):
            clock.advance(120)
            with pytest.raises(BackendUnavailable):
                pool.services.transit.sign_bytes(USER, "notices", MESSAGE)
        device.close()


def test_a_machine_that_signs_wrong_gives_out_nothing_wrong(
    tmp_path: Path, clock: FakeClock, make_machine: MakeMachine
) -> None:
    first = make_machine("first")
    second = make_machine("second", twin=first)
    devices = (
        first.backend("first", group="machines", preference=1),
        second.backend("second", group="machines", preference=2),
    )
    with opened(tmp_path / "home", clock, *devices) as pool:
        pool.create("notices", "sm2", USER, backend="machines")
        load = Load(pool, "notices")
        first.break_down("wrong")
        for _ in range(10):
            made = pool.services.transit.sign_bytes(USER, "notices", MESSAGE)
            load.made.append(made.signature)
        assert verify_all(pool, load) == 10
        second.break_down("wrong")
        with pytest.raises(BackendUnavailable):
            pool.services.transit.sign_bytes(USER, "notices", MESSAGE)
        for device in devices:
            device.close()


@pytest.mark.parametrize("fault", ["busy", "gone", "hash", "hang 1500"])
def test_a_machine_that_is_busy_gone_mistaken_or_hangs_answers_503_in_time(
    tmp_path: Path, clock: FakeClock, make_machine: MakeMachine, fault: str
) -> None:
    machine = make_machine()
    device = machine.backend(time_limit=0.3, sessions=1)
    with opened(tmp_path / "home", clock, device) as pool:
        pool.create("notices", "sm2", USER, backend="machine")
        machine.break_down(fault)
        refusals = []
        for _ in range(2 if fault == "hash" else 1):
            clock.advance(120)
            device_control = pool.services.backend_control
            if fault == "hash":
                assert not device_control.check_backend(KEEPER, "machine").healthy
            with pytest.raises(BackendUnavailable) as caught:
                pool.services.transit.sign_bytes(USER, "notices", MESSAGE)
            refusals.append(caught.value.status)
        assert set(refusals) == {503}
        machine.repair()
        failure = pool.services.backend_control.list_backends(KEEPER)[0].failure
        expected = {"hash": "kms.backend_wrong_answer", "hang 1500": "kms.backend_timeout"}
        assert failure == expected.get(fault, "kms.backend_fault")
        device.close()


def test_indices_of_a_machine_are_given_once_and_never_again(
    tmp_path: Path, clock: FakeClock, make_machine: MakeMachine
) -> None:
    machine = make_machine()
    with opened(tmp_path / "home", clock, machine.backend()) as pool:
        key_id = pool.create("first", "sm2", USER, backend="machine")
        pool.create("second", "sm2", USER, backend="machine")
        pool.create("third", "sm2", USER, backend="machine")
        with pytest.raises(BackendFull):
            pool.create("fourth", "sm2", backend="machine")
        _erase(pool, key_id)
        pool.services.backend_control.sweep_objects()
        with pytest.raises(BackendFull):  # the old pair is still at its index
            pool.create("fourth", "sm2", backend="machine")
        machine.make_pair(2)
        pool.create("fourth", "sm2", USER, backend="machine")
        pool.services.transit.sign_bytes(USER, "fourth", MESSAGE)
        with pool.spine.read_engine.begin() as connection:
            rows = connection.execute(select(kms_backend_slots)).all()
        assert sorted((row.slot, row.state) for row in rows) == [
            (2, "held"),
            (3, "held"),
            (4, "held"),
        ]


def test_machines_with_different_keys_at_an_index_make_no_group_key(
    tmp_path: Path, clock: FakeClock, make_machine: MakeMachine
) -> None:
    devices = [make_machine(name).backend(name, group="machines") for name in ("first", "second")]
    with opened(tmp_path / "home", clock, *devices) as pool, pytest.raises(BackendUnavailable):
        pool.create("notices", "sm2", backend="machines")


def test_a_machines_key_does_not_encrypt(
    tmp_path: Path, clock: FakeClock, make_machine: MakeMachine
) -> None:
    with opened(tmp_path / "home", clock, make_machine().backend()) as pool:
        pool.create("notices", "sm2", USER, backend="machine")
        with pytest.raises(BackendUnsupported):
            pool.services.transit.encrypt(USER, "notices", {"plaintext": "aGVsbG8="})


def test_pins_and_passwords_are_in_no_log_leaf_file_or_message(
    tmp_path: Path,
    clock: FakeClock,
    tokens: Tokens,
    make_machine: MakeMachine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    label, machine = tokens.make(), make_machine()
    devices = (tokens.backend(label), machine.backend())
    seen: list[str] = []
    home = tmp_path / "home"
    with opened(home, clock, *devices) as pool:
        for name, kind, backend in (("a", "ecdsa-p256", label), ("b", "sm2", "machine")):
            pool.create(name, kind, USER, backend=backend)
            pool.services.transit.sign_bytes(USER, name, MESSAGE)
        tokens.pull(label)
        machine.break_down("gone")
        for name in ("a", "b"):
            with pytest.raises(BackendUnavailable) as caught:
                pool.services.transit.sign_bytes(USER, name, MESSAGE)
            seen.append(repr((caught.value, caught.value.__cause__, caught.value.detail)))
        tokens.push(label)
        seen.extend(map(str, pool.leaves()))
        seen.append(repr(pool.services.backend_control.list_backends(KEEPER)))
        for device in devices:
            device.close()
    files = [file.read_bytes() for file in home.rglob("*") if file.is_file()]
    haystack = b"\n".join([*files, caplog.text.encode(), *(text.encode() for text in seen)])
    for secret in (PIN, PASSWORD):
        assert secret.encode() not in haystack
    assert b"kms.make_object" in haystack  # the search looks where things are


@pytest.mark.parametrize("kind", ["pkcs11", "sdf"])
def test_a_device_opens_the_pool_and_nothing_else_does_with_what_it_kept(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    if kind == "pkcs11":
        kept: Tokens = request.getfixturevalue("tokens")
        device, other = kept.backend(), kept.backend()
    else:
        make: MakeMachine = request.getfixturevalue("make_machine")
        machine, stranger = make("one"), make("two")
        (stranger.folder / "1.kek").write_bytes(bytes(16))
        device, other = machine.backend("one"), stranger.backend("one")
    file = tmp_path / "unlock.token"
    keeper = TokenPassphrase(device, file, FakeRandomness())
    assert keeper.passphrase() is None
    keeper.keep(PASSPHRASE.encode())
    assert keeper.passphrase() == PASSPHRASE.encode()
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSPHRASE.encode() not in file.read_bytes()
    with pytest.raises(PoolLocked):
        TokenPassphrase(other, file, FakeRandomness()).passphrase()
    text = file.read_bytes()
    at = text.index(b'"sealed":"') + 60
    file.write_bytes(text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :])
    with pytest.raises(PoolLocked):
        keeper.passphrase()
    device.close()
    other.close()


def _erase(pool: KeyPool, key_id: str) -> None:
    from kms.store.tables.keys import kms_key_versions  # noqa: PLC0415 - beside its one use

    pool.change(kms_key_versions.delete().where(kms_key_versions.c.key_id == key_id))
