"""The ledger's records for the log store: the platform watches itself."""

from __future__ import annotations

from collections.abc import Sequence

from audits.service import AuditsServices


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
