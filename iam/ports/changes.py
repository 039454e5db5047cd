"""Kinds of change that take two persons, and where their requests are kept.

A family that wants a change of its own to take two persons writes a ``ChangeKind``; the
plane's wiring hands it to ``people.change_requests``, which knows no kind by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from iam.models.changes import ChangeRequest, ChangeState
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions import Permission
from secops.kernel.transactions import Transaction


class ChangeKind(Protocol):
    """How one kind of change is looked at, checked and carried out."""

    @property
    def name(self) -> str:
        """The kind's identifier, e.g. ``roles.change``."""
        ...

    @property
    def title(self) -> Text:
        """What people call it."""
        ...

    def asking(self, after: Mapping[str, Any]) -> Permission:
        """Return what it takes to ask for ``after``."""
        ...

    def approving(self, after: Mapping[str, Any]) -> Permission:
        """Return what it takes to approve ``after``."""
        ...

    def before(self, tx: Transaction, actor: Actor, target: str) -> Mapping[str, Any]:
        """Return the target as it is now, in ``after``'s fields; empty for a new thing.

        Raises ``NotFound`` where the actor can't reach the target.
        """
        ...

    def check(self, tx: Transaction, actor: Actor, target: str, after: Mapping[str, Any]) -> None:
        """Raise a ``SecopsError`` where ``after`` can't be asked for (form, own power)."""
        ...

    def apply(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> None:
        """Carry it out; ``actor`` approved it. Raises where it can't be done any more."""
        ...


class ChangeStore(Protocol):
    """Change requests."""

    def add(self, tx: Transaction, change: ChangeRequest) -> None:
        """Store a new request."""
        ...

    def get(self, tx: Transaction, change_id: str) -> ChangeRequest:
        """Return it as of now (``expired`` when its time is over); raise ``NotFound``."""
        ...

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, *, pending: bool
    ) -> Page[ChangeRequest]:
        """Return requests of the organisation and those below it, newest first."""
        ...

    def of_requester(self, tx: Transaction, requester_id: str) -> Sequence[ChangeRequest]:
        """Return what somebody asked for, newest first, at most 100."""
        ...

    def decide(
        self, tx: Transaction, change_id: str, state: ChangeState, decision: tuple[str, str]
    ) -> bool:
        """Move a pending request to ``state`` by (who, why): True once."""
        ...

    def complete(self, tx: Transaction, change_id: str) -> bool:
        """Move an approved request to ``applied``: True once."""
        ...
