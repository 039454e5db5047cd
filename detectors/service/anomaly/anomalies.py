"""Alerts of anomalies: risky sign-ins, unusual volumes, first uses; and models gone bad.

Reads what the log store gained, in ingest order, and writes alerts and its own progress in one
transaction. An alert's id is a hash of what it is about, so seeing something twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from detectors.core.anomaly.login_model import ALERT_RANK
from detectors.core.anomaly.usage import (
    ACTIONS,
    FirstUse,
    UsageProfile,
    Use,
    Volume,
    by_hour,
    first_uses,
    unusual_volumes,
)
from detectors.core.detection import alert_id
from detectors.core.engine.tables import row_fields
from detectors.core.formats.ledger import SOURCE
from detectors.errors import ModelRejected
from detectors.models.alerts import MAX_EVIDENCE, Alert, Reason
from detectors.models.anomalies import MODEL_KINDS, USE_MODEL
from detectors.service.anomaly.login_history import ASSESSED, Fields, own_events, text_of, use_of
from detectors.service.anomaly.model_training import TrainingService
from detectors.service.triage.effects import Effects, write_effects
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import HOUR, to_rfc3339
from secops.kernel.errors import SecopsError
from secops.kernel.logs import Batch, LogEvent, StoredEvent, Window
from secops.kernel.transactions import Transaction

LOGIN_RULE: Final = "anomaly.login"
VOLUME_RULE: Final = "anomaly.volume"
FIRST_USE_RULE: Final = "anomaly.first_use"
MODEL_RULE: Final = "anomaly.model"
TITLES: Final = {
    LOGIN_RULE: "异常登录 / unusual sign-in",
    VOLUME_RULE: "使用量异常 / unusual volume",
    FIRST_USE_RULE: "首次使用 / first use",
    MODEL_RULE: "异常检测模型不可用 / anomaly model is not used",
}
_PROGRESS: Final = "anomalies"
_STEP: Final = 20_000
_SHOWN: Final = 6
_VERIFY: Final = 600.0
_MILLION: Final = 1_000_000


@dataclass(slots=True)
class _Known:
    """The usage profile this process holds, and models it has complained of."""

    model_id: str = ""
    profile: UsageProfile | None = None
    bad: set[str] = field(default_factory=set)
    verified: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnomalyWatch:
    """Looks at new events of the ledger; one scheduler at a time, under the job's lease."""

    training: TrainingService
    _known: _Known = field(default_factory=_Known)

    def tick(self) -> bool:
        """Look at the next events; True when more waits."""
        parts, store = self.training.vault.parts, self.training.vault.store
        first = parts.transactions.read(lambda tx: store.position(tx, _PROGRESS))
        last = self.training.logs.last_seq()
        alerts = list(self._models_gone_bad())
        high = min(last, first + _STEP - 1)
        if high >= first:
            for batch in self.training.logs.scan(first, high):
                alerts.extend(self._look(batch))
        elif not alerts:
            return False

        def work(tx: Transaction) -> None:
            if high >= first and not store.advance(tx, _PROGRESS, first, high + 1):
                return
            write_effects(tx, self.training.alerts, Effects(created=alerts))

        parts.transactions.run(work)
        return high < last

    def _look(self, batch: Batch) -> Iterator[Alert]:
        now = self.training.vault.parts.clock.now()
        uses = []
        for event in _own_rows(batch):
            action = text_of(event.event.fields, "event.action")
            if action == ASSESSED:
                if text_of(event.event.fields, "details.alert") == "true":
                    yield _login_alert(event, now)
            elif action in ACTIONS:
                use = use_of(event, self.training.zone)
                if use is not None:
                    uses.append(use)
        yield from self._usage(uses, now)

    def _usage(self, uses: Sequence[Use], now: int) -> Iterator[Alert]:
        profile = self._profile()
        if profile is None or not uses:
            return
        for first in first_uses(profile, uses):
            yield _first_use_alert(first, self._known.model_id, now)
        for hour in by_hour(uses).values():
            for volume in unusual_volumes(profile, self._whole_hour(hour[0])):
                yield _volume_alert(volume, self._known.model_id, now)

    def _whole_hour(self, use: Use) -> list[Use]:
        """Return all uses of the same kind and account in that hour, earlier batches' too."""
        begin = use.at // HOUR * HOUR
        actions = tuple(name for name, kind in ACTIONS.items() if kind == use.action)
        events = own_events(self.training.logs, actions, Window(begin, begin + HOUR))
        found = (use_of(each, self.training.zone) for each in events)
        return [each for each in found if each is not None and each.account == use.account]

    def _profile(self) -> UsageProfile | None:
        record = self.training.vault.active(USE_MODEL)
        if record is None or record.id in self._known.bad:
            return None
        if record.id != self._known.model_id:
            found = self.training.usage_profile()
            if found is not None:
                self._known.model_id, self._known.profile = found
        return self._known.profile

    def _models_gone_bad(self) -> Iterator[Alert]:
        """Name a model that was altered or can't be verified; each is looked at every 10 min."""
        vault, known = self.training.vault, self._known
        now = vault.parts.clock.monotonic()
        for kind in MODEL_KINDS:
            record = vault.active(kind)
            if record is None or now - known.verified.get(record.id, float("-inf")) < _VERIFY:
                continue
            known.verified[record.id] = now
            try:
                vault.open(record)
            except ModelRejected as error:
                known.bad.add(record.id)
                yield _health_alert(record.id, error.detail, vault.parts.clock.now())
            except SecopsError:
                del known.verified[record.id]  # a locked pool says nothing of the model


