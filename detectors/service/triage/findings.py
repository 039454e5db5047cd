"""From findings to alerts: who is it about, why, and under which id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from detectors.core.alert_ids import alert_id
from detectors.core.correlation.chains import episode_id
from detectors.core.correlation.model import Correlation
from detectors.core.detection import Detector, Finding
from detectors.core.engine.tables import RowFields
from detectors.core.subjects import common_subjects, subjects_of
from detectors.models.alerts import MAX_EVIDENCE, Alert, Reason
from detectors.models.correlation import Episode
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import SECOND
from secops.kernel.logs import Batch, Value

Fields = Mapping[str, Value]


def finding_alert(finding: Finding, batch: Batch, now: int) -> Alert:
    """Return the alert of a plain rule's ``finding`` in ``batch``, its reasons still to be made."""
    row = finding.row
    return replace(
        event_alert(finding.detector, now, batch.ids[row], batch.times[row]),
        subjects=subjects_of(RowFields(batch, row)),
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
    fields = dict(zip(correlation.group_by, group, strict=True))
    reasons = [
        *_demands(correlation, episode),
        *(Reason(name, "group-by", value) for name, value in fields.items()),
        *(Reason("rule", rule.header.title, rule.header.id) for rule in detector.rules),
    ]
    seen = [match.event_id for match in episode.matches]
    return replace(
        event_alert(detector, now, episode.first_event, episode.first_at, tuple(group)),
        id=episode_id(correlation, episode),
        kind="correlation",
        last_at=episode.last_at,
        event_ids=tuple(seen[:MAX_EVIDENCE]),
        event_count=episode.count,
        subjects=common_subjects(list(events)) or subjects_of(fields),
        reasons=tuple(reasons),
    )


def _demands(correlation: Correlation, episode: Episode) -> Iterator[Reason]:
    """Yield what was asked of the window, what was measured, and what of all that matched."""
    window = f"{correlation.timespan // SECOND} s"
    seconds = f"{(episode.last_at - episode.first_at) / SECOND:.0f} s"
    kind = correlation.type
    if kind == "absence":
        yield Reason(kind, f"≥ 1 / {window}", f"0 / {window}")
    elif kind == "first_seen":
        yield Reason(kind, f"{', '.join(correlation.fields)}: {window}", episode.measured)
    elif kind == "event_count":
        seen = f"{episode.count} / {seconds}"
        yield Reason(kind, f"{correlation.condition} / {window}", seen)
    else:
        fields = f"({', '.join(correlation.fields)})" if correlation.fields else ""
        what = f"{kind}{fields} {correlation.condition} / {window}"
        yield Reason(kind, what, f"{episode.measured} / {seconds}")


def event_alert(
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
