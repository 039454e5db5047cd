"""A key backend that works, fails, hangs or lies on command; its material is in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kms.errors.backends import BackendFault, BackendTimeout, BackendUnsupported
from kms.models.backends import BackendOptions, HeldObject, MadeObject, NewObject
from secops.crypto import ciphers, signatures
from secops.crypto.options import SignatureOptions


@dataclass
class FakeKeyBackend:
    options: BackendOptions
    algorithms: frozenset[str] = frozenset({"ecdsa-p256", "aes256-gcm"})
    fault: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    checks: int = 0
    signatures: int = 0

    def generate(self, wish: NewObject, material: bytes | None = None) -> MadeObject:
        self._meet("generate")
        if wish.algorithm not in self.algorithms:
            raise BackendUnsupported(f"no {wish.algorithm}")
        symmetric = wish.algorithm == "aes256-gcm"
        made = material or (bytes(32) if symmetric else signatures.generate(wish.algorithm))
        self.objects[wish.label] = made
        self._meet("afterwards")
        public = b"" if symmetric else signatures.private_key(wish.algorithm, made).public_key.der
        return MadeObject(public, wish.label.encode())

    def private_key(self, held: HeldObject) -> Any:
        return _Key(self, held)

    def cipher(self, held: HeldObject) -> Any:
        return _Cipher(self, held)

    def erase(self, label: str) -> bool:
        self._meet("erase")
        return self.objects.pop(label, None) is not None

    def slot_key(self, slot: int) -> bytes:
        raise BackendUnsupported(f"no index {slot}")

    def check(self) -> None:
        self.checks += 1
        self._meet("check")

    def close(self) -> None:
        return

    def material(self, held: HeldObject) -> bytes:
        self._meet("use")
        found = self.objects.get(held.reference.decode())
        if found is None:
            raise BackendFault(f"{self.options.name}: no such object")
        return found

    def _meet(self, call: str) -> None:
        if self.fault in ("gone", f"gone at {call}"):
            raise BackendFault(f"{self.options.name}: gone")
        if self.fault == "hang":
            raise BackendTimeout(f"{self.options.name}: no answer")


@dataclass(frozen=True)
class _Key:
    backend: FakeKeyBackend
    held: HeldObject

    def sign(self, message: bytes, options: SignatureOptions) -> bytes:
        material = self.backend.material(self.held)
        self.backend.signatures += 1
        if self.backend.fault == "lie":
            message += b"!"
        if self.backend.fault == "babble":
            return signatures.from_raw(self.held.algorithm, bytes(64))
        return signatures.private_key(self.held.algorithm, material).sign(message, options)


@dataclass(frozen=True)
class _Cipher:
    backend: FakeKeyBackend
    held: HeldObject

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        if self.backend.fault == "lie":
            plaintext += b"!"
        material = self.backend.material(self.held)
        return ciphers.seal("aes256-gcm", material, bytes(12), plaintext, aad=aad)

    def unseal(self, sealed: bytes, aad: bytes) -> bytes:
        return ciphers.unseal("aes256-gcm", self.backend.material(self.held), sealed, aad=aad)
