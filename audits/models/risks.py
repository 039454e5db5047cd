"""The register of risks (GB/T 20984-2022) and what scanners find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

RiskSource = Literal["alert", "item", "scan", "manual"]
RISK_SOURCES: Final[dict[RiskSource, Text]] = {
    "alert": Text("告警", "alert"),
    "item": Text("不符合条目", "failed item"),
    "scan": Text("扫描发现", "scanner's finding"),
    "manual": Text("人工登记", "entered by a person"),
}
RiskState = Literal["identified", "treating", "accepted", "closed"]
RISK_STATES: Final[dict[RiskState, Text]] = {
    "identified": Text("已识别", "identified"),
    "treating": Text("处置中", "under treatment"),
    "accepted": Text("已接受", "accepted"),
    "closed": Text("已关闭", "closed"),
}
Treatment = Literal["", "reduce", "accept", "transfer", "avoid"]
TREATMENTS: Final[dict[Treatment, Text]] = {
    "": Text("未决定", "undecided"),
    "reduce": Text("降低", "reduce"),
    "accept": Text("接受", "accept"),
    "transfer": Text("转移", "transfer"),
    "avoid": Text("规避", "avoid"),
}
Severity = Literal["critical", "high", "medium", "low", "info"]
SEVERITIES: Final[dict[Severity, Text]] = {
    "critical": Text("严重", "critical"),
    "high": Text("高危", "high"),
    "medium": Text("中危", "medium"),
    "low": Text("低危", "low"),
    "info": Text("信息", "informational"),
}
SEVERE: Final[tuple[Severity, ...]] = ("critical", "high")
DUE_DAYS: Final[Mapping[Severity, int]] = {"critical": 7, "high": 30, "medium": 90, "low": 180}
"""Days in which a finding is to be mended: a policy value of ours, in no standard; info: none."""
FindingState = Literal["open", "gone", "retired"]
FINDING_STATES: Final[dict[FindingState, Text]] = {
    "open": Text("存在", "open"),
    "gone": Text("复扫已消失", "gone in a later scan"),
    "retired": Text("范围已停用", "its scope is retired"),
}
ScopeState = Literal["used", "retired"]
SCOPE_STATES: Final[dict[ScopeState, Text]] = {
    "used": Text("在用", "in use"),
    "retired": Text("已停用", "retired"),
}


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """What a risk is about: ``threat`` is a code of the kinds of threats."""

    title: str
    asset_name: str
    threat: str
    weakness: str
    measures: str = ""
    asset_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One line of the register. Ratings go from 1 (very low) to 5 (very high), 0 is not rated.

    ``rated_by`` is empty while the ratings are the machine's proposal. ``fingerprint`` says
    which source it is, so that the same one is not entered twice; ``seen`` counts how often
    the source came up. Times are UTC microseconds, 0 what hasn't happened.
    """

    id: str
    org_id: str
    system_id: str
    title: str
    asset_id: str = ""
    asset_name: str
    threat: str
    weakness: str
    measures: str = ""
    likelihood: int
    impact: int
    level: int
    rated_by: str = ""
    treatment: Treatment = ""
    plan: str = ""
    owner_id: str = ""
    owner_name: str = ""
    due_at: int = 0
    residual_likelihood: int = 0
    residual_impact: int = 0
    residual_level: int = 0
    state: RiskState = "identified"
    source: RiskSource
    source_ref: str = ""
    fingerprint: str
    seen: int = 1
    first_seen_at: int
    last_seen_at: int
    approval_id: str = ""
    digest: str = ""
    asked_by: str = ""
    asked_reason: str = ""
    asked_until: int = 0
    accepted_by: str = ""
    accepted_name: str = ""
    accepted_at: int = 0
    accepted_until: int = 0
    closed_by: str = ""
    closed_at: int = 0
    made_by: str
    made_at: int
    version: int = 1

    def overdue(self, now: int) -> bool:
        """Tell whether its treatment is late, or its acceptance over."""
        if self.state == "closed":
            return False
        due = self.accepted_until if self.state == "accepted" else self.due_at
        return 0 < due < now

    @property
    def waits(self) -> bool:
        """Whether somebody asked for acceptance and nobody has decided."""
        return bool(self.approval_id)


@dataclass(frozen=True, slots=True)
class RiskFilter:
    """Which risks; empty and 0 take any. ``state`` may be ``overdue`` or ``unclosed`` too."""

    system_id: str = ""
    state: str = ""
    level: int = 0
    cell: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class RiskSeen:
    """A source of risk as it was seen just now, with proposed ratings."""

    source: RiskSource
    source_ref: str
    fingerprint: str
    facts: RiskFacts
    likelihood: int
    impact: int
    at: int


@dataclass(frozen=True, slots=True)
class SevereAlert:
    """An alert of high or critical severity. ``subjects`` are the names it is about."""

    id: str
    rule_id: str
    title: str
    critical: bool
    subjects: Mapping[str, str]
    at: int


@dataclass(frozen=True, slots=True)
class ParsedFinding:
    """A finding as a scanner's file tells it; ``asset`` is the scanner's word for where."""

    rule_id: str
    title: str
    severity: Severity
    asset: str
    place: str
    description: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ParsedScan:
    """What a scanner's file holds. ``doubts`` say what was left out.

    ``suppressed`` are fingerprints of what the scanner saw and was told not to count.
    """

    scanner: str
    findings: tuple[ParsedFinding, ...]
    doubts: tuple[Text, ...] = ()
    suppressed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A scanner's file, read. ``scope`` names what was scanned: later scans replace earlier.

    A scope is retired where its last scan is: ``retired_at`` is when nobody waited for the next
    one any more, 0 while somebody does.
    """

    id: str
    org_id: str
    system_id: str
    scope: str
    scanner: str
    format: str
    sha256: str
    scanned_at: int
    imported_at: int
    imported_by: str
    findings: int
    added: int = 0
    gone: int = 0
    retired_at: int = 0
    retired_by: str = ""
    retired_reason: str = ""


@dataclass(frozen=True, slots=True)
class ScanScope:
    """A scope by its last scan; ``standing`` findings neither went nor had their task ended."""

    last: Scan
    standing: int

    @property
    def state(self) -> ScopeState:
        """Whether scans of it are still waited for."""
        return "retired" if self.last.retired_at else "used"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFinding:
    """A finding over its scans. ``due_at`` is 0 for what need not be mended."""

    org_id: str
    system_id: str
    scope: str
    fingerprint: str
    rule_id: str
    title: str
    severity: Severity
    asset: str
    place: str
    description: str
    state: FindingState = "open"
    first_scan: str
    last_scan: str
    first_at: int
    last_at: int
    gone_at: int = 0
    due_at: int

    def overdue(self, now: int) -> bool:
        """Tell whether it should have been mended by now."""
        return self.state == "open" and 0 < self.due_at < now


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings of scanners; empty takes any."""

    system_id: str = ""
    scope: str = ""
    state: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class FindingKey:
    """Which finding of a scanner."""

    system_id: str
    scope: str
    fingerprint: str
