"""What anomaly models need: somebody who grows forests, signs, and keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from detectors.errors import ModelRejected
from detectors.models.anomalies import Judgement, ModelRecord
from detectors.models.forests import GrownForest
from secops.kernel.errors import Unavailable
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ForestTrainer(Protocol):
    """Grows isolation forests; called in the scheduler and in commands, never in workers."""

    def grow(self, rows: NDArray[np.float64], seed: int) -> GrownForest:
        """Return a forest on ``rows``; the same rows and seed give the same forest."""
        ...


class ModelSigner(Protocol):
    """Signs models with keys of the pool; kms fills it."""

    def sign_model(self, message: bytes) -> Mapping[str, str]:
        """Return signatures (hex) by algorithm; raise a ``SecopsError`` while locked."""
        ...

    def verify_model(self, message: bytes, signatures: Mapping[str, str]) -> None:
        """Raise ``ModelRejected`` unless each signature that is demanded fits ``message``."""
        ...


class NoModelSigner:
    """Where no key pool is installed nothing is signed, and so nothing is used."""

    def sign_model(self, message: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the port's
        """Refuse."""
        raise Unavailable("there is no key pool to sign models")

    def verify_model(self, message: bytes, signatures: Mapping[str, str]) -> None:  # noqa: ARG002
        """Refuse."""
        raise ModelRejected("there is no key pool to verify models")


class NetworkTable(Protocol):
    """The operator's table of networks, if there is one."""

    def version(self) -> str:
        """Return what changes when the table does, empty where there is none."""
        ...

    def lines(self) -> Iterable[str]:
        """Return its lines."""
        ...


class ModelStore(Protocol):
    """Keeps models' records, people's words on sign-ins, and how far was watched."""

    def add(self, tx: Transaction, record: ModelRecord) -> None:
        """Store an active model; the one of its kind before is retired."""
        ...

    def active(self, tx: Transaction, org_id: str, kind: str) -> ModelRecord | None:
        """Return the model of ``kind`` that is used."""
        ...

    def get(self, tx: Transaction, org_id: str, model_id: str) -> ModelRecord:
        """Return it; raise ``ModelNotFound``."""
        ...

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Sequence[ModelRecord]:
        """Return at most ``page.limit + 1`` models, newest first."""
        ...

    def set_drift(self, tx: Transaction, model_id: str, drift: dict[str, Any]) -> None:
        """Store how far what is seen has moved since a model's training."""
        ...

    def judge(self, tx: Transaction, judgement: Judgement) -> None:
        """Store what a person says of a sign-in; the last word counts."""
        ...

    def judgements(self, tx: Transaction, org_id: str) -> Sequence[Judgement]:
        """Return all that was said."""
        ...

    def position(self, tx: Transaction, name: str) -> int:
        """Return the ingest number that ``name`` looks at next."""
        ...

    def advance(self, tx: Transaction, name: str, before: int, after: int) -> bool:
        """Go from ``before`` to ``after``; False if somebody else was there first."""
        ...

    def ask_training(self, tx: Transaction, kind: str) -> None:
        """Note that a model of ``kind`` is wanted: ``position`` of ``train KIND`` says when."""
        ...
