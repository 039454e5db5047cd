"""Legal holds: days of logs that retention must leave alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """Logs of events from ``since`` until before ``until`` (UTC microseconds) are kept.

    ``matter`` names the case it is for. ``lifted_at`` 0: it is in force; whoever lifts it is
    another person than ``placed_by``.
    """

    id: str
    org_id: str
    matter: str
    reason: str
    since: int
    until: int
    placed_by: str
    placed_at: int
    lifted_by: str = ""
    lifted_at: int = 0
    lift_reason: str = ""
