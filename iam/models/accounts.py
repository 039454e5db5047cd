"""Accounts, the persons behind them, and their roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AccountKind = Literal["natural", "civil", "legal", "service"]
AccountState = Literal["pending", "active", "locked", "closed"]
SubjectKind = Literal["account", "client"]
DocumentType = Literal["cn-id", "passport", "other"]


@dataclass(frozen=True, slots=True)
class Organisation:
    """A tenant: an organ of government or one of its institutions."""

    id: str
    name: str
    parent_id: str | None
    created_at: int


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
    """Where a civil servant serves, and as what."""

    person_id: str
    org_id: str
    organisation: str
    post: str


@dataclass(frozen=True, slots=True)
class LegalPerson:
    """An enterprise or institution, by its unified social credit code (GB 32100)."""

    id: str
    org_id: str
    credit_code: str
    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Mandate:
    """``agent_id`` (an account) may act for ``legal_person_id`` in ``scope`` from–until."""

    id: str
    org_id: str
    legal_person_id: str
    agent_id: str
    scope: str
    starts_at: int
    ends_at: int
    granted_by: str
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Something that signs in. Times are UTC microseconds; ``name`` as typed."""

    id: str
    org_id: str
    name: str
    kind: AccountKind
    person_id: str | None
    state: AccountState
    created_at: int
    last_sign_in: int | None = None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is needed to create an account; it holds no role."""

    name: str
    kind: AccountKind = "natural"
    full_name: str = ""
    document: IdentityDocument | None = None
    organisation: str = ""
    post: str = ""


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """``role`` held by an account or client.

    ``person_key`` and ``side`` (operating, judging or None) carry the exclusions.
    """

    org_id: str
    subject_kind: SubjectKind
    subject_id: str
    role: str
    side: str | None
    person_key: bytes | None
    granted_by: str
    granted_at: int


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
