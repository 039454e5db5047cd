"""A crypto machine's library (GM/T 0018-2012) through cffi in ABI mode: no compiler needed.

Keys, signatures and device information pass as bytes: machines differ in the width of a
coordinate (64 bytes by the standard, right-aligned; 32 in some makers' headers), and the width
is seen from the first public key that is exported. All functions return 0 or a code from
0x01000000 on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cffi

from kms.errors.backends import BackendFault, BackendMisconfigured, BackendRefused
from secops.crypto import der, sm2
from secops.crypto.errors import InvalidKey

_DECLARATIONS: Final = """
int SDF_OpenDevice(void **device);
int SDF_CloseDevice(void *device);
int SDF_OpenSession(void *device, void **session);
int SDF_CloseSession(void *session);
int SDF_GetDeviceInfo(void *session, void *info);
int SDF_GenerateRandom(void *session, unsigned int length, unsigned char *random);
int SDF_GetPrivateKeyAccessRight(void *session, unsigned int index, unsigned char *password,
                                 unsigned int length);
int SDF_ExportSignPublicKey_ECC(void *session, unsigned int index, void *key);
int SDF_InternalSign_ECC(void *session, unsigned int index, unsigned char *digest,
                         unsigned int length, void *signature);
int SDF_GenerateKeyWithKEK(void *session, unsigned int bits, unsigned int algorithm,
                           unsigned int index, unsigned char *wrapped, unsigned int *length,
                           void **key);
int SDF_ImportKeyWithKEK(void *session, unsigned int algorithm, unsigned int index,
                         unsigned char *wrapped, unsigned int length, void **key);
int SDF_DestroyKey(void *session, void *key);
int SDF_Encrypt(void *session, void *key, unsigned int algorithm, unsigned char *iv,
                unsigned char *data, unsigned int length, unsigned char *out, unsigned int *size);
int SDF_Decrypt(void *session, void *key, unsigned int algorithm, unsigned char *iv,
                unsigned char *data, unsigned int length, unsigned char *out, unsigned int *size);
int SDF_CalculateMAC(void *session, void *key, unsigned int algorithm, unsigned char *iv,
                     unsigned char *data, unsigned int length, unsigned char *mac,
                     unsigned int *size);
int SDF_HashInit(void *session, unsigned int algorithm, void *key, unsigned char *id,
                 unsigned int length);
