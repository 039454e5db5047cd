"""Wires the plane: stores and adapters into services, services into routes."""

from __future__ import annotations

import os
from collections.abc import Mapping

from iam.adapters.breached import BreachedFile
from iam.adapters.hashing import Argon2Hasher
from iam.adapters.shipped import policy_compiler, real_name_texts, weak_passwords
from iam.adapters.tallies import TallyFolder
from iam.api import routes
from iam.core.passwords import PasswordRules
from iam.core.real_name import read_schemes
from iam.jobs import jobs
from iam.models.clients import ES256, SM2_SM3, TokenAlgorithm
from iam.models.options import IamOptions
from iam.ports import (
    BreachedPasswords,
    ChangeKind,
    IamPorts,
    NoBreachedPasswords,
    PasswordHasher,
    PolicyCompiler,
    TokenSigner,
)
from iam.service import IamServices
from iam.service.actors import ActorService
from iam.service.cas.logouts import CasLogouts
from iam.service.cas.registering import CasServiceChange
from iam.service.cas.tickets import CasTickets
from iam.service.changes import ChangeDesk
from iam.service.evidence import EvidenceService
from iam.service.means import Keys, Means
from iam.service.people.accounts import AccountService
from iam.service.people.beginnings import BeginningService
from iam.service.people.break_glass import BreakGlassService
from iam.service.people.change_requests import ChangeRequestService
from iam.service.people.containment import ContainmentService
from iam.service.people.departures import DepartureService
from iam.service.people.enrolment import EnrolmentService
from iam.service.people.erasure import ErasureService, PersonErasure
from iam.service.people.imports import ImportService
from iam.service.people.lending import LendingService
from iam.service.people.mandates import MandateService
from iam.service.people.matrix import MatrixService
from iam.service.people.organisations import OrganisationService
from iam.service.people.own import OwnService
from iam.service.people.profiles import ProfileService
from iam.service.people.recoveries import RecoveryService
from iam.service.people.resets import ResetService
from iam.service.people.role_changes import EmergencyChange, PrivilegeChange, RoleChange
from iam.service.people.roles import RoleService
from iam.service.people.units import UnitService
from iam.service.power import PowerServices
from iam.service.protection.applications import ApplicationService
from iam.service.protection.devices import DeviceService
from iam.service.protection.locks import LockService
from iam.service.protection.risk_endings import RiskEndings
from iam.service.protection.services import ProtectionServices
from iam.service.provider.authentication import CallerService
from iam.service.provider.authorize import AuthorizeService
from iam.service.provider.client_keys import ClientKeys
from iam.service.provider.clients import ClientService
from iam.service.provider.consent_review import ConsentReview
from iam.service.provider.consents import ConsentBook
from iam.service.provider.console import ConsoleService
from iam.service.provider.devices import DeviceGrantService
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.grants import GrantService
from iam.service.provider.inspection import InspectionService
from iam.service.provider.issuing import Issuer
from iam.service.provider.log_out import LogOutService
from iam.service.provider.logouts import LogoutService
from iam.service.provider.metadata import MetadataService
from iam.service.provider.possession import PossessionService
from iam.service.provider.pushing import PushService
from iam.service.provider.registration import RegistrationService
from iam.service.provider.sites import SiteService
from iam.service.provider.tokens import KeyRing
from iam.service.provider.verification import TokenVerification
from iam.service.rates import Rates
from iam.service.scim.bulk import BulkService
from iam.service.scim.reading import ScimReader
from iam.service.scim.resources import ScimService
from iam.service.scim.writing import ScimWriter
from iam.service.sign_on.acting import ActingService
from iam.service.sign_on.certificates import CertificateService
from iam.service.sign_on.factors import FactorService
from iam.service.sign_on.message_addresses import MessageAddressService
from iam.service.sign_on.message_codes import MessageCodeService
from iam.service.sign_on.notices import NoticeService
from iam.service.sign_on.opening import Opening
from iam.service.sign_on.passkeys import PasskeyService
from iam.service.sign_on.presenting import Presenting
from iam.service.sign_on.revocation import CertificateJudge
from iam.service.sign_on.sessions import SessionService
from iam.service.sign_on.sign_in import SignInService
from iam.service.sign_on.step_up import StepUpService
from iam.service.upstream.configuration import UpstreamService
from iam.service.upstream.kinds import Upstreams
from iam.service.upstream.leaving import LeaverCheck
from iam.service.upstream.providers import Providers
from iam.service.upstream.sign_in import UpstreamSignIn
from iam.service.zero_trust.book import PolicyBook
from iam.service.zero_trust.decisions import DecisionService
from iam.service.zero_trust.demands import DemandProjection
from iam.service.zero_trust.drafting import Drafting
from iam.service.zero_trust.policies import PolicyService
from iam.service.zero_trust.record import DecisionRecord
from iam.service.zero_trust.risks import RiskProjection
from iam.service.zero_trust.surroundings import SurroundingsProjection
from iam.store import make_stores
from secops.kernel.events import SessionRevoked, SubjectRiskChanged, Subscription
from secops.kernel.parts import Parts
from secops.web.routes import Plane


