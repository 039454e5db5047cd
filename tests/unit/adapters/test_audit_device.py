"""The second audit device: keys and seals need it, reads and restrictions don't, nobody hangs."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from secops.adapters.audit_device import AuditDevice
from secops.adapters.spine import COMMAND_FILE_BYTES, Spine, SpineOptions, open_spine
from secops.kernel.actors import system_actor
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import AuditUnavailable
from secops.kernel.trail import Act, needs_second_device
from secops.kernel.transactions import Restriction
from tests.fakes.access import FakeAccess
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine
from tests.fakes.randomness import FakeRandomness

ACTOR = system_actor("test")
SIGN = Act("kms.sign", ACTOR, "key:a")
READ = Act("iam.read", ACTOR, "account:a")


class Disk:
    """``sync`` works, fails with ``fault``, or hangs until ``free`` is set."""

    def __init__(self) -> None:
        self.fault = 0
        self.hangs = False
        self.free = threading.Event()

    def sync(self, descriptor: int) -> None:
        if self.hangs:
            self.free.wait(20)
        if self.fault:
            raise OSError(self.fault, "broken")
        os.fdatasync(descriptor)


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.free.set()


@pytest.fixture
def device(tmp_path: Path, disk: Disk) -> Iterator[AuditDevice]:
    made = AuditDevice(tmp_path / "device", "test", FakeClock(), sync=disk.sync, patience=0.1)
    yield made
    disk.free.set()
    made.close()


def lines(folder: Path) -> list[object]:
    found = sorted((folder / "device").glob("*.jsonl"))
    return [orjson.loads(line) for path in found for line in path.read_bytes().split(b"\n") if line]


def until(what: Callable[[], bool]) -> None:
    """Wait for the device's thread, at most two seconds."""
    for _ in range(400):
        if what():
            return
        time.sleep(0.005)
    pytest.fail("the device did not come back")


def test_a_torn_line_takes_no_other_with_it(device: AuditDevice, tmp_path: Path) -> None:
    """A power cut or a full disk left half a record; a process of the same number goes on."""
    folder = tmp_path / "device"
    folder.mkdir()
    day = to_rfc3339(FakeClock().now())[:10]
    (folder / f"{day}-test-{os.getpid()}.jsonl").write_bytes(b'{"a":1}\n{"a":2')
    assert device.write([b'{"a":3}'])
    (path,) = folder.iterdir()
    assert path.read_bytes() == b'{"a":1}\n{"a":2\n{"a":3}\n'


def test_every_record_is_a_line_and_private(device: AuditDevice, tmp_path: Path) -> None:
    assert device.write([b'{"a":1}', b'{"a":2}'])
    assert device.write([])
    assert lines(tmp_path) == [{"a": 1}, {"a": 2}]
    (path,) = (tmp_path / "device").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert path.name.startswith("2026-01-01-test-")


def test_a_device_that_hangs_keeps_somebody_waiting_once(
    device: AuditDevice, disk: Disk, tmp_path: Path
) -> None:
    assert device.write([b'{"n":0}'])
    disk.hangs = True
    begun = time.monotonic()
    assert not device.write([b'{"n":1}'])
    assert not device.write([b'{"n":2}', b'{"n":3}'])  # nobody waits for these
    assert time.monotonic() - begun < 1.0
    disk.hangs = False
    disk.free.set()
    until(lambda: device.healthy)
    assert device.write([b'{"n":4}'])
    gap = {"gap": {"records": 2, "until": "2026-01-01T00:00:00Z"}}
    assert lines(tmp_path) == [{"n": 0}, {"n": 1}, gap, {"n": 4}]


def test_a_device_that_fails_is_probed_by_what_comes(
    device: AuditDevice, disk: Disk, tmp_path: Path
) -> None:
    disk.fault = errno.EIO
    assert not device.write([b'{"n":1}'])
    disk.fault = 0
    assert not device.write([b'{"n":2}'])  # a probe: nobody waits for it
    until(lambda: device.healthy)
    assert device.write([b'{"n":3}'])
    records = [line for line in lines(tmp_path) if isinstance(line, dict) and "gap" in line]
    assert [line["gap"]["records"] for line in records] == [1]


