"""The built-in CA's roots as ``home/ca/root.pem``, so that files verify without a database."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from secops.crypto.pem import to_pem

FOLDER = "ca"
NAME = "root.pem"


class HomeAnchorFile:
    """Keeps the root certificates under ``home``."""

    def __init__(self, home: Path) -> None:
        self._path = home / FOLDER / NAME

    def write(self, *certificates: bytes) -> None:
        """Store the DER ``certificates`` as PEM, replacing what was there at once."""
        self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        pem = "".join(to_pem("CERTIFICATE", each) for each in certificates)
        if self.read() == pem.encode():
            return
        # by thread, too: two first seals at once
        draft = self._path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        draft.write_text(pem)
        draft.replace(self._path)

    def read(self) -> bytes | None:
        """Return the PEM; None where no seal was ever made."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
