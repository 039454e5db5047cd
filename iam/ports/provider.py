"""The provider's stores of what waits: pushed requests, devices, logouts, applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.clients import ClientRequest
from iam.models.grants import DeviceGrant, LogoutNotice, PushedRequest
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class PushedStore(Protocol):
    """Pushed authorization requests, each used once."""

    def add(self, tx: Transaction, request: PushedRequest) -> None:
        """Store it."""
        ...

    def take(self, tx: Transaction, digest: bytes, client_id: str) -> str | None:
        """Consume the client's own living one; return its parameters."""
        ...

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that ended before; return how many."""
        ...


class DeviceGrantStore(Protocol):
    """Devices that wait for their person."""

    def add(self, tx: Transaction, device: DeviceGrant) -> bool:
        """Store it; False if its user code waits already."""
        ...

    def by_user_code(self, tx: Transaction, user_code: bytes) -> DeviceGrant | None:
        """Return the living, undecided device of a code."""
        ...

    def decide(
        self, tx: Transaction, user_code: bytes, session_id: str | None
    ) -> DeviceGrant | None:
        """Approve for ``session_id``, or deny for None: once, while it waits."""
        ...

    def take(self, tx: Transaction, digest: bytes, client_id: str) -> DeviceGrant | None:
        """Consume the client's approved device; return it."""
        ...

    def session_of(self, tx: Transaction, digest: bytes, client_id: str) -> str | None:
        """Return the session that approved the client's device, while it waits to be told."""
        ...

    def poll(self, tx: Transaction, digest: bytes, client_id: str) -> DeviceGrant | None:
        """Note that it was asked; return it as it stood before, None if it is unknown."""
        ...

    def slow_down(self, tx: Transaction, digest: bytes, pause: int) -> None:
        """Set the pause between its questions."""
        ...

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that ended before; return how many."""
        ...


class LogoutStore(Protocol):
    """Which applications know a session, and the notices that it ended."""

    def add_client(self, tx: Transaction, session_id: str, client_id: str) -> None:
        """Note that the application was given tokens of the session; a repeat changes nothing."""
        ...

    def clients_of(self, tx: Transaction, session_id: str) -> Sequence[str]:
        """Return the applications that were given tokens of the session."""
        ...

    def add(self, tx: Transaction, notice: LogoutNotice) -> None:
        """Store it, unless the application's notice of this session is there."""
        ...

    def claim(self, tx: Transaction, limit: int, until: int) -> Sequence[LogoutNotice]:
        """Return due notices, not due again before ``until``: another process leaves them."""
        ...

    def keep(self, tx: Transaction, notice: LogoutNotice) -> None:
        """Store how a try went."""
        ...

    def silent(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[LogoutNotice]:
        """Return notices that nobody confirmed, given up or tried before, by id."""
        ...

    def retry(self, tx: Transaction, org_id: str, notice_id: str) -> bool:
        """Begin anew with a notice that was given up; False if there is none."""
        ...

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that ended before; return how many."""
        ...


class ClientRequestStore(Protocol):
    """Applications that somebody asks for."""

    def add(self, tx: Transaction, request: ClientRequest) -> None:
        """Store it."""
        ...

    def get(self, tx: Transaction, request_id: str) -> ClientRequest | None:
        """Return it."""
        ...