def install(parts: Parts, ports: IamPorts, options: IamOptions) -> Plane:
    """Return the plane; nothing is read or opened before its first use."""
    threads = options.hash_threads or os.cpu_count() or 1
    hasher = Argon2Hasher(parts.randomness, threads=threads, queue=options.hash_queue)
    return assemble(parts, ports, options, hasher=hasher)


def assemble(
    parts: Parts, ports: IamPorts, options: IamOptions, *, hasher: PasswordHasher
) -> Plane:
    """Return the plane over a given hasher (tests bring a quick one)."""
    schemes = read_schemes(*real_name_texts(options.real_name_schemes))
    means = Means(
        parts=parts,
        rates=Rates(parts, client_rate=options.client_rate, address_rate=options.address_rate),
        stores=make_stores(schemes),
        options=options,
        keys=Keys(ports.keyed_hash),
        box=ports.secret_box,
        hasher=hasher,
        rules=_password_rules(options),
        login_risk=ports.login_risk,
        outbound=ports.outbound,
        trust=ports.trust,
        schemes=schemes,
        breached=_breached(options),
        carriers=ports.carriers,
        copies=ports.copies,
    )
    risks = RiskProjection(parts.transactions, means.stores.risks, parts.clock)
    ring = KeyRing(_token_signers(ports), parts.clock)
    acting = ActingService(means, ports.mandate_signer)
    services = _services(means, ring, risks, acting)
    return Plane(
        name="iam",
        services=services,
        routes=routes(services),
        jobs=jobs(means, services),
        subscriptions=(
            Subscription("iam.risk", SubjectRiskChanged, risks.receive),
            Subscription("iam.logout", SessionRevoked, services.logouts.receive),
            Subscription("iam.cas_logout", SessionRevoked, services.cas_logouts.receive),
        ),
    )


def _token_signers(ports: IamPorts) -> Mapping[TokenAlgorithm, TokenSigner]:
    signers: dict[TokenAlgorithm, TokenSigner] = {ES256: ports.token_signer}
    if ports.sm2_token_signer is not None:
        signers[SM2_SM3] = ports.sm2_token_signer
    return signers


def _password_rules(options: IamOptions) -> PasswordRules:
    own = frozenset(word.casefold() for word in options.password_words)
    return PasswordRules(options.password_profile, weak_passwords() | own)


def _breached(options: IamOptions) -> BreachedPasswords:
    if options.breached_passwords is None:
        return NoBreachedPasswords()
    return BreachedFile(options.breached_passwords)


