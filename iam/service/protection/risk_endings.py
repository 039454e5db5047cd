"""A risk beyond the limit ends the subject's sessions as soon as it is announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.sign_on.sessions import end_sessions
from iam.service.zero_trust.book import PolicyBook
from secops.kernel.actors import system_actor
from secops.kernel.transactions import Transaction

_ACTOR: Final = system_actor("decision-point")


@dataclass(frozen=True, slots=True)
class RiskEndings:
    """Receives every change of risk; repeats end nothing twice."""

    means: Means
    book: PolicyBook

    def receive(self, subject: str, risk: int) -> None:
        """End the sessions of an account, or one session, where ``risk`` is at the limit."""
        if risk < self.book.current().data.risk.end_session:
            return
        kind, _, name = subject.partition(":")
        found = self.means.parts.transactions.read(lambda tx: self._sessions(tx, kind, name))
        end_sessions(self.means, _ACTOR, found, f"risk {risk}")

    def _sessions(self, tx: Transaction, kind: str, name: str) -> Sequence[OpSession]:
        if kind == "account":
            return self.means.stores.sessions.alive_of(tx, name)
        if kind == "session":
            session = self.means.stores.sessions.get(tx, name)
            return [session] if session is not None and session.alive(tx.now) else []
        return []
