"""From findings to alerts: who is it about, why, and under which id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from detectors.core.alert_ids import alert_id
from detectors.core.correlation.episodes import episodes_of
from detectors.core.correlation.model import Correlation
from detectors.core.detection import Detector, Failure, Finding
from detectors.core.engine.explain import Explainer
from detectors.core.subjects import common_subjects, subjects_of
from detectors.models.alerts import MAX_EVIDENCE, Alert, Reason
from detectors.models.correlation import Episode, Match
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import SECOND
from secops.kernel.logs import Value

Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event that was found, with what an alert keeps of it."""

    event_id: str
    at: int
    fields: Fields
    raw: bytes


def finding_alert(finding: Finding, event: SeenEvent, explainer: Explainer, now: int) -> Alert:
    """Return the alert of a plain rule's ``finding``; ``explainer`` is that of its tree."""
    return replace(
        _alert(finding.detector, now, event.event_id, event.at),
        subjects=subjects_of(event.fields),
        reasons=explainer.explain(event.fields, event.raw),
    )


def episode_alert(
    detector: Detector,
    episode: Episode,
    group: Sequence[str],
    *,
    events: Iterable[Fields],
    now: int,
) -> Alert:
    """Return the alert of a correlation's ``episode``."""
    correlation = detector.correlation
    if correlation is None:
        msg = "only correlations have episodes"
        raise TypeError(msg)
    count = len(episode.matches)
    seconds = (episode.last_at - episode.first_at) / SECOND
    window = correlation.timespan // SECOND
    reasons = [
        Reason(
            correlation.type, f"{correlation.condition} / {window} s", f"{count} / {seconds:.0f} s"
        ),
        *(
            Reason(name, "group-by", value)
            for name, value in zip(correlation.group_by, group, strict=True)
        ),
        *(Reason("rule", rule.header.title, rule.header.id) for rule in detector.rules),
    ]
    first = episode.matches[0]
    alert = _alert(detector, now, first.event_id, first.at, tuple(group))
    return replace(
        alert,
        kind="correlation",
        last_at=episode.last_at,
        event_ids=tuple(match.event_id for match in episode.matches[:MAX_EVIDENCE]),
        event_count=count,
        subjects=common_subjects(list(events)),
        reasons=tuple(reasons),
    )


def failure_alert(failure: Failure, now: int) -> Alert:
    """Return the health alert that names a detector which could not be asked."""
    header = failure.detector.header
    return Alert(
        id=alert_id("health", (header.id, failure.detector.version), failure.why[:80]),
        org_id=ROOT_ORG,
        kind="health",
        rule_id=header.id,
        rule_version=failure.detector.version,
        title=f"规则无法执行 / rule does not run: {header.title}",
        severity="medium",
        raised_at=now,
        first_at=now,
        last_at=now,
        group=(),
        subjects={},
        reasons=(Reason("evaluation", "an answer", failure.why[:200]),),
        event_ids=(),
        event_count=0,
    )


def group_episodes(correlation: Correlation, found: Iterable[tuple[int, str]]) -> list[Episode]:
    """Return the episodes of one group from (time, event id) pairs."""
    return episodes_of(correlation, [Match((), at, event_id) for at, event_id in found])


def _alert(
    detector: Detector, now: int, event_id: str, at: int, group: tuple[str, ...] = ()
) -> Alert:
    """Return the alert that ``event_id`` begins, without subjects and reasons."""
    header = detector.header
    return Alert(
        id=alert_id(header.id, group, event_id),
        org_id=ROOT_ORG,
        kind="rule",
        rule_id=header.id,
        rule_version=detector.version,
        title=header.title,
        severity=header.severity,
        raised_at=now,
        first_at=at,
        last_at=at,
        group=group,
        subjects={},
        reasons=(),
        event_ids=(event_id,),
        event_count=1,
        tags=header.tags,
        custom=header.custom,
    )
