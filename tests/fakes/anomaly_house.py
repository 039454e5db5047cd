"""Anomaly models over a real database, a log store in memory, and keys in memory."""

from __future__ import annotations

import functools
import hashlib
import hmac
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from detectors.adapters.forest_trainer import SklearnForests
from detectors.adapters.network_file import NetworkFile
from detectors.core.anomaly.features import login_features, to_texts
from detectors.core.anomaly.networks import Networks
from detectors.core.anomaly.synthetic.scenario import HONEST, Attempt, Plan, make_attempts
from detectors.core.anomaly.synthetic.world import SYSTEMS, table
from detectors.core.events.identity import event_id
from detectors.core.formats.ledger import SOURCE, parse_act
from detectors.errors import ModelRejected
from detectors.models.anomalies import LOGIN_MODEL, LoginFacts
from detectors.service.anomaly.anomalies import AnomalyWatch
from detectors.service.anomaly.login_risk import LoginRiskService
from detectors.service.anomaly.model_training import TrainingService
from detectors.service.anomaly.model_vault import ModelVault
from detectors.service.anomaly.models import ModelService
from detectors.store.alerts import DatabaseAlerts
from detectors.store.anomalies import DatabaseModels
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Unavailable
from secops.kernel.logs import LogEvent, LogStore, StoredEvent
from secops.kernel.parts import Parts
from secops.kernel.trail import Act, Outcome, encode_act
from tests.fakes.clock import FakeClock
from tests.fakes.log_store import FakeLogStore
from tests.fakes.parts import database_spine
from tests.fakes.randomness import FakeRandomness

BEIJING = ZoneInfo("Asia/Shanghai")
PLAN = Plan(people=60, days=30, test_days=8, attacks=6, poison=0)


@functools.cache
def attempts() -> tuple[Attempt, ...]:
    """All sign-ins of the organisation that the houses are about."""
    return tuple(make_attempts(PLAN, 5))


class FakeModelSigner:
    """Signs by HMAC; ``locked`` refuses both ways as a locked pool does."""

    def __init__(self) -> None:
        self.locked = False

    def sign_model(self, message: bytes) -> Mapping[str, str]:
        if self.locked:
            raise Unavailable
        return {"fake": hmac.digest(b"model key", message, "sha256").hex()}

    def verify_model(self, message: bytes, signatures: Mapping[str, str]) -> None:
        if self.locked:
            raise Unavailable
        if dict(signatures) != self.sign_model(message):
            raise ModelRejected("the signature does not fit")


class FakePrivacyKeys:
    """Digests under a key of its own; ``closed`` refuses."""

    def __init__(self) -> None:
        self.closed = False

    def ready(self) -> bool:
        return not self.closed

    def digest(self, data: bytes) -> bytes:
        if self.closed:
            raise Unavailable
        return hashlib.sha256(b"pool" + data).digest()

    def seal(self, original: bytes, event_id: str) -> bytes:
        raise NotImplementedError

    def open(self, sealed: bytes, event_id: str) -> bytes:
        raise NotImplementedError


@dataclass
class AnomalyHouse:
    spine: Spine
    clock: FakeClock
    logs: LogStore
    signer: FakeModelSigner
    keys: FakePrivacyKeys
    training: TrainingService
    index: int = 0
    sessions: int = 0
    networks: Networks = field(default_factory=table)

    @property
    def parts(self) -> Parts:
        return self.spine.parts

    @property
    def watch(self) -> AnomalyWatch:
        return AnomalyWatch(self.training)

    @property
    def models(self) -> ModelService:
        return ModelService(self.training)

    def risk(self) -> LoginRiskService:
        """A process of its own that judges sign-ins."""
        vault = self.training.vault
        return LoginRiskService(vault, self.keys, NetworkFile(self.parts.home), BEIJING)

    def store(self, acts: Iterable[tuple[int, Act]]) -> None:
        """Put acts into the log store as the self-watch does."""
        events = []
        for at, act in acts:
            record = encode_act(act, at)
            parsed = parse_act(record)
            assert parsed is not None
            self.index += 1
            identity = event_id(SOURCE, record, self.index)
            events.append(LogEvent(identity, SOURCE, at, at, parsed.fields, record))
        self.logs.append(events)

    def sign_in(self, facts: LoginFacts, answer: str = "allow", **details: Any) -> str:
        """Store a sign-in that opened a session; return the session's id."""
        self.store([self.assessed(facts, answer, **details)])
        return f"ses_{self.sessions}"

    def assessed(self, facts: LoginFacts, answer: str = "allow", **details: Any) -> tuple[int, Act]:
        self.sessions += 1
        risk = self.risk()
        texts = to_texts(login_features(facts, self.networks, risk._pseudonym, BEIJING))
        person = Actor("account", facts.account, ROOT_ORG, facts.account)
        target = f"session:ses_{self.sessions}"
        outcome: Outcome = "refused" if answer == "step_up" else "done"
        return facts.at, Act(
            "iam.assess_sign_in", person, target, outcome, {**texts, **details, "answer": answer}
        )

    def live(self) -> Sequence[LoginFacts]:
        """Store the owners' sign-ins of an organisation until the test days; return them."""
        honest = [a.facts for a in attempts() if a.attacker == HONEST]
        known = [facts for facts in honest if facts.at < PLAN.split_at]
        self.store([self.assessed(facts) for facts in known])
        self.clock.instant = PLAN.split_at + 4 * DAY
        return known


@dataclass(frozen=True)
class Trained:
    """A house with history and a model, closed: tests open copies of it."""

    folder: Path
    rows: tuple[StoredEvent, ...]
    index: int
    sessions: int
    instant: int
    drawn: int

    @contextmanager
    def copy(self, home: Path) -> Iterator[AnomalyHouse]:
        shutil.copytree(self.folder, home)
        logs = FakeLogStore()
        logs.rows, logs.seq = list(self.rows), len(self.rows)
        with anomaly_house(home, logs) as house:
            house.index, house.sessions = self.index, self.sessions
            house.clock.instant = self.instant
            randomness = house.parts.randomness
            assert isinstance(randomness, FakeRandomness)
            randomness.drawn = self.drawn
            yield house


def trained_house(home: Path) -> Trained:
    """Let an organisation live and train its model of sign-ins, once for many tests."""
    logs = FakeLogStore()
    with anomaly_house(home, logs) as house:
        house.live()
        house.training.train(system_actor("detectors"), LOGIN_MODEL)
        randomness = house.parts.randomness
        assert isinstance(randomness, FakeRandomness)
        drawn, instant = randomness.drawn, house.clock.instant
    return Trained(home, tuple(logs.rows), house.index, house.sessions, instant, drawn)


@contextmanager
def anomaly_house(home: Path, logs: LogStore | None = None) -> Iterator[AnomalyHouse]:
    clock = FakeClock()
    home.mkdir(exist_ok=True)
    lines = [f"{each.octet}.0.0.0/8,{each.country},{each.name}" for each in SYSTEMS]
    (home / "networks.csv").write_text("\n".join(lines))
    spine = database_spine(home, clock=clock)
    signer, keys, store = FakeModelSigner(), FakePrivacyKeys(), logs or FakeLogStore()
    vault = ModelVault(spine.parts, DatabaseModels(), signer)
    training = TrainingService(vault, store, DatabaseAlerts(), SklearnForests(trees=60), BEIJING)
    try:
        yield AnomalyHouse(spine, clock, store, signer, keys, training)
    finally:
        spine.close()