int SDF_HashUpdate(void *session, unsigned char *data, unsigned int length);
int SDF_HashFinal(void *session, unsigned char *hash, unsigned int *length);
"""
_SM3: Final = 0x00000001
_SM4_ECB: Final = 0x00000401
_SM4_CBC: Final = 0x00000402
_SM4_MAC: Final = 0x00000410
_PARDENY: Final = 0x01000007
_PRKRERR: Final = 0x01000018
_REFUSALS: Final = frozenset({_PARDENY, _PRKRERR})
_FIELD: Final = 32
_WIDE: Final = 64
_BLOCK: Final = 16
_KEY_BITS: Final = 128
_WORD: Final = 4
_DEVICE_INFO: Final = 100
_ROOM: Final = 256

ffi: Final = cffi.FFI()
ffi.cdef(_DECLARATIONS)


@dataclass(slots=True)
class Session:
    """One session: handle, width of coordinates, and indices whose use was allowed."""

    library: Any
    handle: Any
    generation: int
    allowed: set[int] = field(default_factory=set)


class SdfDevice:
    """The machine behind one library. The password is never shown."""

    def __init__(self, path: Path | None, password: str | None, name: str) -> None:
        self._path = path
        self._password = (password or "").encode()
        self._name = name
        self._lock = threading.Lock()
        self._process = 0
        self._generation = 0
        self._library: Any = None
        self._device: Any = None
        self._width = 0
        self._refused = False
        self._free: list[Session] = []

    def __repr__(self) -> str:
        return f"SdfDevice({self._name!r})"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session; after a failure the device is opened anew by whoever comes next."""
        session = self._take()
        try:
            yield session
        except BackendFault:
            self.forget(close=False)
            raise
        with self._lock:
            if session.generation == self._generation:
                self._free.append(session)

    def forget(self, *, close: bool = True) -> None:
        """Let go of device and sessions; closing them may hang where the machine is gone."""
        with self._lock:
            free, device, library = self._free, self._device, self._library
            self._free, self._device = [], None
            self._generation += 1
        if close and device is not None and self._process == os.getpid():
            for session in free:
                library.SDF_CloseSession(session.handle)
            library.SDF_CloseDevice(device)

    def describe(self, session: Session) -> str:
        """Return maker, name and serial number as the device tells them."""
        info = ffi.new("unsigned char[]", _ROOM)
        self._demand(session.library.SDF_GetDeviceInfo(session.handle, info), "GetDeviceInfo")
        text = bytes(ffi.buffer(info, _DEVICE_INFO))
        parts = (text[:40], text[40:56], text[56:72])
        return " ".join(part.split(b"\0")[0].decode("utf-8", "replace") for part in parts)

    def random(self, session: Session, length: int) -> bytes:
        """Return ``length`` bytes of the machine's randomness."""
        out = ffi.new("unsigned char[]", length)
        code = session.library.SDF_GenerateRandom(session.handle, length, out)
        self._demand(code, "GenerateRandom")
        return bytes(ffi.buffer(out))

    def hash(self, session: Session, data: bytes) -> bytes:
        """Return SM3 of ``data``."""
        library, handle = session.library, session.handle
        out, size = ffi.new("unsigned char[]", _WIDE), ffi.new("unsigned int *", _WIDE)
        self._demand(library.SDF_HashInit(handle, _SM3, ffi.NULL, ffi.NULL, 0), "HashInit")
        self._demand(library.SDF_HashUpdate(handle, data, len(data)), "HashUpdate")
        self._demand(library.SDF_HashFinal(handle, out, size), "HashFinal")
        return bytes(ffi.buffer(out, min(size[0], _WIDE)))

    def public_key(self, session: Session, index: int) -> bytes:
        """Return the SPKI of the signing pair at ``index``."""
        out = ffi.new("unsigned char[]", _ROOM)
        code = session.library.SDF_ExportSignPublicKey_ECC(session.handle, index, out)
        self._demand(code, f"ExportSignPublicKey_ECC({index})")
        found = bytes(ffi.buffer(out))
        width = _width_of(found)
        x = found[_WORD : _WORD + width][-_FIELD:]
        y = found[_WORD + width : _WORD + 2 * width][-_FIELD:]
        try:
            spki = sm2.PublicKey.from_point(b"\x04" + x + y).der
        except InvalidKey as error:
            raise BackendFault(f"{self._name}: no SM2 key at index {index}") from error
        self._width = width
        return spki

    def sign(self, session: Session, index: int, digest: bytes) -> bytes:
        """Return the DER signature of e = ``digest`` (32 bytes) by the pair at ``index``."""
        if not self._width:
            self.public_key(session, index)
        self._allow(session, index)
        out = ffi.new("unsigned char[]", _ROOM)
        code = session.library.SDF_InternalSign_ECC(session.handle, index, digest, len(digest), out)
        self._demand(code, f"InternalSign_ECC({index})")
        found, width = bytes(ffi.buffer(out)), self._width
        r, s = found[:width], found[width : 2 * width]
        return der.encode_sequence(
            der.encode_unsigned(int.from_bytes(r, "big")),
            der.encode_unsigned(int.from_bytes(s, "big")),
        )

    def new_key(self, session: Session, kek: int) -> bytes:
        """Return a new SM4 key wrapped under the machine's key-encrypting key ``kek``."""
        wrapped, size = ffi.new("unsigned char[]", _ROOM), ffi.new("unsigned int *", _ROOM)
        key = ffi.new("void **")
        code = session.library.SDF_GenerateKeyWithKEK(
            session.handle, _KEY_BITS, _SM4_ECB, kek, wrapped, size, key
        )
        self._demand(code, f"GenerateKeyWithKEK({kek})")
        session.library.SDF_DestroyKey(session.handle, key[0])
        return bytes(ffi.buffer(wrapped, min(size[0], _ROOM)))

    @contextmanager
    def key(self, session: Session, kek: int, wrapped: bytes) -> Iterator[MachineKey]:
        """Yield the SM4 key in ``wrapped``, inside the machine."""
        key = ffi.new("void **")
        code = session.library.SDF_ImportKeyWithKEK(
            session.handle, _SM4_ECB, kek, wrapped, len(wrapped), key
        )
        self._demand(code, f"ImportKeyWithKEK({kek})")
        try:
            yield MachineKey(self, session, key[0])
        finally:
            session.library.SDF_DestroyKey(session.handle, key[0])

    def _demand(self, code: int, call: str) -> None:
        if code:
            kind = BackendRefused if code & 0xFFFFFFFF in _REFUSALS else BackendFault
            raise kind(f"{self._name}: SDF_{call} gave {code & 0xFFFFFFFF:#010x}")

    def _allow(self, session: Session, index: int) -> None:
        if index in session.allowed or not self._password:
            return
        if self._refused:
            # each further try with a wrong password brings the machine nearer to locking the key
            raise BackendRefused(f"{self._name} refused the password; it is not tried again")
        code = session.library.SDF_GetPrivateKeyAccessRight(
            session.handle, index, self._password, len(self._password)
        )
        self._refused = code & 0xFFFFFFFF in _REFUSALS
        self._demand(code, f"GetPrivateKeyAccessRight({index})")
        session.allowed.add(index)

    def _take(self) -> Session:
        with self._lock:
            if self._process != os.getpid():
                self._load()
            if self._free:
                return self._free.pop()
            library, device, generation = self._library, self._device, self._generation
        if device is None:
            device = self._open_device(library)
        handle = ffi.new("void **")
        self._demand(library.SDF_OpenSession(device, handle), "OpenSession")
        return Session(library, handle[0], generation)

    def _open_device(self, library: Any) -> Any:
        """Open the machine outside the lock: it may hang, and others are to see that it does."""
        opened = ffi.new("void **")
        self._demand(library.SDF_OpenDevice(opened), "OpenDevice")
        with self._lock:
            if self._device is None:
                self._device = opened[0]
                return opened[0]
            device = self._device
        library.SDF_CloseDevice(opened[0])
        return device

    def _load(self) -> None:
        """Load the library in this process: the parent's handles are not ours."""
        if self._path is None or not self._path.is_file():
            raise BackendMisconfigured("SDF_LIBRARY names no file")
        try:
            self._library = ffi.dlopen(str(self._path))
        except OSError as error:
            raise BackendMisconfigured(f"{self._path} is no library") from error
        self._device, self._free = None, []
        self._generation += 1
        self._process = os.getpid()