def _services(
    means: Means, ring: KeyRing, risks: RiskProjection, acting: ActingService
) -> IamServices:
    compiler = policy_compiler()
    decisions = _decision_point(means, risks, compiler)
    directory = ClientDirectory(means)
    sessions = SessionService(means)
    accounts = AccountService(means)
    roles = RoleService(means)
    clients = ClientService(means, directory)
    issuer = Issuer(means, ring, acting)
    opening = Opening(means, decisions)
    presenting = Presenting(means, CertificateJudge(means))
    callers = CallerService(means, directory, ClientKeys(means), PossessionService(means))
    pushed = PushService(means, callers)
    consents = ConsentBook(means)
    reader = ScimReader(means)
    scim = ScimService(reader, ScimWriter(means, accounts, reader))
    grants = GrantService(means, callers, issuer, decisions, consents)
    verification = TokenVerification(means, ring, directory)
    providers = Providers(means, Upstreams(means.outbound, means.parts.clock))
    resets, registration = ResetService(means), RegistrationService(means, clients)
    upstreams = UpstreamService(means, providers)
    protection = _protection(means, decisions, compiler)
    sealing = BreakGlassService(means, accounts, roles)
    certificates = CertificateService(means, opening, presenting)
    asking = (resets, registration, upstreams, certificates, sealing)
    waiting = (*asking, protection.policies, protection.locks)
    desks = {each.desk.name: each.desk for each in waiting}
    return IamServices(
        accounts=accounts,
        roles=roles,
        enrolment=EnrolmentService(means),
        resets=resets,
        recoveries=RecoveryService(means),
        notices=NoticeService(means),
        break_glass=sealing,
        sign_in=SignInService(means, opening),
        passkeys=PasskeyService(means, opening),
        factors=FactorService(means),
        message_codes=MessageCodeService(means, opening),
        message_addresses=MessageAddressService(means),
        certificates=certificates,
        step_up=StepUpService(means, opening, presenting),
        sessions=sessions,
        clients=clients,
        authorize=AuthorizeService(means, directory, sessions, pushed, issuer, decisions, consents),
        grants=grants,
        inspection=InspectionService(means, callers, verification, issuer),
        metadata=MetadataService(means, ring),
        console=ConsoleService(means, directory, grants),
        pushed=pushed,
        possession=callers.possession,
        device_grants=DeviceGrantService(means, callers, directory, grants),
        logouts=LogoutService(means, directory, issuer),
        log_out=LogOutService(means, directory, ring, sessions),
        registration=registration,
        consents=ConsentReview(means),
        containment=ContainmentService(means),
        actors=ActorService(means, verification),
        evidence=EvidenceService(means, decisions.book),
        beginnings=BeginningService(means, accounts, roles, clients),
        decisions=decisions,
        verification=verification,
        sites=SiteService(means, directory, verification, grants=grants, decisions=decisions),
        upstreams=upstreams,
        upstream_sign_in=UpstreamSignIn(means, providers, opening),
        leavers=LeaverCheck(means, providers),
        cas=CasTickets(means, sessions, decisions),
        cas_logouts=CasLogouts(means),
        scim=scim,
        scim_bulk=BulkService(scim),
        power=_power(means, acting, decisions, desks),
        protection=protection,
        rates=means.rates,
    )


def _decision_point(
    means: Means, risks: RiskProjection, compiler: PolicyCompiler
) -> DecisionService:
    parts, stores = means.parts, means.stores
    revocations, transactions = parts.revocations, parts.transactions
    book = PolicyBook(compiler, transactions, stores.policies, revocations)
    risks.bind(RiskEndings(means, book).receive)
    return DecisionService(
        book=book,
        revocations=revocations,
        risks=risks,
        surroundings=SurroundingsProjection(
            transactions, stores.surroundings, revocations, parts.clock
        ),
        demands=DemandProjection(transactions, stores.demands, parts.clock),
        record=DecisionRecord(
            parts,
            stores.decisions,
            TallyFolder(parts.home / "decisions", parts.randomness),
            means.options.fold_seconds,
        ),
        clock=parts.clock,
    )


def _protection(
    means: Means, decisions: DecisionService, compiler: PolicyCompiler
) -> ProtectionServices:
    return ProtectionServices(
        policies=PolicyService(means, decisions, Drafting(compiler, decisions.book)),
        locks=LockService(means),
        devices=DeviceService(means),
        applications=ApplicationService(means, decisions),
    )


def _power(
    means: Means,
    acting: ActingService,
    decisions: DecisionService,
    desks: Mapping[str, ChangeDesk],
) -> PowerServices:
    roles = RoleService(means)
    kinds: tuple[ChangeKind, ...] = (
        RoleChange(means, roles),
        PrivilegeChange(means, roles),
        EmergencyChange(means, roles),
        CasServiceChange(means),
        PersonErasure(means),
    )
    changes = ChangeRequestService(means, {kind.name: kind for kind in kinds}, desks)
    return PowerServices(
        organisations=OrganisationService(means),
        mandates=MandateService(means, acting),
        acting=acting,
        changes=changes,
        departures=DepartureService(means),
        erasures=ErasureService(means, changes),
        lending=LendingService(means),
        imports=ImportService(means, AccountService(means)),
        own=OwnService(means, acting, changes),
        profiles=ProfileService(means, decisions),
        matrix=MatrixService(means),
        units=UnitService(means),
    )
