"""The plane's stores on SQLAlchemy Core, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from iam.models.real_name import RealNameSchemes
from iam.ports import IamStores
from iam.store.accounts import Accounts
from iam.store.cas import CasTables
from iam.store.certificates import Certificates
from iam.store.changes import Changes
from iam.store.clients import Clients
from iam.store.consents import Consents
from iam.store.credentials import Credentials
from iam.store.demands import Demands
from iam.store.departures import Departures
from iam.store.device_grants import DeviceGrants, PushedRequests
from iam.store.devices import Devices, SurroundingsReader
from iam.store.enrolments import Enrolments
from iam.store.erasure import Erasures
from iam.store.factors_held import FactorsHeld
from iam.store.facts import StandingFacts
from iam.store.grants import Grants
from iam.store.lockouts import Lockouts
from iam.store.locks import Locks
from iam.store.logouts import ClientRequests, Logouts
from iam.store.mandates import LegalPersons, Mandates
from iam.store.messages import MessageAddresses, OwnerNotices
from iam.store.organisations import Organisations
from iam.store.passkeys import Passkeys
from iam.store.persons import Persons
from iam.store.policies import Policies, RecordedDecisions
from iam.store.recovery import BreakGlassAccounts, Recoveries
from iam.store.risks import Risks
from iam.store.roles import Roles
from iam.store.scim import ScimGroups, ScimUsers
from iam.store.session_levels import SessionLevels
from iam.store.sessions import Sessions
from iam.store.upstreams import UpstreamLinks, Upstreams

__all__ = ["make_stores"]


def make_stores(schemes: RealNameSchemes | None = None) -> IamStores:
    """Return all stores; they keep nothing and open nothing themselves.

    Without ``schemes`` no real-name level of another house stands for anything.
    """
    return IamStores(
        accounts=Accounts(),
        persons=Persons(),
        organisations=Organisations(),
        legal_persons=LegalPersons(),
        mandates=Mandates(),
        departures=Departures(),
        changes=Changes(),
        roles=Roles(),
        credentials=Credentials(),
        enrolments=Enrolments(),
        sessions=Sessions(),
        clients=Clients(),
        grants=Grants(),
        lockouts=Lockouts(),
        passkeys=Passkeys(),
        certificates=Certificates(),
        factors_held=FactorsHeld(),
        session_levels=SessionLevels(),
        risks=Risks(),
        policies=Policies(),
        decisions=RecordedDecisions(),
        locks=Locks(),
        registered_devices=Devices(),
        surroundings=SurroundingsReader(schemes or RealNameSchemes()),
        upstreams=Upstreams(),
        upstream_links=UpstreamLinks(),
        cas=CasTables(),
        scim_users=ScimUsers(),
        scim_groups=ScimGroups(),
        pushed=PushedRequests(),
        device_grants=DeviceGrants(),
        logouts=Logouts(),
        client_requests=ClientRequests(),
        message_addresses=MessageAddresses(),
        owner_notices=OwnerNotices(),
        recoveries=Recoveries(),
        break_glass=BreakGlassAccounts(),
        consents=Consents(),
        demands=Demands(),
        standing=StandingFacts(),
        erasures=Erasures(),
    )
