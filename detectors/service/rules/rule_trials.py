"""Trying a rule on a pasted line or on a stored event, without an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.detection import Detector
from detectors.core.engine.explain import Explainer, expected
from detectors.core.engine.tables import batch_of
from detectors.core.events.text import texts_of
from detectors.core.sigma.rule import CompiledRule
from detectors.core.sigma.tree import KEYWORDS, atoms_of
from detectors.errors import EventNotFound
from detectors.models.alerts import Reason
from detectors.models.coverage import Judged, Trial
from detectors.service.rules.checks import Sample, fired_on, sample_events
from detectors.service.rules.rules import RuleService
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.logs import LogEvent, LogStore, Value
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_SEARCH, RULE_READ

MAX_TEXT: Final = 65_536
MAX_LINES: Final = 200
_SHOWN_FIELDS: Final = 60
_SHOWN_ATOMS: Final = 60
_SHOWN_TEXT: Final = 300


@dataclass(frozen=True, slots=True)
class RuleTrialService:
    """Use cases of trying rules out."""

    _parts: Parts
    _rules: RuleService
    _logs: LogStore

    def try_lines(self, actor: Actor, rule_id: str, text: str) -> Trial:
        """Read ``text`` as log lines of one format and ask the rule; nothing is stored."""
        self._parts.access.require(actor, RULE_READ, f"rule:{rule_id}")
        content = text.replace("\r\n", "\n").encode()
        if not content.strip():
            msg = "there is no line to try"
            raise Invalid(msg)
        if len(content) > MAX_TEXT or content.count(b"\n") > MAX_LINES:
            msg = f"at most {MAX_LINES} lines and {MAX_TEXT} bytes are tried at once"
            raise Invalid(msg)
        detector = self._rules.library().get(rule_id)
        now = self._parts.clock.now()
        read = [found for _, found in sample_events(Sample("", "positive", content), now)]
        return _tried(detector, read)

    def try_event(self, actor: Actor, rule_id: str, event_id: str) -> Trial:
        """Ask the rule about a stored event; raise ``EventNotFound``."""
        self._parts.access.require(actor, RULE_READ, f"rule:{rule_id}")
        self._parts.access.require(actor, LOG_SEARCH, "log:*")
        detector = self._rules.library().get(rule_id)
        found = self._logs.get([event_id])
        if not found:
            msg = f"no event {event_id[:64]!r} is stored"
            raise EventNotFound(msg)
        return _tried(detector, [stored.event for stored in found])


def _tried(detector: Detector, read: Sequence[LogEvent | str]) -> Trial:
    events = [each for each in read if isinstance(each, LogEvent)]
    fires = detector.header.id in set(fired_on([detector], batch_of(events))) if events else False
    return Trial(fires, tuple(_judged(detector, each) for each in read))


def _judged(detector: Detector, read: LogEvent | str) -> Judged:
    if isinstance(read, str):
        return Judged("", holds=False, refused=read)
    fields, raw = read.fields, read.raw
    reasons: list[Reason] = []
    missed: list[Reason] = []
    holds = False
    for rule in detector.rules:
        if _holds(rule, read):
            holds = True
            reasons += Explainer(rule.tree).explain(fields, raw)
        else:
            missed += _missed(rule, fields, raw)
    return Judged(
        line=raw.decode("utf-8", "backslashreplace")[:_SHOWN_TEXT],
        holds=holds,
        reasons=tuple(dict.fromkeys(reasons)),
        missed=() if holds else tuple(dict.fromkeys(missed))[:_SHOWN_ATOMS],
        fields=_shown(fields),
        at=read.at,
    )


def _holds(rule: CompiledRule, event: LogEvent) -> bool:
    alone = Detector(rule.header, rule.header.version, (rule,))
    return rule.header.id in set(fired_on([alone], batch_of([event])))


def _missed(rule: CompiledRule, fields: Mapping[str, Value], raw: bytes) -> list[Reason]:
    """Return the questions of ``rule`` that the event did not answer with yes.

    Of several values asked for one field, one that fits is enough to leave the others out.
    """
    found = []
    atoms = list(dict.fromkeys(atoms_of(rule.tree)))
    fitting = {atom.field for atom in atoms if Explainer(atom).explain(fields, raw)}
    for atom in atoms:
        if atom.field in fitting:
            continue
        name = "keywords" if atom.field == KEYWORDS else atom.field
        value = fields.get(atom.field)
        seen = ", ".join(texts_of(value))[:_SHOWN_TEXT] if value is not None else ""
        found.append(Reason(name, expected(atom)[:_SHOWN_TEXT], seen))
    return found


def _shown(fields: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    pairs = ((name, ", ".join(texts_of(value))[:_SHOWN_TEXT]) for name, value in fields.items())
    return tuple(sorted(pairs))[:_SHOWN_FIELDS]
