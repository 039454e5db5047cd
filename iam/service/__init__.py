"""Use cases of the plane: authorise, load, decide, one unit of work, announce."""

from __future__ import annotations

from dataclasses import dataclass

from iam.service.actors import ActorService
from iam.service.cas.logouts import CasLogouts
from iam.service.cas.tickets import CasTickets
from iam.service.evidence import EvidenceService
from iam.service.people.accounts import AccountService
from iam.service.people.beginnings import BeginningService
from iam.service.people.break_glass import BreakGlassService
from iam.service.people.containment import ContainmentService
from iam.service.people.enrolment import EnrolmentService
from iam.service.people.recoveries import RecoveryService
from iam.service.people.resets import ResetService
from iam.service.people.roles import RoleService
from iam.service.power import PowerServices
from iam.service.protection.services import ProtectionServices
from iam.service.provider.authorize import AuthorizeService
from iam.service.provider.clients import ClientService
from iam.service.provider.consent_review import ConsentReview
from iam.service.provider.console import ConsoleService
from iam.service.provider.devices import DeviceGrantService
from iam.service.provider.grants import GrantService
from iam.service.provider.inspection import InspectionService
from iam.service.provider.log_out import LogOutService
from iam.service.provider.logouts import LogoutService
from iam.service.provider.metadata import MetadataService
from iam.service.provider.possession import PossessionService
from iam.service.provider.pushing import PushService
from iam.service.provider.registration import RegistrationService
from iam.service.provider.sites import SiteService
from iam.service.provider.verification import TokenVerification
from iam.service.rates import Rates
from iam.service.scim.bulk import BulkService
from iam.service.scim.resources import ScimService
from iam.service.sign_on.certificates import CertificateService
from iam.service.sign_on.factors import FactorService
from iam.service.sign_on.message_addresses import MessageAddressService
from iam.service.sign_on.message_codes import MessageCodeService
from iam.service.sign_on.notices import NoticeService
from iam.service.sign_on.passkeys import PasskeyService
from iam.service.sign_on.sessions import SessionService
from iam.service.sign_on.sign_in import SignInService
from iam.service.sign_on.step_up import StepUpService
from iam.service.upstream.configuration import UpstreamService
from iam.service.upstream.leaving import LeaverCheck
from iam.service.upstream.sign_in import UpstreamSignIn
from iam.service.zero_trust.decisions import DecisionService

__all__ = ["IamServices"]


@dataclass(frozen=True, slots=True)
class IamServices:
    """The plane's services. ``decisions`` and ``verification`` fill ports of the kernel."""

    accounts: AccountService
    roles: RoleService
    enrolment: EnrolmentService
    resets: ResetService
    recoveries: RecoveryService
    notices: NoticeService
    break_glass: BreakGlassService
    sign_in: SignInService
    passkeys: PasskeyService
    factors: FactorService
    message_codes: MessageCodeService
    message_addresses: MessageAddressService
    certificates: CertificateService
    step_up: StepUpService
    sessions: SessionService
    clients: ClientService
    authorize: AuthorizeService
    grants: GrantService
    inspection: InspectionService
    metadata: MetadataService
    console: ConsoleService
    pushed: PushService
    possession: PossessionService
    device_grants: DeviceGrantService
    logouts: LogoutService
    log_out: LogOutService
    registration: RegistrationService
    consents: ConsentReview
    containment: ContainmentService
    actors: ActorService
    evidence: EvidenceService
    beginnings: BeginningService
    decisions: DecisionService
    verification: TokenVerification
    sites: SiteService
    upstreams: UpstreamService
    upstream_sign_in: UpstreamSignIn
    leavers: LeaverCheck
    cas: CasTickets
    cas_logouts: CasLogouts
    scim: ScimService
    scim_bulk: BulkService
    power: PowerServices
    protection: ProtectionServices
    rates: Rates
