"""Use cases of the plane: authorise, load, decide, one unit of work, announce."""

from __future__ import annotations

from dataclasses import dataclass

from iam.service.accounts import AccountService
from iam.service.actors import ActorService
from iam.service.authorize import AuthorizeService
from iam.service.beginnings import BeginningService
from iam.service.bodies import BodyService
from iam.service.clients import ClientService
from iam.service.console import ConsoleService
from iam.service.containment import ContainmentService
from iam.service.decisions import DecisionService
from iam.service.enrolment import EnrolmentService
from iam.service.evidence import EvidenceService
from iam.service.grants import GrantService
from iam.service.inspection import InspectionService
from iam.service.metadata import MetadataService
from iam.service.resets import ResetService
from iam.service.roles import RoleService
from iam.service.sessions import SessionService
from iam.service.sign_in import SignInService
from iam.service.verification import TokenVerification

__all__ = ["IamServices"]


@dataclass(frozen=True, slots=True)
class IamServices:
    """The plane's services. ``decisions`` and ``verification`` fill ports of the kernel."""

    accounts: AccountService
    bodies: BodyService
    roles: RoleService
    enrolment: EnrolmentService
    resets: ResetService
    sign_in: SignInService
    sessions: SessionService
    clients: ClientService
    authorize: AuthorizeService
    grants: GrantService
    inspection: InspectionService
    metadata: MetadataService
    console: ConsoleService
    containment: ContainmentService
    actors: ActorService
    evidence: EvidenceService
    beginnings: BeginningService
    decisions: DecisionService
    verification: TokenVerification
