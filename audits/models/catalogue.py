"""What a standard asks: items, high-risk cases, triggers of major risks, and what they link to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from secops.kernel.catalogue import Text

Assess = Literal["auto", "semi", "manual"]
EvidenceForm = Literal["log", "config", "record", "document", "test"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a standard. ``id`` is the level-3 (else level-4) identifier.

    ``clause`` maps level to the standard's clause; ``derived`` are identifiers made by
    counting, which are not official, and ``official`` tells whether ``id`` was read.
    ``differs_at`` are levels whose wording is weaker or stronger than ``requirement``, which
    paraphrases level 3. ``weights`` maps level to the item's weight, 1 where there is none;
    ``extension`` is of cloud, mobile, iot, ics, empty for the general requirements;
    ``strength`` maps level to 可, 宜 or 应 where the standard tells them apart.
    """

    id: str
    class_code: str
    class_title: str
    control_point: Text
    levels: tuple[int, ...]
    differs_at: tuple[int, ...]
    sag: str
    clause: Mapping[int, str]
    derived: Mapping[int, str]
    requirement: Text
    assess: Assess
    evidence: tuple[str, ...]
    class_title_en: str = ""
    official: bool = False
    weights: Mapping[int, Fraction] = field(default_factory=dict)
    extension: str = ""
    strength: Mapping[int, str] = field(default_factory=dict)

    def id_at(self, level: int) -> str:
        """Return the identifier at ``level``, official or derived."""
        return self.derived.get(level, self.id)

    def is_official_at(self, level: int) -> bool:
        """Return whether the identifier at ``level`` was read, not derived by counting."""
        return self.official and level not in self.derived and f"L{level}-" in self.id

    def weight_at(self, level: int) -> Fraction:
        """Return the item's weight at ``level``."""
        return self.weights.get(level, Fraction(1))


@dataclass(frozen=True, slots=True)
class HighRiskCase:
    """A case of a high-risk guideline: from ``min_level`` on, if ``only_if`` is true.

    ``may_lower`` says what mitigates it; where ``never`` holds, nothing does. ``scope`` is an
    extension (cloud, …) or empty; ``doubts`` are said wherever the case is printed.
    ``guideline`` is what it stands in, None for that of the catalogue's own standard.
    """

    id: str
    min_level: int
    trigger: Text
    item: str | None
    may_lower: Text | None = None
    only_if: Text | None = None
    never: Text | None = None
    scope: str = ""
    doubts: tuple[Text, ...] = ()
    guideline: Text | None = None


@dataclass(frozen=True, slots=True)
class MajorTrigger:
    """A trigger of 重大风险隐患 (A-01 to A-32 of the 2025 template's appendix).

    ``scope`` is an extension it belongs to, ``general`` for those of no item, else empty.
    """

    id: str
    trigger: Text
    item: str | None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """A kind of evidence, what it is and which plane has it."""

    id: str
    plane: str
    what: Text
    form: EvidenceForm


@dataclass(frozen=True, slots=True)
class Document:
    """A document a person brings for some items, and after how many months it is stale."""

    id: str
    title: Text
    kind: str
    items: tuple[str, ...]
    valid_months: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """What one item is connected with: evidence kinds, rules, documents, cases, triggers.

    ``read`` are the kinds of evidence that a check of our own reads, none without a check.
    """

    item_id: str
    read: tuple[str, ...]
    evidence: tuple[str, ...]
    rules: tuple[str, ...]
    documents: tuple[str, ...]
    cases: tuple[str, ...]
    triggers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm as the assessment of cryptography sees it: ``bits`` of one not approved.

    ``insecure`` ones are a high risk as well.
    """

    name: str
    approved: bool
    bits: int
    insecure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """An extension catalogue (cloud, mobile, iot, ics) of the same standard."""

    id: str
    title: Text
    items: tuple[Item, ...]
    doubts: tuple[Text, ...]

    def at(self, level: int) -> tuple[Item, ...]:
        """Return the extension's items of ``level``."""
        return tuple(item for item in self.items if level in item.levels)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A standard's items, with totals and references checked.

    ``rules`` maps items to the detection rules that name them; ``evidence`` is by kind, as is
    ``own_evidence``, which checks read though no item names it; ``algorithms`` is by name.
    ``high_risk`` holds the cases of the extensions too. ``digest`` is the SHA-256 (hex) of all
    that was read, as one RFC 8785 object of its files.
    """

    standard: str
    edition: str
    items: tuple[Item, ...]
    high_risk: tuple[HighRiskCase, ...]
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    triggers: tuple[MajorTrigger, ...] = ()
    evidence: Mapping[str, EvidenceKind] = field(default_factory=dict)
    own_evidence: Mapping[str, EvidenceKind] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: tuple[Text, ...] = ()
    algorithms: Mapping[str, Algorithm] = field(default_factory=dict)
    digest: str = ""

    @property
    def every(self) -> tuple[Item, ...]:
        """Return the general items and those of all extensions."""
        return self.of(tuple(self.extensions))

    def at(self, level: int, extensions: Sequence[str] = ()) -> tuple[Item, ...]:
        """Return the items of ``level``, those of the named extensions last."""
        return tuple(item for item in self.of(extensions) if level in item.levels)

    def of(self, extensions: Sequence[str]) -> tuple[Item, ...]:
        """Return the general items and those of the named extensions, of any level."""
        added = (self.extensions[name].items for name in extensions if name in self.extensions)
        return (*self.items, *(item for items in added for item in items))

    def doubts_of(self, extensions: Sequence[str]) -> tuple[Text, ...]:
        """Return what is doubtful about the catalogue and the named extensions of it."""
        added = (self.extensions[name].doubts for name in extensions if name in self.extensions)
        return tuple(dict.fromkeys((*self.doubts, *(each for some in added for each in some))))


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Which items of a standard are wanted; empty texts and 0 filter nothing."""

    standard: str
    level: int = 0
    extensions: tuple[str, ...] = ()
    class_code: str = ""
    assess: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One demand of the check on an item.

    ``object_kind`` is a kind of asset, empty for the system as a whole; ``fact`` is
    ``kind/name``. A demand that is not ``fatal`` makes 部分符合 where it is not met.
    """

    object_kind: str
    fact: str
    expected: str
    fatal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """An item with all it is connected with; nothing is ``asked`` where no check judges it."""

    standard: str
    edition: str
    item: Item
    evidence: tuple[EvidenceKind, ...]
    asked: tuple[Asked, ...]
    rules: tuple[str, ...]
    documents: tuple[Document, ...]
    cases: tuple[HighRiskCase, ...]
    triggers: tuple[MajorTrigger, ...]
    doubts: tuple[Text, ...]
