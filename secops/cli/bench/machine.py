"""This machine beside the figures: its openssl, its disk, its cores and who else is busy."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from secops.adapters.disk import sync_seconds
from secops.cli.bench.figures import figure

_SPEED: Final = ("openssl", "speed", "-seconds", "1")
_LINE: Final = re.compile(
    r"^\s*\d+ bits (.+?)\s+[\d.]+s\s+[\d.]+s\s+([\d.]+)\s+([\d.]+)\s*$", re.MULTILINE
)
_TIMEOUT: Final = 60


def machine_state() -> str:
    """Return cores and load average in one line."""
    one, five, _ = os.getloadavg()
    return f"{os.cpu_count()} cores, load average {one:.2f} {five:.2f}"


def machine_figures() -> list[dict[str, Any]]:
    """Return openssl's rates of P-256 and SM2, and the disk's median ``fdatasync``."""
    with tempfile.TemporaryDirectory() as folder:
        sync = sync_seconds(Path(folder))
    return [
        *openssl_figures(),
        figure("machine fdatasync p50", sync * 1000, "ms", "4 KiB, 64 writes, temporary folder"),
    ]


def openssl_figures() -> list[dict[str, Any]]:
    """Return what ``openssl speed -seconds 1`` says; nothing where openssl is missing."""
    found = []
    for algorithm in ("ecdsap256", "sm2"):
        try:
            ran = subprocess.run(  # noqa: S603 - fixed words
                [*_SPEED, algorithm], capture_output=True, text=True, timeout=_TIMEOUT, check=True
            )
        except (OSError, subprocess.SubprocessError):
            continue
        found += speed_figures(algorithm, ran.stdout)
    return found


def speed_figures(algorithm: str, output: str) -> list[dict[str, Any]]:
    """Return the rates in ``output`` of ``openssl speed``."""
    return [
        figure(
            f"machine openssl {algorithm} {verb}",
            float(rate),
            "operations/CPU-s",
            f"openssl speed -seconds 1 {algorithm}, one thread: {label.strip()}",
            per_cpu_second=float(rate),
        )
        for label, signs, verifies in _LINE.findall(output)
        for verb, rate in (("sign", signs), ("verify", verifies))
    ]