def _own_rows(batch: Batch) -> Iterator[StoredEvent]:
    for row in range(len(batch)):
        if batch.source.values[batch.source.codes[row]] == SOURCE:
            event = LogEvent(
                batch.ids[row],
                SOURCE,
                batch.times[row],
                batch.times[row],
                row_fields(batch, row),
                batch.raws[row],
            )
            yield StoredEvent(batch.seqs[row], event)


def _login_alert(event: StoredEvent, now: int) -> Alert:
    """Return the alert of a sign-in whose risk is that of one in four hundred."""
    fields = event.event.fields
    session = text_of(fields, "target").removeprefix("session:")
    subjects = {"user.id": text_of(fields, "user.id")}
    if text_of(fields, "target").startswith("session:"):
        subjects["session.id"] = session
    millionths = int(text_of(fields, "details.risk") or 0)
    why = [Reason("risk", f"< {ALERT_RANK:.2%}", f"{millionths / _MILLION:.2%}"), *_weights(fields)]
    alert = _alert(LOGIN_RULE, (event.event.id,), text_of(fields, "details.model"), now)
    return replace(
        alert,
        severity="medium",
        subjects=subjects,
        first_at=event.event.at,
        last_at=event.event.at,
        event_ids=(event.event.id,),
        reasons=tuple(why),
    )


def _weights(fields: Fields) -> Iterable[Reason]:
    """Read ``feature.level:milli-nats:times known`` as the sign-in recorded them."""
    value = fields.get("details.why", ())
    for text in ((value,) if isinstance(value, str) else value)[:_SHOWN]:
        name, _, rest = text.partition(":")
        weight, _, known = rest.partition(":")
        if weight.lstrip("-").isdigit():
            yield Reason(name, f"seen {known} times", f"e^{int(weight) / 1000:.1f} times likelier")


def _volume_alert(volume: Volume, model: str, now: int) -> Alert:
    uses = volume.uses
    hour = to_rfc3339(uses[0].at // HOUR * HOUR)
    base = volume.baseline
    return replace(
        _alert(VOLUME_RULE, (volume.account, volume.action, hour), model, now),
        severity="medium",
        subjects={"user.id": volume.account},
        first_at=min(use.at for use in uses),
        last_at=max(use.at for use in uses),
        event_ids=tuple(use.event_id for use in uses[:MAX_EVIDENCE]),
        event_count=len(uses),
        reasons=(
            Reason(volume.action, f"{base.middle:g} an hour ({volume.basis})", f"{volume.count:g}"),
            Reason("z", "< 6", f"{volume.z:.1f} (MAD {base.deviation:g}, {base.weeks} weeks)"),
        ),
    )


def _first_use_alert(first: FirstUse, model: str, now: int) -> Alert:
    use = first.use
    return replace(
        _alert(FIRST_USE_RULE, (use.account, use.target), model, now),
        subjects={"user.id": use.account},
        first_at=use.at,
        last_at=use.at,
        event_ids=(use.event_id,),
        reasons=(
            Reason(use.action, f"one of {first.own_before} used before", use.target),
            Reason("peers", f"one of {first.peers_before} used by peers", "never"),
        ),
    )


def _health_alert(model_id: str, why: str, now: int) -> Alert:
    return replace(
        _alert(MODEL_RULE, (model_id, why[:80]), model_id, now),
        kind="health",
        severity="high",
        event_count=0,
        reasons=(Reason("model", "verified", why[:200]),),
    )


def _alert(rule: str, group: tuple[str, ...], model: str, now: int) -> Alert:
    """Return the alert of a group, without times, subjects and reasons of its own."""
    return Alert(
        id=alert_id(rule, group, ""),
        org_id=ROOT_ORG,
        kind="anomaly",
        rule_id=rule,
        rule_version=model,
        title=TITLES[rule],
        severity="low",
        raised_at=now,
        first_at=now,
        last_at=now,
        group=group,
        subjects={},
        reasons=(),
        event_ids=(),
        event_count=1,
    )
