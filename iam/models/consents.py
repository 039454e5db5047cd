"""What people allow applications to learn and do."""

from __future__ import annotations

from dataclasses import dataclass

from secops.kernel.catalogue import Text


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's yes to an application's ``scopes``; at most one of them stands at a time."""

    id: str
    org_id: str
    account_id: str
    client_id: str
    scopes: frozenset[str]
    granted_at: int
    expires_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """A scope in words: what it allows, and which claims the application is told."""

    scope: str
    title: Text
    told: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """What a person is asked.

    ``goes_to`` is the host the answer goes to, "" for a device; ``until`` is when the yes
    ends, None where nothing is remembered; ``places`` are other applications that its tokens
    open for the person, by name; ``lasting`` whether the application keeps its
    access while the person is away, for ``hours`` at most.
    """

    client_id: str
    client_name: str
    organisation: str
    goes_to: str
    scopes: tuple[ScopeWords, ...]
    until: int | None
    lasting: bool
    hours: int
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent as it is listed: with names, and its scopes in words."""

    consent: Consent
    account_name: str
    client_name: str
    organisation: str
    scopes: tuple[ScopeWords, ...]
