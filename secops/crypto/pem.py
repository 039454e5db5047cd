"""PEM (RFC 7468), written."""

from __future__ import annotations

import base64
import textwrap
from typing import Final

_WIDTH: Final = 64


def to_pem(label: str, content: bytes) -> str:
    """Return DER ``content`` as PEM."""
    lines = "\n".join(textwrap.wrap(base64.b64encode(content).decode(), _WIDTH))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
