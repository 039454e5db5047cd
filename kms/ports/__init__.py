"""What keys and seals need from outside, one file per family."""

from __future__ import annotations

from dataclasses import dataclass

from kms.ports.keys import Subjects

__all__ = ["KmsPorts", "Subjects"]


@dataclass(frozen=True, slots=True)
class KmsPorts:
    """What other planes provide; ``secops.bridges`` fills it."""

    subjects: Subjects
