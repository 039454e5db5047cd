"""The ledger's records for the log store: the platform watches itself."""

from __future__ import annotations

from collections.abc import Sequence

from audits.service import AuditsServices
from secops.kernel.errors import Unavailable


class LedgerActs:
    """Fills ``detectors.ports.OwnActs`` from audits, which is installed later."""

    def __init__(self) -> None:
        self._audits: AuditsServices | None = None

    def bind(self, audits: AuditsServices) -> None:
        """Read from this ledger from now on."""
        self._audits = audits

    def records_from(self, first: int, count: int) -> Sequence[bytes]:
        """Return at most ``count`` leaf records from index ``first`` on, in order."""
        if self._audits is None:
            return ()
        found = self._audits.ledger.store.entries(first, count)
        return [stored.entry.record for stored in found]


class AuditedHolds:
    """Fills ``detectors.ports.HeldDays`` from audits, which is installed later."""

    def __init__(self) -> None:
        self._audits: AuditsServices | None = None

    def bind(self, audits: AuditsServices) -> None:
        """Ask this plane from now on."""
        self._audits = audits

    def __call__(self) -> Sequence[tuple[int, int]]:
        """Return the windows under a legal hold; raise ``Unavailable`` before audits is there."""
        if self._audits is None:
            raise Unavailable("nobody can tell yet what is under a legal hold")
        return self._audits.holds.held_windows()
