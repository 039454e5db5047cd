"""The pool's passphrase, encrypted by a key that never leaves a token or crypto machine.

What is kept in the home is useless without the device. The passphrase itself goes on opening
the pool, for the day on which the device is lost.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import orjson

from kms.adapters.backends.opening import open_device
from kms.errors.backends import BackendMisconfigured, BackendUnavailable
from kms.errors.keys import PoolLocked, UnlockFileUnsafe
from kms.models.backends import LABEL, HeldObject, NewObject
from kms.models.keys import KmsOptions
from kms.ports.backends import Cipher, KeyBackend
from secops.crypto.errors import DecryptionFailed
from secops.kernel.ids import Randomness

if TYPE_CHECKING:
    from kms.adapters.backends.sdf_secrets import MachineSecretBox

_ALGORITHM: Final = "aes256-gcm"
_BOUND: Final = b"kms unlock token v1"
_MAX_FILE: Final = 65_536
_LABEL_BYTES: Final = 10


class _Keeper(Protocol):
    def keep(self, secret: bytes) -> dict[str, str]: ...

    def give(self, kept: dict[str, str]) -> bytes: ...


class TokenPassphrase:
    """The passphrase in ``file``, as ``backend`` encrypted it. The file is of mode 0600."""

    def __init__(self, backend: KeyBackend, file: Path, randomness: Randomness) -> None:
        self.name = backend.options.name
        self._file = file
        self._keeper = _keeper(backend, randomness)

    def keep(self, passphrase: bytes) -> None:
        """Encrypt ``passphrase`` in the device and write the file; raise ``BackendFault``."""
        kept = {"backend": self.name, **self._keeper.keep(passphrase)}
        draft = self._file.with_name(f"{self._file.name}.new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(orjson.dumps(kept))
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self._file)

    def passphrase(self) -> bytes | None:
        """Return the passphrase, None before ``keep``; raise ``PoolLocked``."""
        try:
            with self._file.open("rb") as stream:
                kept = orjson.loads(stream.read(_MAX_FILE))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            msg = f"the file {self._file} can't be read"
            raise UnlockFileUnsafe(msg) from error
        try:
            if kept["backend"] != self.name:
                raise PoolLocked(f"the passphrase was kept by {kept['backend']}")
            return self._keeper.give(kept)
        except (BackendUnavailable, DecryptionFailed, KeyError, TypeError, ValueError) as error:
            code = getattr(error, "code", "malformed")
            msg = f"the device {self.name} does not open the pool: {code}"
            raise PoolLocked(msg) from error


class _CipherKeeper:
    """By an AES key made in the device for this alone."""

    def __init__(self, backend: KeyBackend, randomness: Randomness) -> None:
        self._backend = backend
        self._randomness = randomness

    def keep(self, secret: bytes) -> dict[str, str]:
        label = f"{LABEL}unlock-{self._randomness.bytes(_LABEL_BYTES).hex()}"
        made = self._backend.generate(NewObject(_ALGORITHM, label))
        sealed = self._cipher(made.reference).seal(secret, _BOUND)
        return {
            "reference": base64.b64encode(made.reference).decode(),
            "sealed": base64.b64encode(sealed).decode(),
        }

    def give(self, kept: dict[str, str]) -> bytes:
        reference = base64.b64decode(kept["reference"], validate=True)
        sealed = base64.b64decode(kept["sealed"], validate=True)
        return self._cipher(reference).unseal(sealed, _BOUND)

    def _cipher(self, reference: bytes) -> Cipher:
        return self._backend.cipher(HeldObject(_ALGORITHM, reference))


class _MachineKeeper:
    """By SM4 keys under the machine's key-encrypting key (GM/T 0018 §6.3)."""

    def __init__(self, box: MachineSecretBox) -> None:
        self._box = box

    def keep(self, secret: bytes) -> dict[str, str]:
        return {"sealed": base64.b64encode(self._box.seal(secret)).decode()}

    def give(self, kept: dict[str, str]) -> bytes:
        return self._box.unseal(base64.b64decode(kept["sealed"], validate=True))


def _keeper(backend: KeyBackend, randomness: Randomness) -> _Keeper:
    # only where a device is configured: the machine's C declarations are parsed at the import
    from kms.adapters.backends.sdf import SdfBackend  # noqa: PLC0415 - heavy
    from kms.adapters.backends.sdf_secrets import MachineSecretBox  # noqa: PLC0415

    if isinstance(backend, SdfBackend):
        return _MachineKeeper(MachineSecretBox(backend))
    return _CipherKeeper(backend, randomness)


def unlock_token(options: KmsOptions, randomness: Randomness) -> TokenPassphrase | None:
    """Return the configured device that opens the pool; raise ``BackendMisconfigured``."""
    if not options.unlock_token or options.unlock_token_file is None:
        return None
    for each in options.backends.backends:
        if each.name == options.unlock_token and each.kind != "software":
            backend = open_device(each, randomness)
            return TokenPassphrase(backend, options.unlock_token_file, randomness)
    msg = f"unlock_token names no configured device: {options.unlock_token[:64]!r}"
    raise BackendMisconfigured(msg)
