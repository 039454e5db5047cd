"""Rules as a scan needs them: a program, and of each rule what is printed.

Kept as JSON under a stamp of the files' sizes and times, so that thousands of unchanged rules
need not even be read again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import orjson

from detectors.core.engine.numbering import FieldImage, Image, numbered
from detectors.models.rules import RuleProblem, Severity

if TYPE_CHECKING:  # what is in the cache needs neither
    from detectors.core.sigma.rule import RuleSet
    from detectors.ports import RuleCache


@dataclass(frozen=True, slots=True)
class Brief:
    """What a hit says of its rule."""

    id: str
    title: str
    severity: Severity
    path: str


@dataclass(frozen=True, slots=True)
class ScanRules:
    """A program of rules; ``briefs`` by the tree's position."""

    image: Image
    briefs: tuple[Brief, ...]
    problems: tuple[RuleProblem, ...]
    correlations: int

    @classmethod
    def of(cls, rules: RuleSet) -> ScanRules:
        """Return what ``rules`` come to."""
        headers = [rule.header for rule in rules.rules]
        return cls(
            numbered([rule.tree for rule in rules.rules]),
            tuple(Brief(h.id, h.title, h.severity, h.path) for h in headers),
            rules.problems,
            len(rules.correlations),
        )

    def encoded(self) -> bytes:
        """Return it as JSON."""
        return orjson.dumps(asdict(self))

    @classmethod
    def decoded(cls, content: bytes) -> ScanRules:
        """Return what ``encoded`` wrote; raise ``ValueError``, ``KeyError`` or ``TypeError``."""
        document = orjson.loads(content)
        image = document["image"]
        fields = {name: FieldImage(**mine) for name, mine in image.pop("fields").items()}
        return cls(
            Image(fields=fields, **image),
            tuple(Brief(**each) for each in document["briefs"]),
            tuple(RuleProblem(**each) for each in document["problems"]),
            document["correlations"],
        )


def cached_rules(stamp: bytes | None, cache: RuleCache, make: Callable[[], RuleSet]) -> ScanRules:
    """Return the rules under ``stamp`` from ``cache``, else make and keep them.

    Without a stamp (files so new that a later change might not show) nothing is kept.
    """
    known = cache.load() if stamp is not None else None
    if known is not None and stamp is not None and known.startswith(stamp + b"\n"):
        try:
            return ScanRules.decoded(known[len(stamp) + 1 :])
        except (ValueError, KeyError, TypeError):
            pass
    rules = ScanRules.of(make())
    if stamp is not None:
        cache.save(stamp + b"\n" + rules.encoded())
    return rules
