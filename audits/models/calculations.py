"""What goes into the calculators and what comes out of them.

Every result names its ``edition``, the ``parameters`` that were used, its ``figures`` (rounded,
for print) and the ``doubts`` that have to stand beside them. A figure that can't be given is
not there: 未核查 is no verdict, so nothing is computed as if it were one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from secops.kernel.catalogue import Text

Side = Literal["technical", "management"]
RiskLevel = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class ItemValue:
    """An item of the 2021 score: its ``value`` in [0, 1], None while it is 未核查.

    Items that are 不适用 are left out. ``weight`` is 1 一般, 2 重要 or 3 关键.
    """

    item_id: str
    side: Side
    value: Fraction | None
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Score2021:
    """The score of the 2021 template; ``score`` and ``grade`` are None while items are 未核查.

    ``lowest`` and ``highest`` are the scores if all of these were 0 or 1. ``applies`` is None
    without a cover date.
    """

    edition: Text
    applies: bool | None
    items: int
    unassessed: int
    technical: Decimal | None
    management: Decimal | None
    score: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None
    grade: Text | None
    figures: Mapping[str, str]
    parameters: Mapping[str, str]
    doubts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Majors:
    """重大风险隐患: how many were ``found`` before rectification, how many are ``rectified``."""

    found: int = 0
    rectified: int = 0

    @property
    def text(self) -> str:
        """Return the count as the template prints it: ``10（5个已整改）``."""
        return f"{self.found}（{self.rectified}个已整改）" if self.rectified else str(self.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate2025:
    """符合率 and conclusion of the 2025 template.

    ``strict`` = 符合 / applicable and ``weighted`` (部分符合 counts a half) are exact, None
    where nothing is applicable; ``rate`` is the one the conclusion rests on. ``conclusion`` is
    None while anything applicable is 未核查.
    """

    edition: Text
    applies: bool | None
    applicable: int
    unassessed: int
    strict: Fraction | None
    weighted: Fraction | None
    rate: Fraction | None
    majors: Majors
    conclusion: Text | None
    figures: Mapping[str, str]
    parameters: Mapping[str, str]
    doubts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class CryptoObject:
    """One object under a technical unit of GB/T 39786, as D, A and K see it.

    ``bits`` is the strength of an algorithm that is not approved; ``module_level`` the level
    (GB/T 37092) of the certified module that holds the keys, 0 for software without one.
    """

    name: str
    effective: bool
    approved: bool
    managed: bool
    bits: int = 0
    module_level: int = 0


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """What an object scored (4 places), and why its keys do not count, where they don't."""

    name: str
    score: Decimal
    reason: Text | None = None


UnitState = Literal["judged", "not_applicable", "unassessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEntry:
    """How one unit was judged.

    Technical units bring ``objects``, management units a ``value`` of 1, 0.5 or 0.
    ``compensated_by`` is the unit that makes up for this one, which counts only with the name
    of the person who confirmed it (``confirmed_by``).
    """

    unit_id: str
    state: UnitState = "judged"
    objects: tuple[CryptoObject, ...] = ()
    value: Fraction | None = None
    compensated_by: str = ""
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class UnitScore:
    """A unit's score (4 places): ``own`` before compensation, None if it has none."""

    unit_id: str
    state: UnitState
    own: Decimal | None
    score: Decimal | None
    objects: tuple[ObjectScore, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerScore:
    """A layer's score (4 places); None where it is not applicable or not judged."""

    layer: str
    side: Side
    weight: int
    state: UnitState
    score: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoScore:
    """密评: S with its layers and units.

    ``score`` is None while a unit is 未核查 or a whole group is not applicable; then there is
    no ``conclusion`` either.
    """

    edition: Text
    level: int
    units: tuple[UnitScore, ...]
    layers: tuple[LayerScore, ...]
    unassessed: int
    score: Decimal | None
    conclusion: Text | None
    figures: Mapping[str, str]
    parameters: Mapping[str, str]
    doubts: tuple[Text, ...]


CaseCode = Literal["none", "pending", "high", "high_lowerable", "mitigated"]
CASE_CODES: Final[dict[CaseCode, Text]] = {
    "none": Text("不适用", "no high risk"),
    "pending": Text("待人工", "a person has to judge"),
    "high": Text("高风险", "high risk"),
    "high_lowerable": Text("高风险(可缓解)", "high risk that could be mitigated"),
    "mitigated": Text("已缓解(附证据)", "mitigated, with evidence"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnswers:
    """What a named person answered on a high-risk case; None is an answer not yet given.

    ``condition`` says whether ``only_if`` holds, ``triggered`` whether the trigger is met,
    ``never`` whether that holds for which nothing lowers. ``evidence`` are digests that prove
    the mitigation.
    """

    level: int
    condition: bool | None = None
    triggered: bool | None = None
    never: bool | None = None
    mitigated: bool = False
    evidence: tuple[str, ...] = ()
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """The state of a high-risk case under somebody's answers."""

    case_id: str
    edition: Text
    code: CaseCode
    reason: Text
    confirmed_by: str = ""
    evidence: tuple[str, ...] = ()
    parameters: Mapping[str, str]
    doubts: tuple[Text, ...] = ()

    @property
    def state(self) -> Text:
        """Return the state's name."""
        return CASE_CODES[self.code]

    @property
    def is_high(self) -> bool:
        """Whether a high risk stands."""
        return self.code in ("high", "high_lowerable")


MajorCode = Literal["pending", "none", "found", "rectified"]
MAJOR_CODES: Final[dict[MajorCode, Text]] = {
    "pending": Text("待人工", "a person has to judge"),
    "none": Text("不构成重大风险隐患", "no major risk"),
    "found": Text("重大风险隐患", "major risk"),
    "rectified": Text("重大风险隐患(已整改)", "major risk, rectified"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorTicks:
    """A person's ticks on 相关性, 严重性 and 高发性; None is not yet ticked.

    ``trigger_id`` is one of A-01 to A-32, or empty where several lesser problems (``items``)
    add up to one major risk.
    """

    trigger_id: str = ""
    items: tuple[str, ...] = ()
    relevant: bool | None = None
    severe: bool | None = None
    frequent: bool | None = None
    rectified: bool = False
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorState:
    """Whether the ticks make a 重大风险隐患."""

    trigger_id: str
    edition: Text
    code: MajorCode
    reason: Text
    confirmed_by: str = ""
    parameters: Mapping[str, str]
    doubts: tuple[Text, ...] = ()

    @property
    def state(self) -> Text:
        """Return the state's name."""
        return MAJOR_CODES[self.code]


Harmed = Literal["citizens", "society", "state"]
HARMED: Final[dict[Harmed, Text]] = {
    "citizens": Text("公民、法人和其他组织的合法权益", "rights of citizens and legal persons"),
    "society": Text("社会秩序、公共利益", "social order and public interest"),
    "state": Text("国家安全", "national security"),
}
Degree = Literal["ordinary", "serious", "grave"]
DEGREES: Final[dict[Degree, Text]] = {
    "ordinary": Text("一般损害", "harm"),
    "serious": Text("严重损害", "serious harm"),
    "grave": Text("特别严重损害", "particularly serious harm"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """A proposed grading: S by harm to information, A by harm to the service, level = max.

    It is an aid: experts review it and the authority approves it.
    """

    edition: Text
    s_level: int
    a_level: int
    level: int
    sag: str
    retest_months: int | None
    figures: Mapping[str, str]
    parameters: Mapping[str, str]
    doubts: tuple[Text, ...]
