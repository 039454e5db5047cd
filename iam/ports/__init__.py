"""What the plane needs from outside: key material, its stores, hashing, policies."""

from __future__ import annotations

from dataclasses import dataclass

from iam.ports.changes import ChangeKind, ChangeStore
from iam.ports.factors import PasskeyStore
from iam.ports.keys import (
    IamPorts,
    KeyedHash,
    PasswordHasher,
    SecretBox,
    SigningKey,
    TokenSigner,
)
from iam.ports.login_risk import (
    LoginRisk,
    NoLoginRisk,
    RiskAdvice,
    SignInFacts,
)
from iam.ports.people import (
    AccountStore,
    CredentialStore,
    EnrolmentStore,
    PersonStore,
    RoleStore,
)
from iam.ports.policies import (
    PolicyAnswer,
    PolicyEngine,
    PolicyQuestion,
)
from iam.ports.sign_on import (
    ClientStore,
    GrantStore,
    LockoutStore,
    RiskStore,
    SessionStore,
)
from iam.ports.upstream import (
    NoOutbound,
    Outbound,
    Stream,
    UpstreamFactory,
    UpstreamIdentity,
    UpstreamLinkStore,
    UpstreamStore,
)

__all__ = [
    "AccountStore",
    "ChangeKind",
    "ChangeStore",
    "ClientStore",
    "CredentialStore",
    "EnrolmentStore",
    "GrantStore",
    "IamPorts",
    "IamStores",
    "KeyedHash",
    "LockoutStore",
    "LoginRisk",
    "NoLoginRisk",
    "NoOutbound",
    "Outbound",
    "PasskeyStore",
    "PasswordHasher",
    "PersonStore",
    "PolicyAnswer",
    "PolicyEngine",
    "PolicyQuestion",
    "RiskAdvice",
    "RiskStore",
    "RoleStore",
    "SecretBox",
    "SessionStore",
    "SignInFacts",
    "SigningKey",
    "Stream",
    "TokenSigner",
    "UpstreamFactory",
    "UpstreamIdentity",
    "UpstreamLinkStore",
    "UpstreamStore",
]


@dataclass(frozen=True, slots=True)
class IamStores:
    """All stores of the plane."""

    accounts: AccountStore
    persons: PersonStore
    roles: RoleStore
    credentials: CredentialStore
    enrolments: EnrolmentStore
    sessions: SessionStore
    clients: ClientStore
    grants: GrantStore
    lockouts: LockoutStore
    passkeys: PasskeyStore
    risks: RiskStore
    upstreams: UpstreamStore
    upstream_links: UpstreamLinkStore
