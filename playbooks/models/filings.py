"""Reports that the law wants of an incident: declared to be owed, and filed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

Duty = Literal[
    "first_report",
    "relay",
    "closing_report",
    "defect_report",
    "supplement",
    "police_report",
    "inform_affected",
]
DUTIES: Final[dict[Duty, Text]] = {
    "first_report": Text("首报", "First report"),
    "relay": Text("逐级上报", "Upward relay"),
    "closing_report": Text("处置总结报告", "Closing report"),
    "defect_report": Text("安全缺陷、漏洞 24 小时报告", "24-hour report of a defect"),
    "supplement": Text("补报", "Supplement"),
    "police_report": Text("向公安机关报告", "Report to the police"),
    "inform_affected": Text("告知受影响个人", "Inform the people affected"),
}


@dataclass(frozen=True, slots=True)
class Filing:
    """A duty of an incident that a person declared or fulfilled.

    ``filed_at`` (UTC microseconds) is None while it is only declared; ``filed_to`` says by
    which channel it went out, ``reference`` is the receiver's number or "".
    """

    incident_id: str
    duty: str
    org_id: str
    declared_by: str
    declared_at: int
    filed_at: int | None = None
    filed_by: str = ""
    filed_to: str = ""
    reference: str = ""
