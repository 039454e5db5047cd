"""Early warnings (预警) in four colours: drafted, approved, issued, adjusted, lifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

WarningColour = Literal["red", "orange", "yellow", "blue"]
WARNING_COLOURS: Final[dict[WarningColour, Text]] = {
    "red": Text("红色预警(特别重大)", "Red (especially major)"),
    "orange": Text("橙色预警(重大)", "Orange (major)"),
    "yellow": Text("黄色预警(较大)", "Yellow (considerable)"),
    "blue": Text("蓝色预警(一般)", "Blue (ordinary)"),
}
"""The gravest first."""

WarningState = Literal["draft", "review", "approved", "issued", "adjusted", "lifted", "withdrawn"]
WARNING_STATES: Final[dict[WarningState, Text]] = {
    "draft": Text("拟稿", "Draft"),
    "review": Text("审核", "In review"),
    "approved": Text("已批准", "Approved"),
    "issued": Text("已发布", "Issued"),
    "adjusted": Text("已调整", "Adjusted"),
    "lifted": Text("已解除", "Lifted"),
    "withdrawn": Text("已撤回", "Withdrawn"),
}
MAX_TEXT: Final = 2_000
"""Characters of a scope, and of measures."""

IN_FORCE: Final[tuple[WarningState, ...]] = ("issued", "adjusted")


@dataclass(frozen=True, slots=True)
class WarningContent:
    """What a warning says; its scope and its end (UTC microseconds) are never left open."""

    colour: WarningColour
    title: str
    scope: str
    measures: str
    ends_at: int


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """A warning of the organisation ``org_id`` and all below it.

    ``wanted`` is an adjustment that waits for approval; ``content`` stays in force until then.
    """

    id: str
    org_id: str
    content: WarningContent
    state: WarningState
    authors: tuple[str, ...]
    drafted_at: int
    changed_at: int
    wanted: WarningContent | None = None
    digest: str = ""
    approval_id: str = ""
    approver_id: str = ""
    issued_at: int | None = None
    lifted_at: int | None = None
    reason: str = ""
    version: int = 1

    def in_force(self, now: int) -> bool:
        """Tell whether it warns now: expiry is computed, nobody has to end it."""
        return self.state in IN_FORCE and now <= self.content.ends_at
