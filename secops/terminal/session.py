"""What a command is given: the house it works in and who acts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar, cast

import click

from secops.kernel.actors import Actor
from secops.kernel.errors import SecopsError, Unavailable
from secops.kernel.parts import Parts

T = TypeVar("T")


class OpenHouse(Protocol):
    """A home that was opened: its spine and the services of all planes."""

    @property
    def parts(self) -> Parts:
        """The spine."""
        ...

    @property
    def services(self) -> Sequence[object]:
        """The ``Services`` of each plane."""
        ...

    def act_as(self, account: str | None) -> Actor:
        """Return who acts (``--as``, ``$SECOPS_TOKEN`` or ``secops login``)."""
        ...

    def note_refusal(self, actor: Actor, error: SecopsError, command: str) -> None:
        """Record in the ledger that ``actor`` was refused ``command``."""
        ...

    def close(self) -> None:
        """Drain the ledger's doors and give leases back."""
        ...


@dataclass(slots=True)
class Session:
    """One run of the command line. The house is opened when a command first needs it."""

    home: Path
    account: str | None
    open_house: Callable[[Path], OpenHouse]
    open_files: Callable[[Path], Iterable[object]] = field(default=lambda _: ())
    """Opens what works on the home's files alone, however damaged the rest of it is."""
    _house: OpenHouse | None = field(default=None)
    _actor: Actor | None = field(default=None)

    @property
    def house(self) -> OpenHouse:
        """The opened house."""
        if self._house is None:
            self._house = self.open_house(self.home)
        return self._house

    @property
    def actor(self) -> Actor:
        """Who acts; raises ``Unauthenticated`` with the remedy when nobody does."""
        if self._actor is None:
            self._actor = self.house.act_as(self.account)
        return self._actor

    def note_refusal(self, error: SecopsError, command: str) -> None:
        """Record the refusal of a known actor; where nobody is known there is nothing to say."""
        if self._house is not None and self._actor is not None:
            self._house.note_refusal(self._actor, error, command)

    def services(self, kind: type[T]) -> T:
        """Return the services of the plane whose ``Services`` class is ``kind``."""
        for services in self.house.services:
            if isinstance(services, kind):
                return services
        msg = f"{kind.__module__} is not installed"
        raise Unavailable(msg)

    def files(self, kind: type[T]) -> T:
        """Return what works on the home's files alone, of the class ``kind``; opens no house."""
        for opened in self.open_files(self.home):
            if isinstance(opened, kind):
                return opened
        msg = f"{kind.__module__} is not installed"
        raise Unavailable(msg)

    def close(self) -> None:
        """Close the house if it was opened."""
        if self._house is not None:
            self._house.close()
            self._house = None


def session_of(context: click.Context) -> Session:
    """Return the session of a command's ``context``."""
    return cast("Session", context.find_root().obj)
