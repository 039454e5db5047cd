"""The network as applications with back channels see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass
class BackChannels:
    """What applications' back channels were told; nothing else is on this network."""

    told: list[tuple[str, str]] = field(default_factory=list)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Take a logout token and confirm it."""
        self.told.append((url, parse_qs(body.decode())["logout_token"][0]))
        return 200, b""

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        """Nobody is asked for anything."""
        raise AssertionError(url)

    def open_tls(self, host: str, port: int, timeout: float, negotiate: Any = None) -> Any:
        """Nobody is asked for anything."""
        raise AssertionError(host)
