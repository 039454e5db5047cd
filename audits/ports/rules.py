"""The rules that ship with the product: catalogues, detection rules, policies, playbooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShippedRules:
    """The release that is installed, and the SHA-256 (hex) of each of its rules' files by path."""

    release: str
    files: Mapping[str, str]


ReadShippedRules = Callable[[], ShippedRules]
"""Reads them anew; raises OSError where that fails."""
