"""Stores of sessions, applications, grants, counters and risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from iam.models.clients import Client
from iam.models.credentials import Attempts
from iam.models.grants import Code, Family, Redemption, RefreshUse, Rotation
from iam.models.sessions import OpSession, RpSession
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class SessionStore(Protocol):
    """Sessions at the provider, and what hangs on them."""

    def add(self, tx: Transaction, session: OpSession) -> None:
        """Store a new session."""
        ...

    def by_digest(self, tx: Transaction, digest: bytes) -> OpSession | None:
        """Return the session of a cookie."""
        ...

    def get(self, tx: Transaction, session_id: str) -> OpSession | None:
        """Return it."""
        ...

    def alive_of(self, tx: Transaction, account_id: str) -> Sequence[OpSession]:
        """Return the account's living sessions, newest first."""
        ...

    def history_of(self, tx: Transaction, account_id: str, limit: int = 50) -> Sequence[OpSession]:
        """Return the account's sessions, living and over, newest first, at most ``limit``."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[OpSession]:
        """Return living sessions of the organisation and those below it, by id."""
        ...

    def touch(self, tx: Transaction, session_id: str) -> None:
        """Remember that it was used now."""
        ...

    def end(self, tx: Transaction, session_id: str) -> bool:
        """End it and the refresh families that hang on it; False if it had ended."""
        ...

    def add_rp(self, tx: Transaction, session: RpSession) -> None:
        """Store a relying party's session."""
        ...

    def rp_by_digest(self, tx: Transaction, digest: bytes) -> RpSession | None:
        """Return the relying party's session of a cookie."""
        ...


class ClientStore(Protocol):
    """Applications."""

    def add(self, tx: Transaction, client: Client) -> None:
        """Store it; raise ``NameTaken``."""
        ...

    def get(self, tx: Transaction, client_id: str) -> Client | None:
        """Return it, with its roles."""
        ...

    def with_redirect(self, tx: Transaction, ending: str) -> Sequence[Client]:
        """Return usable applications with a redirect URI that ends in ``ending``, by id."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Client]:
        """Return applications by id."""
        ...

    def set_secret(self, tx: Transaction, client_id: str, digest: bytes) -> None:
        """Replace the secret."""
        ...

    def disable(self, tx: Transaction, client_id: str) -> bool:
        """Disable it; False if it was or is unknown."""
        ...


class GrantStore(Protocol):
    """Codes, refresh families and everything that is used once."""

    def add_code(self, tx: Transaction, code: Code) -> None:
        """Store a code."""
        ...

    def redeem_code(self, tx: Transaction, redemption: Redemption) -> Code | None:
        """Consume the code if all of the redemption fits, by one statement."""
        ...

    def spent_code(self, tx: Transaction, redemption: Redemption) -> Redemption | None:
        """Return how the client's code was redeemed before, if it was."""
        ...

    def session_of_code(self, tx: Transaction, digest: bytes, client_id: str) -> str | None:
        """Return the session of the client's code while it waits."""
        ...

    def session_of_family(self, tx: Transaction, family: bytes, client_id: str) -> str | None:
        """Return the session of the client's family."""
        ...

    def add_family(self, tx: Transaction, family: Family) -> None:
        """Store a family in generation 0."""
        ...

    def rotate(self, tx: Transaction, use: RefreshUse) -> Rotation:
        """Compare and set: one winner a generation; reuse kills the family."""
        ...

    def end_family(self, tx: Transaction, family: bytes, client_id: str) -> str | None:
        """End a client's family; return its session, None if it was not alive."""
        ...

    def use_once(self, tx: Transaction, kind: str, key: bytes, expires_at: int) -> bool:
        """Consume ``key``: True for the first, False ever after."""
        ...

    def purge(self, tx: Transaction, limit: int) -> int:
        """Remove at most ``limit`` things that expired an hour ago; return how many."""
        ...


class LockoutStore(Protocol):
    """Counters of failures; keys are keyed hashes."""

    def read(self, tx: Transaction, kind: str, key: bytes) -> Attempts:
        """Return the counter, zero if there is none."""
        ...

    def write(self, tx: Transaction, kind: str, key: bytes, attempts: Attempts) -> None:
        """Store the counter."""
        ...

    def clear(self, tx: Transaction, kind: str, key: bytes) -> None:
        """Forget the counter."""
        ...

    def locked(self, tx: Transaction, kind: str) -> int:
        """Return how many of ``kind`` refuse now."""
        ...


class RiskStore(Protocol):
    """The projection of subjects' risk."""

    def put(self, tx: Transaction, subject: str, risk: int, delivery: tuple[int, int]) -> bool:
        """Store the risk unless a later delivery (id, at) already did; True if stored."""
        ...

    def all(self, tx: Transaction) -> Mapping[str, tuple[int, int]]:
        """Return every subject with a risk above 0: the risk, and when it was announced."""
        ...
