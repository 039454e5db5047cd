"""Drills: planned, approved by another, run with marked alerts, reported."""

from __future__ import annotations

from playbooks.service.drills.drills import DrillService

__all__ = ["DrillService"]
