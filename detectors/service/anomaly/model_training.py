"""Training: what history says becomes a signed model with its card; repeated by the scheduler."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import orjson

from detectors.core.anomaly.codec import pack, pack_login, unpack, unpack_login
from detectors.core.anomaly.counts import Counts
from detectors.core.anomaly.drift import MOVED, drift_of
from detectors.core.anomaly.features import LEVELS
from detectors.core.anomaly.forest import Forest, assemble_forest
from detectors.core.anomaly.learning import DELAY, Login, learnable
from detectors.core.anomaly.likelihood import COLUMNS, weigh
from detectors.core.anomaly.login_model import (
    ALERT_RANK,
    STEP_UP_RANK,
    Fitted,
    columns_as_weights,
    fit_login_model,
)
from detectors.core.anomaly.usage import (
    LEAST_USES,
    UsageProfile,
    learn_usage,
    usage_from_record,
    usage_to_record,
)
from detectors.errors import HistoryTooShort, ModelRejected
from detectors.models.anomalies import LOGIN_MODEL, USE_MODEL, ModelRecord
from detectors.ports import AlertStore, ForestTrainer
from detectors.service.anomaly.login_history import (
    MAX_HISTORY,
    read_logins,
    read_uses,
    read_verdicts,
)
from detectors.service.anomaly.model_vault import ModelVault
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import DAY, HOUR, to_rfc3339
from secops.kernel.errors import SecopsError
from secops.kernel.logs import LogStore, Window

HISTORY_DAYS: Final = 90
RETRAIN: Final = DAY
RETRY: Final = HOUR
DRIFT_DAYS: Final = 7
SEED: Final = 20_260_105
_LEAST_RECENT: Final = 50
_LOG: Final = logging.getLogger("secops.models")
_SCHEDULER: Final = system_actor("detectors")


@dataclass(frozen=True, slots=True)
class TrainingService:
    """Trains, checks drift, and does both when it is time."""

    vault: ModelVault
    logs: LogStore
    alerts: AlertStore
    trainer: ForestTrainer
    zone: tzinfo
    _tried: dict[str, int] = field(default_factory=dict)

    def tick(self) -> bool:
        """Train what is a day old, missing, or asked for; what has too little history waits."""
        for kind in (LOGIN_MODEL, USE_MODEL):
            record = self.vault.active(kind)
            if not self._due(kind, record):
                continue
            try:
                if record is not None and kind == LOGIN_MODEL:
                    self.check_drift(record)
                self.train(_SCHEDULER, kind)
            except HistoryTooShort as error:
                _LOG.info("no %s model yet: %s", kind, error.detail)
            except SecopsError as error:
                _LOG.warning("the %s model was not trained: %s", kind, error.detail)
        return False

    def _due(self, kind: str, record: ModelRecord | None) -> bool:
        """Tell whether to try now: a day old or asked for, and not tried in vain just before."""
        now, store = self.vault.parts.clock.now(), self.vault.store
        asked = self.vault.parts.transactions.read(lambda tx: store.position(tx, f"train {kind}"))
        made = 0 if record is None else record.made_at
        tried = self._tried.get(kind, 0)
        due = asked > made or now - made >= RETRAIN
        if not due or (now - tried < RETRY and asked <= tried):
            return False
        self._tried[kind] = now
        return True

    def train(self, actor: Actor, kind: str) -> ModelRecord:
        """Train a model of ``kind`` and make it the active one; raise ``HistoryTooShort``."""
        now = self.vault.parts.clock.now()
        window = Window(since=now - HISTORY_DAYS * DAY, until=now)
        content, card = self._login(window) if kind == LOGIN_MODEL else self._use(window)
        return self.vault.keep(actor, kind, content, {"kind": kind, **card})

    def check_drift(self, record: ModelRecord) -> Mapping[str, Any]:
        """Compare the last week with a model's reference, and note it with the model."""
        now = self.vault.parts.clock.now()
        try:
            model, reference = unpack_login(self.vault.open(record))
        except ModelRejected:
            return {}
        recent = read_logins(self.logs, Window(since=now - DRIFT_DAYS * DAY, until=now))
        if len(recent) < _LEAST_RECENT:
            return {}
        found = drift_of(reference, columns_as_weights(_rows(model.counts, recent)))
        drift = {
            "at": to_rfc3339(now),
            "logins": len(recent),
            "psi": {name: round(value, 4) for name, value in found.items()},
            "moved": sorted(name for name, value in found.items() if value >= MOVED),
        }
        run, store = self.vault.parts.transactions.run, self.vault.store
        run(lambda tx: store.set_drift(tx, record.id, drift))
        return drift

    def usage_profile(self) -> tuple[str, UsageProfile] | None:
        """Return the active model of uses with its id; raise ``ModelRejected``."""
        record = self.vault.active(USE_MODEL)
        if record is None:
            return None
        arrays = unpack(self.vault.open(record))
        try:
            profile = usage_from_record(orjson.loads(arrays["profile"].tobytes()))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelRejected("the profile of uses can't be read") from error
        return record.id, profile

    def _login(self, window: Window) -> tuple[bytes, dict[str, Any]]:
        parts = self.vault.parts
        everything = read_logins(self.logs, window)
        verdicts = read_verdicts(parts.transactions, self.alerts, self.vault.store)
        history = learnable(everything, verdicts, parts.clock.now())
        fitted = fit_login_model(history, self._grow)
        reference = columns_as_weights(fitted.reference)
        return pack_login(fitted.model, reference), _login_card(fitted, everything, history)

    def _grow(self, rows: Any) -> Forest:
        return assemble_forest(self.trainer.grow(rows, SEED))

    def _use(self, window: Window) -> tuple[bytes, dict[str, Any]]:
        uses = read_uses(self.logs, window, self.zone)
        if len(uses) < LEAST_USES:
            raise HistoryTooShort(f"{len(uses)} uses; {LEAST_USES} are needed")
        profile = learn_usage(uses)
        text = orjson.dumps(usage_to_record(profile))
        card = {
            "events": len(uses),
            "accounts": len(profile.used),
            "first_at": to_rfc3339(uses[0].at),
            "last_at": to_rfc3339(uses[-1].at),
            "features": ["volume by hour of the week", "first use of a key or seal"],
            "figures": {"baselines": len(profile.baselines)},
        }
        return pack({"profile": np.frombuffer(text, np.uint8)}), card


def _rows(counts: Counts, logins: list[Login]) -> Any:
    return np.array([weigh(counts, each.features).row for each in logins], np.float64)


def _login_card(fitted: Fitted, everything: list[Login], history: list[Login]) -> dict[str, Any]:
    accounts = len({login.features.account for login in history})
    daily = fitted.flagged * 1_000 / (accounts * fitted.days)
    return {
        "events": len(history),
        "left_out": len(everything) - len(history),
        "accounts": accounts,
        "first_at": to_rfc3339(history[0].at),
        "last_at": to_rfc3339(history[-1].at),
        "most_events": MAX_HISTORY,
        "learned_after_days": DELAY // DAY,
        "features": [*LEVELS, "hour", "account"],
        "columns": list(COLUMNS),
        "step_up_rank": STEP_UP_RANK,
        "alert_rank": ALERT_RANK,
        "figures": {
            "reference_days": fitted.days,
            "step_ups_per_1000_users_and_day": round(daily, 2),
            "trees": len(fitted.model.scorer.forest.roots),
            "counts": len(fitted.model.counts.keys),
        },
    }
