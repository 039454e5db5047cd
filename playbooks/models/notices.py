"""Notices (通报) as they are drafted, issued, received, answered, verified and filed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

NoticeState = Literal["draft", "review", "approved", "issued", "closed", "archived", "withdrawn"]
NOTICE_STATES: Final[dict[NoticeState, Text]] = {
    "draft": Text("拟稿", "Draft"),
    "review": Text("审核", "In review"),
    "approved": Text("已签发,待编号用印", "Approved, to be numbered and sealed"),
    "issued": Text("已发", "Issued"),
    "closed": Text("办结", "Closed"),
    "archived": Text("归档", "Archived"),
    "withdrawn": Text("已撤回", "Withdrawn"),
}

DeliveryState = Literal["pending", "received", "responded", "rectified", "closed"]
DELIVERY_STATES: Final[dict[DeliveryState, Text]] = {
    "pending": Text("待签收", "To be received"),
    "received": Text("已签收", "Received"),
    "responded": Text("已反馈", "Responded"),
    "rectified": Text("已整改,待复核", "Rectified, to be verified"),
    "closed": Text("办结", "Closed"),
}
OPEN_DELIVERIES: Final[tuple[DeliveryState, ...]] = (
    "pending",
    "received",
    "responded",
    "rectified",
)

MAX_TITLE: Final = 120
MAX_BODY: Final = 20_000
"""Characters."""

NoticeSeverity = Literal["high", "medium", "low"]
NOTICE_SEVERITIES: Final[dict[NoticeSeverity, Text]] = {
    "high": Text("高", "High"),
    "medium": Text("中", "Medium"),
    "low": Text("低", "Low"),
}

Owed = Literal["receive", "rectify", "verify"]
OWED: Final[dict[Owed, Text]] = {
    "receive": Text("签收", "Receipt"),
    "rectify": Text("整改", "Rectification"),
    "verify": Text("复核", "Verification"),
}

PetitionKind = Literal["extension", "appeal"]
PETITION_KINDS: Final[dict[PetitionKind, Text]] = {
    "extension": Text("延期", "Extension"),
    "appeal": Text("申诉", "Appeal"),
}
PetitionState = Literal["pending", "granted", "refused"]
PETITION_STATES: Final[dict[PetitionState, Text]] = {
    "pending": Text("待审批", "Pending"),
    "granted": Text("同意", "Granted"),
    "refused": Text("不同意", "Refused"),
}
Ending = Literal["", "verified", "appealed", "withdrawn"]
ENDINGS: Final[dict[Ending, Text]] = {
    "": Text("—", "—"),
    "verified": Text("复核通过", "Verified"),
    "appealed": Text("申诉成立", "Appeal granted"),
    "withdrawn": Text("通报撤回", "Notice withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a notice says and to whom; the approval is bound to it.

    ``units`` are ids of organisations. ``check`` names what verification runs again:
    ``detector:RULE``, ``control:STANDARD:LEVEL:ITEM``, or "" for a person's eyes alone.
    """

    title: str
    body: str
    severity: NoticeSeverity
    urgent: bool
    units: tuple[str, ...]
    check: str = ""
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """What issuing added: who sealed it when, and the sealed file's digests (hex)."""

    by: str
    at: int
    seal: str
    sha256: str
    sm3: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of the issuer ``org_id``. ``authors`` are all who wrote in it.

    ``year`` and ``number`` are 0 until the first attempt to issue, and never change after it.
    ``origin`` is the key of the playbook step that drafted it, or "".
    """

    id: str
    org_id: str
    content: Content
    state: NoticeState
    authors: tuple[str, ...]
    drafted_at: int
    changed_at: int
    digest: str = ""
    approval_id: str = ""
    approver_id: str = ""
    year: int = 0
    number: int = 0
    issue: Issue | None = None
    reason: str = ""
    origin: str = ""
    version: int = 1

    @property
    def reference(self) -> str:
        """〔year〕n, or "" while it has none."""
        return f"〔{self.year}〕{self.number}" if self.number else ""


@dataclass(frozen=True, slots=True)
class Recheck:
    """What came of running a detector or a control again: ``passed`` None is "can't tell"."""

    check: str
    passed: bool | None
    summary: Text
    at: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice at one unit, ``org_id``. Instants are UTC microseconds, None until they are.

    ``hands`` are all who acted for the unit: none of them verifies. ``late`` names the steps
    that came after their deadline. ``guessed`` are years whose holidays nobody had entered.
    """

    notice_id: str
    org_id: str
    issuer_id: str
    state: DeliveryState
    receive_due: int
    rectify_due: int
    severity: NoticeSeverity
    issued_at: int
    received_at: int | None = None
    response: str = ""
    rectification: str = ""
    rectified_at: int | None = None
    verify_due: int | None = None
    rounds: int = 0
    extensions: int = 0
    hands: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    guessed: tuple[int, ...] = ()
    recheck: str = ""
    verified_by: str = ""
    closed_at: int | None = None
    ending: Ending = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Debt:
    """What is owed next, and by when (UTC microseconds)."""

    what: Owed
    due: int

    def overdue(self, now: int) -> bool:
        """Tell whether it is over: the last second counts still."""
        return now > self.due


@dataclass(frozen=True, slots=True)
class Proof:
    """A file that proves a rectification; ``round`` counts from 0, digests are hex.

    It lies encrypted in ``blob``; the digests are those of the file.
    """

    id: str
    notice_id: str
    org_id: str
    round: int
    name: str
    size: int
    sha256: str
    sm3: str
    added_by: str
    added_at: int
    blob: str


@dataclass(frozen=True, slots=True)
class Petition:
    """What a unit asks for: more ``days`` (working days), or to be let off."""

    id: str
    notice_id: str
    org_id: str
    issuer_id: str
    kind: PetitionKind
    reason: str
    days: int
    requester_id: str
    requested_at: int
    state: PetitionState = "pending"
    decided_by: str = ""
    decided_at: int | None = None
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A line of a notice's history; ``unit_id`` "" concerns all of it."""

    notice_id: str
    seq: int
    org_id: str
    unit_id: str
    at: int
    actor_id: str
    kind: str
    text: str


SCORE_FORMULA: Final = Text(
    "得分 = 40 × 按时率 + 40 × 办结率 + 20 ×(1 − 重复率)。按时率 = 按时完成的签收和整改 ÷ 应完成的"
    "签收和整改;办结率 = 复核通过 ÷ 通报数;重复率 =(退回轮次 + 同一检查项再次被通报)÷ 通报数,"
    "不超过 1。撤回的和申诉成立的通报不计。",
    "Score = 40 × in time + 40 × closed + 20 × (1 − repeated). In time: receipts and "
    "rectifications done in time ÷ those owed; closed: verified ÷ notices; repeated: (returns + "
    "notices of a check that the unit had a notice of before) ÷ notices, at most 1. Notices "
    "withdrawn, and those whose appeal was granted, don't count.",
)


@dataclass(frozen=True, slots=True)
class Score:
    """How a unit did (考核), in thousandths; the parts stand beside the result."""

    org_id: str
    notices: int
    owed: int
    in_time: int
    closed: int
    returned: int
    repeated: int
    score: int


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """What verifying a sealed notice found; ``steps`` are (what, said) by signature."""

    valid: bool
    steps: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class UsableSeal:
    """A seal that somebody may use now."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PrintedNotice:
    """A notice as it is set: an official document's parts as plain text."""

    issuer: str
    reference: str
    title: str
    units: tuple[str, ...]
    paragraphs: tuple[str, ...]
    facts: Mapping[str, str]
    date: str
    at: int
