"""The plane's tables, a file per family. Times are UTC microseconds."""

from __future__ import annotations

from iam.store.tables.factors import lockouts, passwords, recovery_codes, totp
from iam.store.tables.people import (
    accounts,
    civil_services,
    enrolments,
    legal_persons,
    mandates,
    organisations,
    person_sides,
    persons,
    role_grants,
)
from iam.store.tables.provider import clients, codes, families, used
from iam.store.tables.schema import metadata
from iam.store.tables.sessions import risks, rp_sessions, sessions

__all__ = [
    "accounts",
    "civil_services",
    "clients",
    "codes",
    "enrolments",
    "families",
    "legal_persons",
    "lockouts",
    "mandates",
    "metadata",
    "organisations",
    "passwords",
    "person_sides",
    "persons",
    "recovery_codes",
    "risks",
    "role_grants",
    "rp_sessions",
    "sessions",
    "totp",
    "used",
]
