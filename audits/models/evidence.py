"""Evidence: facts as somebody or something saw them, and what was expected of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Fact = str | int | bool

WHOLE: Final = ""
"""The object of evidence on a system as a whole, or on this platform itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a snapshot came from.

    ``source`` names the part that looked (``secops.bridges.evidence:iam.users``, a collector),
    ``version`` that part's version, ``query`` what it asked, ``window`` the instants it asked
    about (UTC microseconds), ``link`` the console's address that opens the exact raw events
    again, ``raw`` the SHA-256 (hex) of the raw output among the blobs.
    """

    source: str
    version: str = "1"
    query: str = ""
    window: tuple[int, int] | None = None
    link: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Machine evidence: facts of one ``kind`` (``iam.roles``) about one object, at one instant.

    ``digest`` is the SHA-256 of its canonical JSON, under which the blob store keeps it. A
    fact that could not be read is not there. ``object_id`` is an asset's id, or ``WHOLE``.
    """

    kind: str
    facts: Mapping[str, Fact]
    origin: Origin
    taken_at: int
    object_id: str = WHOLE
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was looked at: the fact's name, what was expected and what was seen."""

    fact: str
    expected: str
    seen: str
    ok: bool
