"""Envoy's own program, from its wheel, in a cache outside the tree (``install.sh``)."""

from __future__ import annotations

from pathlib import Path


def envoy_program() -> Path:
    """Return where ``install.sh`` puts it."""
    return Path.home() / ".cache" / "govsecops" / "envoy" / "envoy" / "_bin" / "envoy"


def missing() -> str:
    """Return why Envoy can't run here; empty if it can."""
    if envoy_program().exists():
        return ""
    return "Envoy is not installed; run tests/services/install.sh"
