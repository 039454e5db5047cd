"""Use cases on models and judged sign-ins: see, train, say whether a sign-in was right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from detectors.errors import ModelNotFound
from detectors.models.anomalies import MODEL_KINDS, Judgement, ModelRecord
from detectors.service.anomaly.login_history import ASSESSED, own_events, text_of
from detectors.service.anomaly.model_training import TrainingService
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.logs import StoredEvent, Window
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.detectors import LOGIN_JUDGE, MODEL_READ, MODEL_TRAIN
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_REASON = 1_000
MAX_SESSION = 100
MOST_LOGINS = 200
LOOK_BACK_DAYS = 30


@dataclass(frozen=True, slots=True)
class ModelService:
    """Use cases on models."""

    training: TrainingService

    def list_models(self, actor: Actor, page: PageRequest) -> Page[ModelRecord]:
        """Return models, newest first."""
        parts, store = self.training.vault.parts, self.training.vault.store
        parts.access.require(actor, MODEL_READ)
        rows = parts.transactions.read(lambda tx: store.page(tx, ROOT_ORG, page))
        return page_of(rows, page.limit, [(row.made_at, row.id) for row in rows])

    def show_model(self, actor: Actor, model_id: str) -> ModelRecord:
        """Return a model's card; raise ``ModelNotFound``."""
        parts, store = self.training.vault.parts, self.training.vault.store
        parts.access.require(actor, MODEL_READ, f"model:{model_id}")
        return parts.transactions.read(lambda tx: store.get(tx, ROOT_ORG, model_id))

    def train_model(self, actor: Actor, kind: str) -> ModelRecord:
        """Train a model now, in this process; no route leads here.

        Raises ``ModelNotFound`` for an unknown kind, ``HistoryTooShort``.
        """
        self.training.vault.parts.access.require(actor, MODEL_TRAIN)
        _check_kind(kind)
        return self.training.train(actor, kind)

    def ask_training(self, actor: Actor, kind: str) -> None:
        """Have the scheduler train a model within a minute: workers hold no scikit-learn."""
        parts, store = self.training.vault.parts, self.training.vault.store
        parts.access.require(actor, MODEL_TRAIN)
        _check_kind(kind)

        def work(tx: Transaction) -> None:
            store.ask_training(tx, kind)
            tx.record(Act("detectors.ask_training", actor, f"model:{kind}"))

        parts.transactions.run(work)

    def list_logins(self, actor: Actor, *, all_of_them: bool = False) -> Sequence[StoredEvent]:
        """Return the sign-ins that were judged risky in 30 days, newest first, at most 200."""
        parts = self.training.vault.parts
        parts.access.require(actor, MODEL_READ)
        window = Window(since=parts.clock.now() - LOOK_BACK_DAYS * DAY)
        found = []
        for event in own_events(self.training.logs, (ASSESSED,), window):
            if all_of_them or risky(event):
                found.append(event)
            if len(found) == MOST_LOGINS:
                break
        return found

    def judge_login(
        self, actor: Actor, session_id: str, verdict: Literal["good", "bad"], reason: str
    ) -> Judgement:
        """Say whether a sign-in was its owner's; a bad one is never learned from."""
        parts, store = self.training.vault.parts, self.training.vault.store
        parts.access.require(actor, LOGIN_JUDGE, f"session:{session_id}")
        reason = reason.strip()
        if not reason or len(reason) > MAX_REASON or not 0 < len(session_id) <= MAX_SESSION:
            raise Invalid(f"a judgement names a session and a reason of 1 to {MAX_REASON} letters")
        if verdict not in ("good", "bad"):
            raise Invalid("a sign-in is judged good or bad")
        said = Judgement(ROOT_ORG, session_id, verdict, actor.id, parts.clock.now(), reason)

        def work(tx: Transaction) -> None:
            store.judge(tx, said)
            details = {"verdict": verdict, "reason": reason}
            tx.record(Act("detectors.judge_login", actor, f"session:{session_id}", details=details))

        parts.transactions.run(work)
        return said


def _check_kind(kind: str) -> None:
    if kind not in MODEL_KINDS:
        raise ModelNotFound(f"there are models of {' and '.join(MODEL_KINDS)}")


def risky(event: StoredEvent) -> bool:
    """Tell whether a sign-in was stepped up or alerted."""
    fields = event.event.fields
    stepped = text_of(fields, "details.answer") in ("step_up", "passed")
    return stepped or text_of(fields, "details.alert") == "true"
