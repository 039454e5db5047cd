"""Trust anchors and revocation lists as files that the operator keeps up to date.

The folder holds ``roots/``, ``intermediates/`` and ``crl/``: certificates and lists in DER or
PEM. They are read again when a folder's files changed, so that a fetched list counts at once.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MAX_FILE: Final = 16 * 1024 * 1024
MAX_FILES: Final = 200
_PEM: Final = re.compile(
    r"-----BEGIN (?:CERTIFICATE|X509 CRL)-----\s+([A-Za-z0-9+/=\s]+?)-----END [A-Z0-9 ]+-----"
)
_State = tuple[tuple[str, int, int], ...]


class TrustFolder:
    """Implements ``iam.ports.CertificateTrust`` over a folder; a missing one trusts nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[_State, tuple[bytes, ...]]] = {}

    def roots(self) -> Sequence[bytes]:
        """Return the trust anchors in DER."""
        return self._read("roots")

    def intermediates(self) -> Sequence[bytes]:
        """Return further CAs in DER."""
        return self._read("intermediates")

    def revocation_lists(self) -> Sequence[bytes]:
        """Return the revocation lists in DER."""
        return self._read("crl")

    def _read(self, name: str) -> tuple[bytes, ...]:
        files = sorted((self._folder / name).glob("*"))[:MAX_FILES]
        state = tuple((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files)
        kept = self._kept.get(name)
        if kept is None or kept[0] != state:
            found = [each for file in files if file.is_file() for each in _ders(file)]
            kept = self._kept[name] = (state, tuple(found))
        return kept[1]


def _ders(file: Path) -> list[bytes]:
    with file.open("rb") as handle:
        content = handle.read(MAX_FILE)
    if not content.startswith(b"-") and b"-----BEGIN" not in content[:4096]:
        return [content]
    try:
        return [base64.b64decode(each) for each in _PEM.findall(content.decode("latin-1"))]
    except binascii.Error:
        return []
