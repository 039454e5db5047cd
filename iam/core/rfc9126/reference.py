"""References to pushed requests (RFC 9126 §2.2)."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def write_reference(secret: str) -> str:
    """Return the ``request_uri`` of a secret of 43 characters."""
    return _PREFIX + secret


def digest_of_reference(request_uri: str) -> bytes | None:
    """Return what the database knows it by; None for a text that is no reference of ours."""
    secret = request_uri.removeprefix(_PREFIX)
    if secret == request_uri or _REFERENCE.fullmatch(secret) is None:
        return None
    return hashlib.sha256(secret.encode()).digest()
