"""What listening for syslog needs: sockets on one side, the durable intake on the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detectors.models.listening import Endpoint, Heard, ListenerCounts


class SyslogSink(Protocol):
    """Takes what the listeners hear; the service is behind it."""

    def take(self, heard: Sequence[Heard]) -> int:
        """Make messages durable and return how many; raises ``SpoolFull`` and its kin.

        Some may wait for others of their event: those are counted when they are durable.
        """
        ...

    def waiting(self) -> int:
        """Return how many wait."""
        ...

    def overdue(self, *, everything: bool = False) -> int:
        """Make durable what waited too long, or ``everything``; return how many messages."""
        ...

    def drop(self, peer: str, count: int) -> None:
        """Count messages of ``peer`` that could not be taken."""
        ...


class StreamCutter(Protocol):
    """Cuts one connection's bytes into messages."""

    def feed(self, content: bytes) -> list[tuple[bytes, bool]]:
        """Return the messages that are whole now, and whether each was cut."""
        ...

    def end(self) -> list[tuple[bytes, bool]]:
        """Return the rest at the end of the connection."""
        ...


class Listeners(Protocol):
    """The open sockets of one process."""

    def start(self) -> Sequence[Endpoint]:
        """Open them and return where they listen; raises ``ListenerFailed``."""
        ...

    def stop(self) -> None:
        """Close them; what was heard is stored first."""
        ...

    def counts(self) -> ListenerCounts:
        """Return what they have done since they were opened."""
        ...


class ListenerNotes(Protocol):
    """Says to other processes how the listeners of the running one fare."""

    def note(self, opened: Sequence[Endpoint], failure: str = "") -> None:
        """Replace what is said: where they listen, or why they don't."""
        ...

    def forget(self) -> None:
        """Say nothing of them: they are closed."""
        ...
