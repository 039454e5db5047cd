"""What a check says: a small language over snapshots in which missing data is never 符合."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from audits.models.assessments import Status
from audits.models.evidence import Fact, Observation, Snapshot
from secops.kernel.catalogue import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's result before it becomes a verdict."""

    status: Status
    reason: Text
    observations: tuple[Observation, ...]
    evidence: tuple[Snapshot, ...]


@dataclass(slots=True)
class Looking:
    """Looks at facts one by one and remembers what was expected, seen, or missing.

    ``fatal`` observations that fail make the item 不符合, the others 部分符合.
    """

    snapshots: Mapping[str, Snapshot]
    observations: list[Observation] = field(default_factory=list)
    used: dict[str, Snapshot] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    failed: bool = False
    lessened: bool = False

    def fact(self, name: str) -> Fact | None:
        """Return the fact ``kind/name``, None if nobody could read it."""
        kind, _, key = name.partition("/")
        snapshot = self.snapshots.get(kind)
        if snapshot is None or key not in snapshot.facts:
            self.missing.append(name)
            return None
        self.used[kind] = snapshot
        return snapshot.facts[key]

    def number(self, name: str) -> int | None:
        """Return a numeric fact; a text that is no number could not be read."""
        value = self.fact(name)
        try:
            return None if value is None else int(value)
        except ValueError:
            self.missing.append(name)
            return None

    def expect(
        self, name: str, expected: str, holds: Callable[[int], bool], *, fatal: bool = True
    ) -> None:
        """Note whether the number ``name`` holds."""
        value = self.number(name)
        if value is not None:
            self.note(name, expected, str(value), ok=holds(value), fatal=fatal)

    def expect_true(self, name: str, expected: str, *, fatal: bool = True) -> None:
        """Note whether the boolean ``name`` is true."""
        value = self.fact(name)
        if value is not None:
            self.note(name, expected, str(value).lower(), ok=value is True, fatal=fatal)

    def note(self, name: str, expected: str, seen: str, *, ok: bool, fatal: bool = True) -> None:
        """Remember one observation."""
        self.observations.append(Observation(name, expected, seen, ok))
        self.failed = self.failed or (not ok and fatal)
        self.lessened = self.lessened or (not ok and not fatal)

    def finding(self) -> Finding:
        """Return the finding: a failure stands even where other facts are missing."""
        return Finding(
            *self._status(),
            observations=tuple(self.observations),
            evidence=tuple(self.used.values()),
        )

    def _status(self) -> tuple[Status, Text]:
        seen = "; ".join(f"{o.fact}={o.seen}" for o in self.observations if not o.ok)
        if self.failed:
            return "noncompliant", Text(f"未达到要求: {seen}", f"fails: {seen}")
        if self.missing or not self.observations:
            names = ", ".join(sorted(set(self.missing or self.used)))
            return "unassessed", Text(f"缺少证据: {names}", f"evidence is missing: {names}")
        if self.lessened:
            return "partial", Text(f"部分达到: {seen}", f"partly met: {seen}")
        return "compliant", Text(
            "机器核查的各项均达到,待具名人员确认", "all that was checked holds; a person confirms"
        )


Check = Callable[[Looking], None]
