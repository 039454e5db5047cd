"""Accounts, the persons behind them, and their roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

AccountKind = Literal["natural", "civil", "legal", "service"]
AccountState = Literal["pending", "active", "locked", "closed"]
SubjectKind = Literal["account", "client"]
DocumentType = Literal["cn-id", "passport", "other"]


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organ of government or one of its institutions, in a tree; names are whole and unique.

    Administrators of an organisation act in it and in everything below it, nowhere else.
    """

    id: str
    name: str
    parent_id: str | None
    created_at: int
    closed_at: int | None = None


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation with what hangs on it: ``path`` are the names from the top down to it."""

    organisation: Organisation
    path: tuple[Organisation, ...]
    children: int
    accounts: int


@dataclass(frozen=True, slots=True)
class IdentityDocument:
    """What a person showed. The number never leaves memory: only its keyed hash is kept."""

    type: DocumentType
    number: str


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person.

    ``key`` is a keyed hash of the document, ``proved`` tells whether one was shown (otherwise
    the key stands for the account alone). ``sealed_name`` is readable only under the key pool.
    """

    id: str
    org_id: str
    key: bytes
    proved: bool
    sealed_name: bytes
    real_name_level: int
    created_at: int


@dataclass(frozen=True, slots=True)
class CivilService:
    """Where a civil servant serves, and as what; ``organisation_id`` where it is in the tree."""

    person_id: str
    org_id: str
    organisation: str
    post: str
    organisation_id: str | None = None
    started_at: int = 0
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class LegalPerson:
    """An enterprise or institution, by its unified social credit code (GB 32100).

    ``representative_id`` is the account of its legal representative: who grants mandates.
    """

    id: str
    org_id: str
    credit_code: str
    name: str
    created_at: int
    representative_id: str | None = None


@dataclass(frozen=True, slots=True)
class Mandate:
    """``agent_id`` (an account) may act for ``legal_person_id`` in ``scope`` from–until.

    ``services`` are application ids and ``seals`` seal ids it covers. ``granter_id`` is the
    legal representative; ``signature`` is the key pool's over all of it but its end.
    """

    id: str
    org_id: str
    legal_person_id: str
    agent_id: str
    scope: str
    starts_at: int
    ends_at: int
    granted_by: str
    revoked_at: int | None = None
    services: tuple[str, ...] = ()
    seals: tuple[str, ...] = ()
    granter_id: str | None = None
    granted_at: int = 0
    signature: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ActingContext:
    """For whom a session acts: a checked mandate. ``claims`` go into tokens (RFC 8693 §4.1).

    ``sub`` is then the legal person and ``act.sub`` the agent; ``ends_at`` bounds the token.
    """

    mandate: Mandate
    legal_person: LegalPerson

    def claims(self, agent_subject: str) -> dict[str, Any]:
        """Return the claims of a token for the agent known as ``agent_subject``."""
        return {
            "sub": self.legal_person.id,
            "act": {"sub": agent_subject},
            "mandate": self.mandate.id,
        }


@dataclass(frozen=True, slots=True)
class Account:
    """Something that signs in. Times are UTC microseconds; ``name`` as typed.

    A service account has an ``owner_id`` (an account), a day of review and an end. Where
    ``erased_at`` is set, whose account it was can no longer be known; the id stays.
    """

    id: str
    org_id: str
    name: str
    kind: AccountKind
    person_id: str | None
    state: AccountState
    created_at: int
    last_sign_in: int | None = None
    owner_id: str | None = None
    review_at: int | None = None
    expires_at: int | None = None
    erased_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is needed to create an account; it holds no role."""

    name: str
    kind: AccountKind = "natural"
    full_name: str = ""
    document: IdentityDocument | None = None
    organisation: str = ""
    post: str = ""
    organisation_id: str | None = None
    owner_id: str | None = None
    review_at: int | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """What a list of accounts is asked for. ``text`` is found anywhere in the folded name.

    ``organisation_id`` narrows to it and everything below it.
    """

    text: str = ""
    state: str = ""
    kind: str = ""
    role: str = ""
    organisation_id: str = ""
    order: Literal["created", "name", "sign_in"] = "created"


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """``role`` held by an account or client.

    ``person_key`` and ``side`` (operating, judging or None) carry the exclusions;
    ``expires_at`` ends a privilege that was lent.
    """

    org_id: str
    subject_kind: SubjectKind
    subject_id: str
    role: str
    side: str | None
    person_key: bytes | None
    granted_by: str
    granted_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody leaves: carried out when it is due, once."""

    id: str
    org_id: str
    account_id: str
    successor_id: str | None
    reason: str
    due_at: int
    ordered_by: str
    ordered_at: int
    state: Literal["due", "done", "cancelled"] = "due"
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The right to set an account's first factors, once, until ``expires_at``."""

    digest: bytes
    org_id: str
    account_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class IssuedEnrolment:
    """An enrolment as handed out; ``token`` is shown once and kept nowhere."""

    account_id: str
    account_name: str
    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """What the person who enrols needs to see."""

    account_name: str
    otpauth_uri: str
    otp_secret: str
    needs_document: bool
    expires_at: int
