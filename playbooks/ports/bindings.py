"""Stores of bindings, of what they answered, and of what holds them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from playbooks.models.bindings import Answer, AutomaticRun, Binding, Pause
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class BindingStore(Protocol):
    """The register of bindings."""

    def add(self, transaction: Transaction, binding: Binding) -> None:
        """Store a new binding."""
        ...

    def get(self, transaction: Transaction, org_id: str, binding_id: str) -> Binding:
        """Return it; raise ``BindingNotFound``."""
        ...

    def change(self, transaction: Transaction, binding: Binding, *, was: Binding) -> None:
        """Store it if version and waiting change are those of ``was``; raise otherwise."""
        ...

    def list(self, transaction: Transaction, org_id: str, page: PageRequest) -> Page[Binding]:
        """Return an organisation's bindings, newest first."""
        ...

    def active(self, transaction: Transaction, org_id: str) -> Sequence[Binding]:
        """Return those in force, the oldest first."""
        ...

    def count(self, transaction: Transaction, org_id: str) -> int:
        """Return how many are not withdrawn."""
        ...


class AnswerStore(Protocol):
    """What bindings answered, and the counters that hold them back."""

    def take(self, transaction: Transaction, answer: Answer) -> bool:
        """Keep that a binding answers an alert; False if it did before."""
        ...

    def settle(self, transaction: Transaction, answer: Answer) -> None:
        """Write down what became of an answer that was taken in this transaction."""
        ...

    def is_taken(self, transaction: Transaction, binding_id: str, alert_id: str) -> bool:
        """Tell whether the binding has answered the alert."""
        ...

    def of_alert(self, transaction: Transaction, org_id: str, alert_id: str) -> Sequence[Answer]:
        """Return what was answered to an alert."""
        ...

    def list(self, transaction: Transaction, org_id: str, page: PageRequest) -> Page[Answer]:
        """Return answers, newest first."""
        ...

    def spend(
        self, transaction: Transaction, org_id: str, budgets: Sequence[tuple[str, int]]
    ) -> bool:
        """Take one from each of ``budgets`` (name, runs in any hour), or from none.

        Raises ``ChangedMeanwhile`` where another process spent of one at the same time.
        """
        ...

    def has_left(
        self, transaction: Transaction, org_id: str, budgets: Sequence[tuple[str, int]]
    ) -> bool:
        """Tell whether every budget has something left; promises nothing."""
        ...

    def rest(self, transaction: Transaction, answer: Answer, entity: str, *, until: int) -> bool:
        """Begin the rest of ``entity`` after this answer; False while one lasts."""
        ...

    def forget(self, transaction: Transaction, before: int) -> None:
        """Drop budgets that were last spent of, and rests that ended, before this instant."""
        ...


class PauseStore(Protocol):
    """The switch of each organisation, and runs that nobody approved yet."""

    def pause(self, transaction: Transaction, org_id: str) -> Pause:
        """Return the switch as it stands."""
        ...

    def switch(self, transaction: Transaction, pause: Pause, *, was: Pause) -> None:
        """Set it if it stands as in ``was``; raise ``ChangedMeanwhile``."""
        ...

    def add(self, transaction: Transaction, run: AutomaticRun) -> None:
        """Keep that a run began unapproved."""
        ...

    def get(self, transaction: Transaction, org_id: str, run_id: str) -> AutomaticRun | None:
        """Return it, None for a run that people asked for."""
        ...

    def decide(self, transaction: Transaction, run: AutomaticRun) -> bool:
        """Settle a waiting run as ``run`` says; False if it was settled before."""
        ...

    def waiting(
        self, transaction: Transaction, org_id: str | None, *, before: int | None, limit: int
    ) -> Sequence[AutomaticRun]:
        """Return waiting runs, those due first; ``before`` leaves out later deadlines."""
        ...


@dataclass(frozen=True, slots=True)
class AutonomyStores:
    """All that bindings keep."""

    bindings: BindingStore
    answers: AnswerStore
    pauses: PauseStore
