"""What a matcher found in a piece, and how a process tells another: as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from detectors.core.portions import Portion
from detectors.core.sightings import Sight
from detectors.models.alerts import Reason
from detectors.models.schedule import Feed
from secops.kernel.logs import Value


@dataclass(frozen=True, slots=True)
class Counted:
    """An event that correlations count: the positions of the rules that hold for it."""

    seq: int
    at: int
    event: str
    rules: tuple[int, ...]
    fields: Mapping[str, Value]


@dataclass(slots=True)
class PieceFound:
    """What one piece held. Rules are told by their position among those that were asked.

    ``hits`` counts events by rule, ``newest`` are the latest (time, seq) of a rule's, ``spared``
    what exceptions took away: (events, newest time).
    """

    events: int
    portions: list[Portion] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    hits: dict[int, int] = field(default_factory=dict)
    newest: dict[int, tuple[int, int]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    spared: dict[str, tuple[int, int]] = field(default_factory=dict)
    sight: Sight = field(default_factory=lambda: Sight((), {}))

    def encoded(self) -> bytes:
        """Return it as JSON."""
        document = {
            "events": self.events,
            "portions": [_portion_record(each) for each in self.portions],
            "counted": [
                [each.seq, each.at, each.event, each.rules, each.fields] for each in self.counted
            ],
            "hits": list(self.hits.items()),
            "newest": list(self.newest.items()),
            "failed": list(self.failed.items()),
            "spared": list(self.spared.items()),
            "feeds": [asdict(feed) for feed in self.sight.feeds],
            "fields": {name: sorted(names) for name, names in self.sight.fields.items()},
        }
        return orjson.dumps(document)

    @classmethod
    def decoded(cls, content: bytes) -> PieceFound:
        """Return what ``encoded`` wrote."""
        document: dict[str, Any] = orjson.loads(content)
        fields = {name: frozenset(names) for name, names in document["fields"].items()}
        return cls(
            events=document["events"],
            portions=[_portion(each) for each in document["portions"]],
            counted=[
                Counted(seq, at, event, tuple(rules), _fields(fields))
                for seq, at, event, rules, fields in document["counted"]
            ],
            hits=dict(document["hits"]),
            newest={rule: (at, seq) for rule, (at, seq) in document["newest"]},
            failed=dict(document["failed"]),
            spared={name: (events, at) for name, (events, at) in document["spared"]},
            sight=Sight(tuple(Feed(**each) for each in document["feeds"]), fields),
        )


def _portion_record(portion: Portion) -> list[Any]:
    times, events = [at for at, _ in portion.hits], [event for _, event in portion.hits]
    rule, entity, window = portion.key
    reasons = portion.reasons
    said = None if reasons is None else [[r.condition, r.expected, r.seen] for r in reasons]
    return [rule, entity, window, times, events, portion.subjects, said]


def _portion(record: list[Any]) -> Portion:
    rule, entity, window, times, events, subjects, said = record
    return Portion(
        (rule, tuple(entity), window),
        list(zip(times, events, strict=True)),
        event=events[0],
        subjects=subjects,
        reasons=None if said is None else tuple(Reason(*each) for each in said),
    )


def _fields(written: Mapping[str, Any]) -> dict[str, Value]:
    return {
        name: value if isinstance(value, str) else tuple(value) for name, value in written.items()
    }
