"""Fakes around the ledger: doors in memory, signers that can be locked."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audits.errors import DoorDamaged, SignerLocked
from audits.models import CheckpointKeys, DoorBatch
from secops.crypto import sm2
from secops.kernel.actors import system_actor
from secops.kernel.trail import Act, encode_act


class FakeDoors:
    """``records`` per door; ``forgotten`` says up to where; ``damaged`` doors raise."""

    def __init__(self) -> None:
        self.records: dict[str, list[bytes]] = {"database": []}
        self.forgotten: dict[str, int] = {}
        self.damaged: set[str] = set()
        self.finished: set[str] = set()

    def put(self, door: str, *records: bytes) -> None:
        self.records.setdefault(door, []).extend(records)

    def names(self) -> Sequence[str]:
        return sorted(self.records, key=lambda name: (name == "database", name))

    def read_after(self, door: str, position: int, limit: int) -> DoorBatch:
        if door in self.damaged:
            msg = f"{door} can't be read after {position}"
            raise DoorDamaged(msg)
        found = self.records[door][position : position + limit]
        return DoorBatch(door, found, position + len(found))

    def forget(self, door: str, position: int) -> bool:
        self.forgotten[door] = position
        if door in self.finished:
            self.records.pop(door, None)
        return door not in self.records


class FakeSigner:
    """Real keys; ``locked`` refuses; ``rotate`` makes new ones and keeps the old public ones."""

    def __init__(self) -> None:
        self.locked = False
        self.signatures = 0
        self._versions: list[tuple[Ed25519PrivateKey, sm2.PrivateKey]] = []
        self.rotate()

    def rotate(self) -> None:
        self._versions.insert(0, (Ed25519PrivateKey.generate(), sm2.PrivateKey.generate()))

    def keys(self) -> Sequence[CheckpointKeys]:
        self._check()
        return [
            CheckpointKeys(left.public_key().public_bytes_raw(), right.public_key.point)
            for left, right in self._versions
        ]

    def sign_ed25519(self, message: bytes) -> bytes:
        self._check()
        self.signatures += 1
        return self._versions[0][0].sign(message)

    def sign_sm2(self, message: bytes) -> bytes:
        self._check()
        return self._versions[0][1].sign(message)

    def _check(self) -> None:
        if self.locked:
            msg = "the pool is locked"
            raise SignerLocked(msg)


def record(number: int, at: int | None = None, org: str = "org_root") -> bytes:
    """Return a leaf record as the spine encodes it."""
    actor = system_actor("tester")
    act = Act("tests.act", actor, f"thing:{number}", details={"number": number})
    encoded = encode_act(act, 1_767_225_600_000_000 + number if at is None else at)
    return encoded.replace(b'"org":"org_root"', b'"org":"%s"' % org.encode())
