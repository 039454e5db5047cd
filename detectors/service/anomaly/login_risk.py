"""The risk of a sign-in, asked while somebody waits: a few hundred microseconds, no I/O.

Whatever is wrong with the model (none yet, altered, unreadable) never stops a sign-in: it goes
on with its normal factors, unjudged, and the note says why.
"""

from __future__ import annotations

import hmac
import logging
import threading
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from detectors.core.anomaly.codec import unpack_login
from detectors.core.anomaly.features import login_features, to_texts
from detectors.core.anomaly.login_model import LoginModel
from detectors.core.anomaly.networks import NO_NETWORKS, Networks, read_networks
from detectors.models.anomalies import (
    LOGIN_MODEL,
    Answer,
    LoginAssessment,
    LoginFacts,
    LoginFeatures,
)
from detectors.ports import NetworkTable, PrivacyKeys
from detectors.service.anomaly.model_vault import ModelVault
from secops.kernel.errors import SecopsError

LOOK_SECONDS: Final = 15.0
"""How often a process looks whether there is a newer model."""
RETRY_SECONDS: Final = 60.0
"""How long after a refused one it looks again."""
_PSEUDONYMS: Final = b"login-pseudonyms/v1"
_PSEUDONYM_HEX: Final = 16
_LOG: Final = logging.getLogger("secops.login_risk")


@dataclass(slots=True)
class _Loaded:
    """What this process holds; ``looked_at`` is monotonic."""

    looked_at: float = float("-inf")
    model_id: str = ""
    model: LoginModel | None = None
    note: str = "there is no model yet"
    table: str = ""
    networks: Networks = NO_NETWORKS
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class LoginRiskService:
    """Judges sign-ins with the active model; fills iam's port through a bridge."""

    vault: ModelVault
    keys: PrivacyKeys
    networks: NetworkTable
    zone: tzinfo
    _loaded: _Loaded = field(default_factory=_Loaded)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def assess(self, facts: LoginFacts) -> LoginAssessment:
        """Return the advice with its reasons; never raises for want of a model."""
        try:
            loaded = self._look()
            features = login_features(facts, loaded.networks, self._pseudonym, self.zone)
            return _judge(loaded, features)
        except Exception as error:  # noqa: BLE001 - a defect here must not keep everybody out
            _LOG.exception("sign-ins are not judged")
            note = error.code if isinstance(error, SecopsError) else type(error).__name__
            return LoginAssessment("unjudged", 0.0, alert=False, model="", features={}, note=note)

    def warm(self) -> str:
        """Load what is needed ahead of the first sign-in; return the note, empty if all is well."""
        loaded = self._look()
        return "" if loaded.model is not None else loaded.note

    def _pseudonym(self, text: str) -> str:
        """Return 64 bits of HMAC-SHA-256: who has no key can't test guesses."""
        if not self._loaded.key:
            self._loaded.key = self.keys.digest(_PSEUDONYMS)
        return hmac.digest(self._loaded.key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[
            :_PSEUDONYM_HEX
        ]

    def _look(self) -> _Loaded:
        loaded = self._loaded
        now = self.vault.parts.clock.monotonic()
        if now - loaded.looked_at < LOOK_SECONDS:
            return loaded
        with self._lock:
            if now - loaded.looked_at >= LOOK_SECONDS:
                loaded.looked_at = now
                self._read_networks()
                self._read_model()
        return loaded

    def _read_networks(self) -> None:
        version = self.networks.version()
        if version == self._loaded.table:
            return
        self._loaded.table = version
        try:
            self._loaded.networks = read_networks(self.networks.lines())
        except SecopsError as error:
            _LOG.warning("the table of networks is not used: %s", error.detail)
            self._loaded.networks = NO_NETWORKS

    def _read_model(self) -> None:
        loaded = self._loaded
        record = self.vault.active(LOGIN_MODEL)
        if record is None or record.id == loaded.model_id:
            return
        try:
            loaded.model, _ = unpack_login(self.vault.open(record))
            loaded.model_id, loaded.note = record.id, ""
        except SecopsError as error:
            loaded.model, loaded.model_id = None, ""
            loaded.note = f"{error.code}: {error.detail}"
            loaded.looked_at += RETRY_SECONDS
            _LOG.warning("model %s is not used: %s", record.id, error.detail)


def _judge(loaded: _Loaded, features: LoginFeatures) -> LoginAssessment:
    texts = to_texts(features)
    if loaded.model is None:
        return LoginAssessment(
            "unjudged", 0.0, alert=False, model="", features=texts, note=loaded.note
        )
    risk = loaded.model.assess(features)
    answer: Answer = "step_up" if risk.step_up else "allow"
    return LoginAssessment(
        answer, risk.rank, risk.alert, loaded.model_id, texts, weights=risk.weights
    )
