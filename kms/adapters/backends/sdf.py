"""Keys in a crypto machine that speaks GM/T 0018-2012 (SDF).

The standard has no call that makes an internal key pair: the machine's own tools do, and a new
key here takes a free index. It has none either that decrypts with an internal private key, nor
an authenticated cipher: such keys sign. ZA and e = SM3(ZA ‖ M) are computed here (GB/T 32918.2
§5.5, §6), the machine signs e.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from kms.adapters.backends.lane import TimedLane
from kms.adapters.backends.sdf_device import SdfDevice, Session
from kms.errors.backends import BackendUnsupported, BackendWrongAnswer
from kms.errors.keys import NotExportable
from kms.models.backends import BackendOptions, HeldObject, MadeObject, NewObject
from kms.ports.backends import Cipher
from secops.crypto import hashes, signatures, sm2
from secops.crypto.errors import InvalidSignature
from secops.crypto.options import DEFAULT, SignatureOptions

T = TypeVar("T")

_ALGORITHM: Final = "sm2"
_CHECKED: Final = b"kms health check"
_RANDOM: Final = 32
_KEPT: Final = 1_024


class SdfBackend:
    """One machine. Safe in any number of threads; it is opened when first needed."""

    def __init__(self, options: BackendOptions) -> None:
        self.options = options
        self.algorithms = frozenset({_ALGORITHM})
        self._keys: dict[bytes, sm2.PublicKey] = {}
        self._device = SdfDevice(options.library, options.secret, options.name)
        self._lane = TimedLane(options.name, limit=options.time_limit, width=options.sessions)

    def generate(self, wish: NewObject, material: bytes | None = None) -> MadeObject:
        """Take the ready pair at ``wish.slot``."""
        if wish.algorithm != _ALGORITHM or wish.slot is None or material is not None:
            msg = f"the crypto machine {self.options.name} takes SM2 pairs by their index"
            raise BackendUnsupported(msg)
        return MadeObject(self.slot_key(wish.slot), b"%d" % wish.slot)

    def private_key(self, held: HeldObject) -> MachinePrivateKey:
        """Return what signs in the machine."""
        return MachinePrivateKey(self, held)

    def cipher(self, held: HeldObject) -> Cipher:
        """Raise ``BackendUnsupported``."""
        del held
        msg = "GM/T 0018-2012 has no call that decrypts with an internal key"
        raise BackendUnsupported(msg)

    def erase(self, label: str) -> bool:
        """Return False: there is no call that erases a pair; its index is not given again."""
        del label
        return False

    def slot_key(self, slot: int) -> bytes:
        """Return the SPKI of the pair at index ``slot``."""
        return self.run(lambda device, session: device.public_key(session, slot))

    def check(self) -> None:
        """Ask for identity, randomness, a known hash, and a signature our engine verifies."""
        name, index = self.options.name, self.options.check_index
        if self.run(self._examine) != hashes.sm3(_CHECKED):
            raise BackendWrongAnswer(f"{name}: SM3 is wrong")
        if not index:
            return
        key = sm2.PublicKey(self.slot_key(index))
        signature = self.sign(index, key.message_digest(_CHECKED))
        try:
            key.verify(signature, _CHECKED)
        except InvalidSignature as error:
            raise BackendWrongAnswer(f"{name}: the check's signature is wrong") from error

    def close(self) -> None:
        """Close sessions and device."""
        self._device.forget()

    def sign(self, index: int, digest: bytes) -> bytes:
        """Return the machine's DER signature of e by the pair at ``index``."""
        return self.run(lambda device, session: device.sign(session, index, digest))

    def run(self, work: Callable[[SdfDevice, Session], T]) -> T:
        """Do ``work`` in a session, within the time limit."""

        def inside() -> T:
            with self._device.session() as session:
                return work(self._device, session)

        return self._lane.run(inside)

    def public_key(self, spki: bytes) -> sm2.PublicKey:
        """Return the key of ``spki``; reading one takes as long as a signature, so it is kept."""
        found = self._keys.get(spki)
        if found is None:
            if len(self._keys) >= _KEPT:
                self._keys.clear()
            found = self._keys[spki] = sm2.PublicKey(spki)
        return found

    def _examine(self, device: SdfDevice, session: Session) -> bytes:
        device.describe(session)
        first = device.random(session, _RANDOM)
        if first == device.random(session, _RANDOM):
            raise BackendWrongAnswer(f"{self.options.name}: its randomness repeats")
        return device.hash(session, _CHECKED)


@dataclass(frozen=True, slots=True)
class MachinePrivateKey:
    """A key that signs in its machine."""

    backend: SdfBackend
    held: HeldObject

    @property
    def public_key(self) -> signatures.PublicKey:
        """The public half, our engine's."""
        return signatures.public_key(_ALGORITHM, self.held.public_key)

    @property
    def der(self) -> bytes:
        """Raise ``NotExportable``."""
        raise NotExportable("the key's material is in a crypto machine")

    def sign(self, message: bytes, options: SignatureOptions = DEFAULT) -> bytes:
        """Return the signature of ``message``; nobody has verified it yet."""
        digest = message
        if options.prehashed:
            hashes.check_digest("sm3", message)
        else:
            key = self.backend.public_key(self.held.public_key)
            digest = key.message_digest(message, options.user_id)
        return self.backend.sign(int(self.held.reference), digest)
