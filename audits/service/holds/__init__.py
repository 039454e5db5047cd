"""Legal holds: what retention must leave alone, placed by one person and lifted by another."""

from audits.service.holds.holds import HoldService, NewHold

__all__ = ["HoldService", "NewHold"]
