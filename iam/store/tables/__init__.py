"""The plane's tables, a file per family. Times are UTC microseconds."""

from __future__ import annotations

from iam.store.tables.cas import cas_services, cas_tickets
from iam.store.tables.consents import consents
from iam.store.tables.factors import (
    certificates,
    lockouts,
    passkeys,
    passwords,
    recovery_codes,
    totp,
)
from iam.store.tables.messages import message_addresses, message_codes, owner_notices
from iam.store.tables.people import (
    accounts,
    civil_services,
    enrolments,
    legal_persons,
    mandates,
    organisation_paths,
    organisations,
    person_sides,
    persons,
    role_grants,
)
from iam.store.tables.power import acting, change_requests, departures
from iam.store.tables.provider import (
    client_requests,
    clients,
    codes,
    device_grants,
    families,
    logout_notices,
    pushed,
    session_clients,
    used,
)
from iam.store.tables.recovery import break_glass, recoveries
from iam.store.tables.schema import metadata
from iam.store.tables.scim import scim_groups, scim_users
from iam.store.tables.sessions import risks, rp_sessions, sessions
from iam.store.tables.upstream import (
    real_name_levels,
    upstream_links,
    upstream_proposals,
    upstreams,
)
from iam.store.tables.zero_trust import (
    decision_folds,
    decisions,
    device_sessions,
    locks,
    policy_versions,
    registered_devices,
)

__all__ = [
    "accounts",
    "acting",
    "break_glass",
    "cas_services",
    "cas_tickets",
    "certificates",
    "change_requests",
    "civil_services",
    "client_requests",
    "clients",
    "codes",
    "consents",
    "decision_folds",
    "decisions",
    "departures",
    "device_grants",
    "device_sessions",
    "enrolments",
    "families",
    "legal_persons",
    "lockouts",
    "locks",
    "logout_notices",
    "mandates",
    "message_addresses",
    "message_codes",
    "metadata",
    "organisation_paths",
    "organisations",
    "owner_notices",
    "passkeys",
    "passwords",
    "person_sides",
    "persons",
    "policy_versions",
    "pushed",
    "real_name_levels",
    "recoveries",
    "recovery_codes",
    "registered_devices",
    "risks",
    "role_grants",
    "rp_sessions",
    "scim_groups",
    "scim_users",
    "session_clients",
    "sessions",
    "totp",
    "upstream_links",
    "upstream_proposals",
    "upstreams",
    "used",
]
