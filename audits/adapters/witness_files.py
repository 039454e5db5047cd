"""A witness's folder, and the cosigned checkpoints beside a ledger."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audits.errors.witnesses import WitnessInvalid
from secops.adapters.disk import make_folder, write_durably

_PRIVATE: Final = 0o600
_KEY: Final = "key"
_NAME: Final = "name"
_LOGS: Final = "logs"
_SEEN: Final = "seen"
_SUFFIX: Final = ".note"
_MAX_FILE: Final = 65_536
"""Bytes of a note that are read at most: a longer one is cut off, and then signed by nobody."""


class WitnessFolder:
    """A witness's key, the logs it watches, what it saw last; implements two ports.

    ``key`` holds the 32 bytes of an Ed25519 private key in hex, mode 0600; ``logs`` one
    verification key a line; ``seen/`` one note for each origin.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._private = Ed25519PrivateKey.from_private_bytes(
                bytes.fromhex((folder / _KEY).read_text("ascii"))
            )
            self.name = (folder / _NAME).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            msg = f"{folder} is no witness's folder: make one with `secops witness init`"
            raise WitnessInvalid(msg) from error

    @classmethod
    def make(cls, folder: Path, name: str) -> WitnessFolder:
        """Make a witness called ``name`` (a schema-less URL) with a key of its own.

        Raises ``WitnessInvalid`` if one is there already: its memory must not be lost.
        """
        make_folder(folder)
        try:
            descriptor = os.open(folder / _KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        except FileExistsError as error:
            msg = f"{folder} holds a witness already"
            raise WitnessInvalid(msg) from error
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(Ed25519PrivateKey.generate().private_bytes_raw().hex())
            stream.flush()
            os.fsync(stream.fileno())
        write_durably(folder / _NAME, f"{name}\n".encode())
        return cls(folder)

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature."""
        return self._private.sign(message)

    def trust(self, vkey: str) -> None:
        """Watch the log of ``vkey`` from now on."""
        with self.alone():
            known = self.logs()
            if vkey not in known:
                lines = "".join(f"{each}\n" for each in (*known, vkey))
                write_durably(self._folder / _LOGS, lines.encode())

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process and thread of this witness out meanwhile."""
        # a descriptor of its own each time: threads that shared one would share its lock
        descriptor = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, _PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def logs(self) -> Sequence[str]:
        """Return the verification keys of the logs it was told to watch."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / _LOGS).read_text("utf-8").splitlines()
        return ()

    def last(self, origin: str) -> str | None:
        """Return the last note that was cosigned for ``origin``."""
        with contextlib.suppress(FileNotFoundError):
            return self._seen(origin).read_text("utf-8")
        return None

    def remember(self, origin: str, note: str) -> None:
        """Keep ``note`` durably."""
        make_folder(self._folder / _SEEN)
        write_durably(self._seen(origin), note.encode())

    def _seen(self, origin: str) -> Path:
        return self._folder / _SEEN / (hashlib.sha256(origin.encode()).hexdigest() + _SUFFIX)


class WitnessedFolder:
    """Cosigned checkpoints beside the ledger; implements ``audits.ports.WitnessedNotes``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, witness: str) -> str:
        """Return what is kept of ``witness``; what is no file, or of another, is nothing."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(self._file(witness), flags), "rb") as stream:
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    return ""
                content = stream.read(_MAX_FILE)
        except OSError:
            return ""
        # a damaged file is a note that nobody signed
        name, _, note = content.decode("utf-8", "replace").partition("\n")
        return note if name == witness else ""

    def put(self, witness: str, note: str) -> None:
        """Replace the note of ``witness``, whole or not at all."""
        make_folder(self._folder)
        write_durably(self._file(witness), f"{witness}\n{note}".encode())

    def _file(self, witness: str) -> Path:
        return self._folder / (hashlib.sha256(witness.encode()).hexdigest()[:32] + _SUFFIX)
