"""What the plane needs from outside: key material, its stores, hashing, policies."""

from __future__ import annotations

from dataclasses import dataclass

from iam.ports.cas import CasStore
from iam.ports.changes import ChangeKind, ChangeStore
from iam.ports.consents import ConsentStore
from iam.ports.erasure import ErasureStore, NoPersonalCopies, PersonalCopies
from iam.ports.factors import (
    CertificateStore,
    CertificateTrust,
    FactorsHeldStore,
    NoTrust,
    PasskeyStore,
    SessionLevelStore,
)
from iam.ports.facts import StandingStore
from iam.ports.keys import (
    BreachedPasswords,
    IamPorts,
    KeyedHash,
    MandateSigner,
    NoBreachedPasswords,
    NoMandateSigner,
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
from iam.ports.messages import MessageAddressStore, MessageCarrier, OwnerNoticeStore
from iam.ports.organisations import (
    DepartureStore,
    LegalPersonStore,
    MandateStore,
    OrganisationStore,
)
from iam.ports.people import (
    AccountStore,
    CredentialStore,
    EnrolmentStore,
    PersonStore,
    RoleStore,
)
from iam.ports.policies import (
    ParsedPolicy,
    PolicyAnswer,
    PolicyCompiler,
    PolicyEngine,
    PolicyQuestion,
)
from iam.ports.provider import (
    ClientRequestStore,
    DeviceGrantStore,
    LogoutStore,
    PushedStore,
)
from iam.ports.recovery import BreakGlassStore, RecoveryStore
from iam.ports.scim import ScimStore, ScimUserStore
from iam.ports.sign_on import (
    ClientStore,
    GrantStore,
    LockoutStore,
    RiskStore,
    SessionStore,
)
from iam.ports.tallies import TallyBook, TallyLine, TallyShelf
from iam.ports.upstream import (
    Negotiate,
    NoOutbound,
    Outbound,
    Stream,
    UpstreamFactory,
    UpstreamIdentity,
    UpstreamLinkStore,
    UpstreamStore,
)
from iam.ports.zero_trust import (
    DecisionStore,
    DemandStore,
    DeviceStore,
    LockStore,
    PolicyStore,
    SurroundingsStore,
)

__all__ = [
    "AccountStore",
    "BreachedPasswords",
    "BreakGlassStore",
    "CasStore",
    "CertificateStore",
    "CertificateTrust",
    "ChangeKind",
    "ChangeStore",
    "ClientRequestStore",
    "ClientStore",
    "ConsentStore",
    "CredentialStore",
    "DecisionStore",
    "DemandStore",
    "DepartureStore",
    "DeviceGrantStore",
    "DeviceStore",
    "EnrolmentStore",
    "ErasureStore",
    "FactorsHeldStore",
    "GrantStore",
    "IamPorts",
    "IamStores",
    "KeyedHash",
    "LegalPersonStore",
    "LockStore",
    "LockoutStore",
    "LoginRisk",
    "LogoutStore",
    "MandateSigner",
    "MandateStore",
    "MessageAddressStore",
    "MessageCarrier",
    "Negotiate",
    "NoBreachedPasswords",
    "NoLoginRisk",
    "NoMandateSigner",
    "NoOutbound",
    "NoPersonalCopies",
    "NoTrust",
    "OrganisationStore",
    "Outbound",
    "OwnerNoticeStore",
    "ParsedPolicy",
    "PasskeyStore",
    "PasswordHasher",
    "PersonStore",
    "PersonalCopies",
    "PolicyAnswer",
    "PolicyCompiler",
    "PolicyEngine",
    "PolicyQuestion",
    "PolicyStore",
    "PushedStore",
    "RecoveryStore",
    "RiskAdvice",
    "RiskStore",
    "RoleStore",
    "ScimStore",
    "ScimUserStore",
    "SecretBox",
    "SessionLevelStore",
    "SessionStore",
    "SignInFacts",
    "SigningKey",
    "StandingStore",
    "Stream",
    "SurroundingsStore",
    "TallyBook",
    "TallyLine",
    "TallyShelf",
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
    organisations: OrganisationStore
    legal_persons: LegalPersonStore
    mandates: MandateStore
    departures: DepartureStore
    changes: ChangeStore
    roles: RoleStore
    credentials: CredentialStore
    enrolments: EnrolmentStore
    sessions: SessionStore
    clients: ClientStore
    grants: GrantStore
    lockouts: LockoutStore
    passkeys: PasskeyStore
    certificates: CertificateStore
    factors_held: FactorsHeldStore
    session_levels: SessionLevelStore
    risks: RiskStore
    policies: PolicyStore
    decisions: DecisionStore
    locks: LockStore
    registered_devices: DeviceStore
    surroundings: SurroundingsStore
    upstreams: UpstreamStore
    upstream_links: UpstreamLinkStore
    cas: CasStore
    scim_users: ScimUserStore
    scim_groups: ScimStore
    pushed: PushedStore
    device_grants: DeviceGrantStore
    logouts: LogoutStore
    client_requests: ClientRequestStore
    message_addresses: MessageAddressStore
    owner_notices: OwnerNoticeStore
    recoveries: RecoveryStore
    break_glass: BreakGlassStore
    consents: ConsentStore
    demands: DemandStore
    standing: StandingStore
    erasures: ErasureStore