def test_a_forked_child_has_a_file_of_its_own(device: AuditDevice, tmp_path: Path) -> None:
    assert device.write([b'{"n":1}'])
    child = os.fork()
    if child == 0:
        os._exit(0 if device.write([b'{"n":2}']) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list((tmp_path / "device").iterdir())) == 2


@pytest.mark.parametrize(
    ("act", "needed"),
    [
        (SIGN, True),
        (Act("kms.rotate_key", ACTOR, "key:a", "intent"), True),
        (Act("kms.decide_destruction", ACTOR, "key:a"), True),
        (Act("kms.sign", ACTOR, "key:a", "refused"), False),
        (Act("kms.decrypt", ACTOR, "key:a", bulk=True), False),
        (Act("kms.suspend_seal", ACTOR, "seal:a"), False),
        (Act("kms.lock_pool", ACTOR, "pool:a"), False),
        (Act("kms.verify_seal", ACTOR, "seal:a"), False),
        (READ, False),
    ],
)
def test_what_uses_or_changes_keys_and_seals_needs_both(act: Act, *, needed: bool) -> None:
    assert needs_second_device(act) is needed


# in the spine


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    database_spine(tmp_path).close()
    made = open_spine(
        SpineOptions(
            home=tmp_path,
            role="test",
            journal_bytes=COMMAND_FILE_BYTES,
            device_folder=tmp_path / "device",
        ),
        clock=FakeClock(),
        randomness=FakeRandomness(),
        access=FakeAccess(),
    )
    made.start()
    yield made
    made.close()


def break_device(spine: Spine, folder: Path) -> None:
    """Put a file where the device's folder was: every open fails from now on."""
    device = spine.device
    assert device is not None
    device._drop_file()
    for path in (folder / "device").iterdir():
        path.unlink()
    (folder / "device").rmdir()
    (folder / "device").write_text("no folder")


def recorded(spine: Spine) -> list[str]:
    found = []
    for door in spine.doors.names():
        records = spine.doors.read_after(door, 0, 1_000).records
        found += [orjson.loads(record)["action"] for record in records]
    return sorted(found)


def test_both_doors_tell_the_device_before_they_answer(spine: Spine, tmp_path: Path) -> None:
    spine.parts.trail.append([SIGN])
    spine.parts.transactions.run(lambda tx: tx.record(READ))
    told = [line["action"] for line in lines(tmp_path) if isinstance(line, dict)]
    assert told == ["kms.sign", "iam.read"]


def test_without_the_device_keys_stand_still_and_reads_go_on(spine: Spine, tmp_path: Path) -> None:
    spine.parts.trail.append([SIGN])
    break_device(spine, tmp_path)
    for _ in range(2):  # when it falls silent, and when it is known to be
        with pytest.raises(AuditUnavailable, match="second audit device"):
            spine.parts.trail.append([SIGN])
        spine.parts.trail.append([READ])
        with pytest.raises(AuditUnavailable, match="nothing was changed"):
            spine.parts.transactions.run(lambda tx: tx.record(SIGN))
        spine.parts.transactions.run(lambda tx: tx.record(READ))
    assert recorded(spine) == ["iam.read"] * 4 + ["kms.sign"]


def test_what_restricts_is_never_refused_for_the_devices_sake(spine: Spine, tmp_path: Path) -> None:
    break_device_first = Act("kms.rotate_key", ACTOR, "key:a")
    spine.parts.trail.append([READ])
    break_device(spine, tmp_path)
    with pytest.raises(AuditUnavailable, match="second audit device"):
        spine.parts.trail.append([break_device_first])
    suspend = Act("kms.suspend_key", ACTOR, "key:a")
    spine.parts.transactions.restrict(lambda _: None, Restriction("key", "a", suspend))
    assert recorded(spine) == ["iam.read", "kms.suspend_key"]