@dataclass(frozen=True, slots=True)
class MachineKey:
    """An SM4 key in the machine, by its handle."""

    device: SdfDevice
    session: Session
    handle: Any = field(repr=False)

    def encrypt(self, data: bytes, iv: bytes) -> bytes:
        """Return SM4-CBC of ``data``, whole blocks."""
        return self._crypt("Encrypt", data, iv)

    def decrypt(self, data: bytes, iv: bytes) -> bytes:
        """Return what SM4-CBC hid."""
        return self._crypt("Decrypt", data, iv)

    def mac(self, data: bytes) -> bytes:
        """Return the SM4 CBC-MAC of ``data``: whole blocks, of a length fixed by its use."""
        out, size = ffi.new("unsigned char[]", _ROOM), ffi.new("unsigned int *", _ROOM)
        code = self.session.library.SDF_CalculateMAC(
            self.session.handle,
            self.handle,
            _SM4_MAC,
            ffi.new("unsigned char[]", bytes(_BLOCK)),
            data,
            len(data),
            out,
            size,
        )
        self.device._demand(code, "CalculateMAC")  # noqa: SLF001 - of the same module
        return bytes(ffi.buffer(out, min(size[0], _BLOCK)))

    def _crypt(self, word: str, data: bytes, iv: bytes) -> bytes:
        call = getattr(self.session.library, f"SDF_{word}")
        out = ffi.new("unsigned char[]", len(data) + _BLOCK)
        size = ffi.new("unsigned int *", len(data) + _BLOCK)
        room = ffi.new("unsigned char[]", iv)  # the machine may write the next one there
        code = call(self.session.handle, self.handle, _SM4_CBC, room, data, len(data), out, size)
        self.device._demand(code, word)  # noqa: SLF001 - of the same module
        return bytes(ffi.buffer(out, min(size[0], len(data) + _BLOCK)))


def _width_of(found: bytes) -> int:
    """Return how wide a coordinate is: wide ones begin with 32 zero bytes."""
    wide_x = found[_WORD : _WORD + _WIDE - _FIELD]
    wide_y = found[_WORD + _WIDE : _WORD + _WIDE + _FIELD]
    return _WIDE if not any(wide_x) and not any(wide_y) else _FIELD
