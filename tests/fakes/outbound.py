"""The way out, which answers what the test says and remembers what was posted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from secops.kernel.errors import SecopsError


@dataclass
class FakeOutbound:
    """``answer`` is status and body; ``error`` is raised instead; ``file`` counts posts."""

    answer: tuple[int, bytes] = (200, b'{"errcode":0,"code":0}')
    error: SecopsError | None = None
    file: Path | None = None
    posted: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str], *, timeout: float) -> tuple[int, bytes]:
        assert timeout > 0
        self.posted.append((url, b"", headers))
        if self.error is not None:
            raise self.error
        return self.answer

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> tuple[int, bytes]:
        assert timeout > 0
        self.posted.append((url, body, headers))
        if self.file is not None:
            known = json.loads(self.file.read_text()) if self.file.exists() else []
            self.file.write_text(json.dumps([*known, headers.get("idempotency-key", "")]))
        if self.error is not None:
            raise self.error
        return self.answer
