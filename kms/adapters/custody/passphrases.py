"""Where the pool's passphrase comes from: the settings, or a file of mode 0600."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from kms.errors.keys import UnlockFileUnsafe
from kms.models.keys import KmsOptions
from kms.ports.unlock import UnlockToken

_MAX_PASSPHRASE: Final = 4_096


def configured_passphrase(options: KmsOptions, token: UnlockToken | None = None) -> bytes | None:
    """Return the passphrase that was configured, None where an operator unlocks by hand.

    A device is asked first: where one is set up, it is what shall open the pool.
    """
    if token is not None and (kept := token.passphrase()) is not None:
        return kept
    if options.unlock_passphrase is not None:
        return options.unlock_passphrase.encode()
    if options.unlock_file is not None:
        return read_unlock_file(options.unlock_file)
    return None


def read_unlock_file(path: Path) -> bytes:
    """Return the passphrase in ``path``; raise ``UnlockFileUnsafe`` if others could read it."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            text = file.read(_MAX_PASSPHRASE + 1)
    except OSError as error:
        msg = f"the unlock file {path} can't be read"
        raise UnlockFileUnsafe(msg) from error
    if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077:
        msg = f"the unlock file {path} must be a plain file of mode 0600"
        raise UnlockFileUnsafe(msg)
    return text.rstrip(b"\r\n")
