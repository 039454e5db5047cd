"""Bundles as ``tools/collect_host.sh`` writes them, made of texts; and what hosts say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

FIRST = b"GOVSECOPS-BUNDLE 1\n"
FINISHED = 1_790_000_000
"""The host's clock at the end of collecting, UTC seconds: 21 September 2026."""
META = {
    "collector": "1",
    "host": "oa-web-01",
    "kernel": "Linux 6.1.0-18-amd64 x86_64",
    "uid": "0",
    "container": "no",
    "finished": str(FINISHED),
}


def section(name: str, content: bytes, state: str = "ok", code: int = 0) -> tuple[bytes, bytes]:
    """Return a section's line and its whole."""
    digest = hashlib.sha256(content).hexdigest()
    line = f"@ {state} {code} {len(content)} {digest} {name}\n".encode()
    return line, line + content + b"\n"


def assembled(*sections: tuple[bytes, bytes]) -> bytes:
    """Return a bundle of sections with its end."""
    manifest = hashlib.sha256(b"".join(line for line, _ in sections)).hexdigest()
    end = f"@end {len(sections)} {manifest}\n".encode()
    return FIRST + b"".join(whole for _, whole in sections) + end


def bundle(
    texts: Mapping[str, str], refused: Mapping[str, tuple[str, str]] | None = None, **meta: str
) -> bytes:
    """Return a bundle; ``refused`` gives (state, reason) of sections that were not read."""
    said = "".join(f"{name}={value}\n" for name, value in (META | meta).items())
    return assembled(
        *(section(name, text.encode()) for name, text in texts.items()),
        *(
            section(name, reason.encode(), state, 1)
            for name, (state, reason) in (refused or {}).items()
        ),
        section("meta", said.encode()),
    )
