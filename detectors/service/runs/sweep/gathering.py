"""What the pieces of a stretch of events come to together, before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detectors.core.correlation.grouping import Hit
from detectors.core.detection import Detector, Failure, Plan, rule_keys
from detectors.core.portions import Key, Portion
from detectors.core.sightings import Sight
from detectors.models.schedule import DetectorKey, Feed
from detectors.service.runs.sweep.found import Counted, PieceFound


@dataclass(slots=True)
class Gathered:
    """Sums of pieces. A detector that failed on one of them found nothing on any."""

    plan: Plan
    events: int = 0
    failures: dict[DetectorKey, Failure] = field(default_factory=dict)
    spared: dict[str, tuple[int, int]] = field(default_factory=dict)
    _portions: dict[Key, list[Portion]] = field(default_factory=dict)
    _counted: list[Counted] = field(default_factory=list)
    _hits: dict[int, int] = field(default_factory=dict)
    _newest: dict[int, tuple[int, int]] = field(default_factory=dict)
    _feeds: dict[tuple[str, str], Feed] = field(default_factory=dict)
    _fields: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, found: PieceFound) -> None:
        """Add what one piece held."""
        self.events += found.events
        for position, why in found.failed.items():
            detector = self.plan.asked[position][0]
            self.failures.setdefault(detector.key, Failure(detector, why))
        for name, (events, at) in found.spared.items():
            before = self.spared.get(name, (0, at))
            self.spared[name] = (before[0] + events, max(before[1], at))
        for portion in found.portions:
            self._portions.setdefault(portion.key, []).append(portion)
        self._counted += found.counted
        for position, count in found.hits.items():
            self._hits[position] = self._hits.get(position, 0) + count
        for position, place in found.newest.items():
            self._newest[position] = max(place, self._newest.get(position, place))
        for feed in found.sight.feeds:
            key = (feed.logsource, feed.source)
            old = self._feeds.get(key, Feed(*key, 0, 0))
            last = max(old.last_seq, feed.last_seq)
            self._feeds[key] = Feed(*key, old.events + feed.events, last)
        for name, names in found.sight.fields.items():
            self._fields[name] = self._fields.get(name, frozenset()) | names

    @property
    def sight(self) -> Sight:
        """What sources and fields were seen."""
        return Sight(tuple(self._feeds.values()), self._fields)

    @property
    def hits(self) -> dict[DetectorKey, int]:
        """How many findings each detector has."""
        found: dict[DetectorKey, int] = {}
        for position, count in self._hits.items():
            key = self.plan.asked[position][0].key
            if key not in self.failures:
                found[key] = found.get(key, 0) + count
        return found

    @property
    def newest(self) -> Mapping[str, tuple[int, int]]:
        """The latest (time, seq) that each detector found, by its id."""
        found: dict[str, tuple[int, int]] = {}
        for position, place in self._newest.items():
            detector = self.plan.asked[position][0]
            if detector.key not in self.failures:
                identifier = detector.header.id
                found[identifier] = max(place, found.get(identifier, place))
        return found

    def portions(self) -> list[Portion]:
        """Return the portions of plain rules, one for a key, explained where one of them was."""
        return [
            _joined(mine)
            for key, mine in self._portions.items()
            if self.plan.asked[key[0]][0].key not in self.failures
        ]

    def correlated(self) -> list[tuple[Detector, list[Hit]]]:
        """Return what correlations count, by detector, the events in ingest order."""
        found: dict[DetectorKey, tuple[Detector, list[Hit]]] = {}
        for each in sorted(self._counted, key=lambda one: one.seq):
            by_detector: dict[DetectorKey, list[int]] = {}
            for position in each.rules:
                by_detector.setdefault(self.plan.asked[position][0].key, []).append(position)
            for key, positions in by_detector.items():
                if key in self.failures:
                    continue
                asked = sorted(
                    (self.plan.asked[position] for position in positions),
                    key=lambda one: one[1].header.id,
                )
                keys = tuple(rule_keys(rule.header) for _, rule in asked)
                hits = found.setdefault(key, (asked[0][0], []))[1]
                hits.append(Hit(each.at, each.event, keys, each.fields))
        return [found[key] for key in sorted(found)]


def _joined(portions: list[Portion]) -> Portion:
    if len(portions) == 1:
        return portions[0]
    told = [each for each in portions if each.reasons is not None]
    best = min(told, key=lambda each: each.hits[0], default=portions[0])
    hits = sorted(hit for each in portions for hit in each.hits)
    return Portion(best.key, hits, -1, best.event, best.subjects, best.reasons)
