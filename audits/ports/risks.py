"""Where risks and scanners' findings are kept, and where severe alerts come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from audits.models.risks import (
    FindingFilter,
    FindingKey,
    Risk,
    RiskFilter,
    Scan,
    ScanFinding,
    SevereAlert,
)
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class Risks(Protocol):
    """Keeps the register of risks, one line per source."""

    def add(self, tx: Transaction, risk: Risk) -> None:
        """Store a new one; raise ``ChangedMeanwhile`` where its source has one."""
        ...

    def get(self, tx: Transaction, org_id: str, risk_id: str) -> Risk:
        """Return it; raise ``RiskNotFound``."""
        ...

    def change(self, tx: Transaction, risk: Risk) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def page(
        self, tx: Transaction, org_id: str, wanted: RiskFilter, page: PageRequest
    ) -> Page[Risk]:
        """Return risks, the newest first."""
        ...

    def of_system(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[Risk]:
        """Return all risks of a system, the gravest first."""
        ...

    def matrix(self, tx: Transaction, org_id: str, system_id: str) -> Mapping[tuple[int, int], int]:
        """Return how many risks that are not closed stand in each (likelihood, impact)."""
        ...

    def known(
        self, tx: Transaction, org_id: str, fingerprints: Sequence[str]
    ) -> Mapping[str, Risk]:
        """Return those of these sources that are in the register, by fingerprint."""
        ...

    def unclosed(self, tx: Transaction, org_id: str) -> int:
        """Return how many of an organisation are not closed."""
        ...


class Scans(Protocol):
    """Keeps scanners' files that were read."""

    def last(self, tx: Transaction, org_id: str, system_id: str, scope: str) -> Scan | None:
        """Return the last scan of a scope by when it was made, None where there is none."""
        ...

    def lasts(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[Scan]:
        """Return the last scan of each scope of a system ("" for all), by system and scope."""
        ...

    def retire(self, tx: Transaction, scan: Scan) -> None:
        """Store that ``scan`` is the last of a scope given up; raise ``ScopeRetired`` if it is."""
        ...

    def add(self, tx: Transaction, scan: Scan) -> None:
        """Store a scan."""
        ...

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[Scan]:
        """Return scans, the last read first."""
        ...


class Findings(Protocol):
    """Keeps what scanners found, over their scans."""

    def states(self, tx: Transaction, org_id: str, system_id: str, scope: str) -> Mapping[str, str]:
        """Return the states of all findings of a scope by fingerprint."""
        ...

    def put(self, tx: Transaction, findings: Sequence[ScanFinding]) -> None:
        """Store findings that are new."""
        ...

    def set(
        self, tx: Transaction, scan: Scan, fingerprints: Collection[str], **values: Any
    ) -> None:
        """Change these findings of the scan's scope in the same way."""
        ...

    def hasten(
        self, tx: Transaction, scan: Scan, fingerprints: Collection[str], due_at: int
    ) -> None:
        """Let these findings of the scan's scope be due at ``due_at``, unless they are before."""
        ...

    def page(
        self, tx: Transaction, org_id: str, wanted: FindingFilter, page: PageRequest
    ) -> Page[ScanFinding]:
        """Return findings, the last seen first."""
        ...

    def find(self, tx: Transaction, org_id: str, key: FindingKey) -> ScanFinding:
        """Return a finding; raise ``ScanNotFound``."""
        ...

    def standing(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[ScanFinding]:
        """Return what is open, or retired without a task that is closed, of a system.

        The gravest first, at most 10,000.
        """
        ...

    def standing_by_scope(
        self, tx: Transaction, org_id: str, system_id: str
    ) -> Mapping[tuple[str, str], int]:
        """Return how many are ``standing`` by (system, scope); "" for all systems."""
        ...

    def counts(self, tx: Transaction, org_id: str, system_id: str, now: int) -> Mapping[str, int]:
        """Return how many findings are ``open`` and ``overdue``, and how many severe ones.

        ``retired`` ones stand though their scope was given up: their task is not closed.
        ``without_task`` are open or so retired, to be mended, and have no task that isn't closed.
        """
        ...


SevereAlerts = Callable[[Actor, int, int], Sequence[SevereAlert]]
"""Returns open alerts of high or critical severity that the actor may see.

Asked for those since an instant (UTC microseconds), at most so many: the critical first, then the
newest first.
"""


def no_alerts(actor: Actor, since: int, limit: int) -> Sequence[SevereAlert]:  # noqa: ARG001 - the port's
    """Return nothing: where there are no detectors."""
    return ()
