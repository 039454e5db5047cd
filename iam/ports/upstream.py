"""Providers upstream: one Protocol for every kind, its store, and the guarded way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from iam.models.upstream import (
    Handshake,
    RealNameLevel,
    Standing,
    Upstream,
    UpstreamCheck,
    UpstreamLink,
    UpstreamPlan,
    UpstreamProof,
    UpstreamProposal,
)
from secops.kernel.errors import Unavailable
from secops.kernel.transactions import Transaction


class Stream(Protocol):
    """A connection over verified TLS."""

    def send(self, content: bytes) -> None:
        """Send all of it; raise a ``SecopsError`` when the other side is gone."""
        ...

    def receive(self, limit: int) -> bytes:
        """Return 1 to ``limit`` bytes; raise a ``SecopsError`` at the end or too late."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


Negotiate = Callable[[Stream], None]
"""Agrees on TLS over a connection that has none yet (StartTLS); raises if it can't."""


class Outbound(Protocol):
    """The guarded way out: limits on addresses, size and time; no redirects."""

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        """Return (status, answer); raise a ``SecopsError`` for a forbidden or silent side."""
        ...

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Send ``body``; return (status, answer cut at 64 KiB); raise as ``get``."""
        ...

    def open_tls(
        self, host: str, port: int, timeout: float, negotiate: Negotiate | None = None
    ) -> Stream:
        """Return a connection whose certificate fits ``host``; raise as ``get``.

        ``negotiate`` speaks first and in clear, to agree on TLS; what it raises comes out.
        """
        ...


class NoOutbound:
    """Where nothing leaves the machine."""

    def get(self, *_: object, **__: object) -> tuple[int, bytes]:
        """Raise ``Unavailable``."""
        raise Unavailable("nothing leaves this machine")

    def post(self, *_: object, **__: object) -> tuple[int, bytes]:
        """Raise ``Unavailable``."""
        raise Unavailable("nothing leaves this machine")

    def open_tls(self, *_: object, **__: object) -> Stream:
        """Raise ``Unavailable``."""
        raise Unavailable("nothing leaves this machine")


class UpstreamIdentity(Protocol):
    """One provider, ready to be asked. Everything it returns has been checked."""

    def begin(self, handshake: Handshake) -> str:
        """Return where the browser goes; "" where name and password are asked for here.

        Raises ``UpstreamDown``.
        """
        ...

    def complete(self, handshake: Handshake, parameters: Mapping[str, str]) -> UpstreamProof:
        """Return what the provider proves about the person.

        ``parameters`` came back with the browser (or are the form's ``name`` and
        ``password``). Raises ``UpstreamRefused`` for anything wrong, ``UpstreamDown``.
        """
        ...

    def check(self) -> Sequence[UpstreamCheck]:
        """Try what can be tried without a person; never raises a ``SecopsError``."""
        ...

    def standing(self, subject: str) -> Standing:
        """Tell whether ``subject`` has left; "unknown" where the provider can't be asked."""
        ...


class UpstreamFactory(Protocol):
    """Makes providers of all kinds."""

    def open(self, plan: UpstreamPlan, secret: bytes) -> UpstreamIdentity:
        """Return the provider of ``plan``; nothing is asked yet."""
        ...


class UpstreamStore(Protocol):
    """Providers and the configurations that wait for approval."""

    def propose(self, tx: Transaction, proposal: UpstreamProposal) -> None:
        """Store what waits for approval."""
        ...

    def proposal(self, tx: Transaction, approval_id: str) -> UpstreamProposal:
        """Return it; raise ``NotFound``."""
        ...

    def proposals(self, tx: Transaction, org_id: str) -> Sequence[UpstreamProposal]:
        """Return what waits, oldest first."""
        ...

    def drop_proposal(self, tx: Transaction, approval_id: str) -> None:
        """Forget it."""
        ...

    def put(self, tx: Transaction, upstream: Upstream) -> None:
        """Put a provider in force; raise ``NameTaken`` if another organisation's has its id."""
        ...

    def find(self, tx: Transaction, upstream_id: str) -> Upstream | None:
        """Return it."""
        ...

    def all_of(self, tx: Transaction, org_id: str) -> Sequence[Upstream]:
        """Return an organisation's providers by id."""
        ...

    def active(self, tx: Transaction) -> Sequence[Upstream]:
        """Return every provider in force, by id, at most 100."""
        ...

    def disable(self, tx: Transaction, upstream_id: str) -> bool:
        """Take it out of force; False if it was."""
        ...


class UpstreamLinkStore(Protocol):
    """Who is linked, whom a first link would reach, and how surely people are known."""

    def link(self, tx: Transaction, link: UpstreamLink) -> None:
        """Store a link; raise ``UpstreamUnlinked`` if subject or account is linked already."""
        ...

    def find_link(
        self, tx: Transaction, upstream_id: str, subject_key: bytes
    ) -> UpstreamLink | None:
        """Return the link of a subject."""
        ...

    def links_to_check(
        self, tx: Transaction, before: int, upstream_ids: Sequence[str], limit: int
    ) -> Sequence[UpstreamLink]:
        """Return links of active accounts last checked before ``before``, oldest first."""
        ...

    def checked(self, tx: Transaction, link: UpstreamLink) -> None:
        """Remember that the link was checked now."""
        ...

    def accounts_of_person(self, tx: Transaction, org_id: str, key: bytes) -> Sequence[str]:
        """Return ids of open accounts of the proved person with this key, at most 2."""
        ...

    def accounts_of_body(self, tx: Transaction, org_id: str, credit_code: str) -> Sequence[str]:
        """Return ids of open legal accounts that stand for this body now, at most 2."""
        ...

    def credit_code_of(self, tx: Transaction, account_id: str) -> str | None:
        """Return the code of the one body that a legal account stands for now."""
        ...

    def person_key(self, tx: Transaction, account_id: str) -> bytes | None:
        """Return the key of the proved person behind an account."""
        ...

    def put_level(self, tx: Transaction, level: RealNameLevel) -> None:
        """Store the level of an account in a scheme in place of the one before."""
        ...

    def levels_of(self, tx: Transaction, account_id: str) -> Sequence[RealNameLevel]:
        """Return an account's levels that hold now, the latest first."""
        ...
