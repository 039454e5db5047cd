"""Registration by an approved request: who asks for an application does not admit it.

The shapes are those of RFC 7591; in place of a registration at once stands a request that
another person of the right role approves, and whoever asked collects the credentials, once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from iam.core.rfc7591.metadata import describe_client, read_metadata
from iam.core.rfc7591.rules import check_client
from iam.errors import (
    IdentityInvalid,
    InvalidClientMetadata,
    InvalidRedirectUri,
    InvalidRequest,
    RedirectRefused,
)
from iam.models.changes import ChangeRequest
from iam.models.clients import ClientRequest, NewClient
from iam.service.changes import (
    Asking,
    ChangeDesk,
    Sides,
    Verdict,
    ask_change,
    decide_change,
    use_change,
)
from iam.service.means import Means
from iam.service.persons import refuse_requester
from iam.service.provider.clients import ClientService
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.permissions.iam import CLIENT_APPROVE, CLIENT_REQUEST
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

KIND: Final = "iam.register_client"
WAITS: Final = 7 * DAY
MAX_METADATA: Final = 16_384
_ID_BYTES: Final = 6


@dataclass(frozen=True, slots=True)
class AskedClient:
    """A request and how it stands."""

    request: ClientRequest
    approval: Approval


@dataclass(frozen=True, slots=True)
class RegistrationService:
    """One person asks, another approves, the first collects."""

    means: Means
    clients: ClientService

    def request_client(self, actor: Actor, metadata: Mapping[str, Any]) -> AskedClient:
        """Ask for an application; raise ``InvalidClientMetadata`` or ``InvalidRedirectUri``."""
        means = self.means
        means.parts.access.require(actor, CLIENT_REQUEST, "client:*")
        client_id = f"app-{means.random(_ID_BYTES).hex()}"
        new = self._checked(client_id, metadata)
        text = orjson.dumps(dict(metadata), option=orjson.OPT_SORT_KEYS).decode()
        if len(text) > MAX_METADATA:
            msg = "the metadata is too long"
            raise InvalidClientMetadata(msg)
        asked = ClientRequest(
            id=means.parts.ids.new("apr"),
            org_id=actor.org_id,
            requester_id=actor.id,
            client_id=client_id,
            metadata=text,
            created_at=means.now,
        )

        def work(tx: Transaction) -> Approval:
            asking = Asking(
                id=asked.id,
                org_id=asked.org_id,
                kind=KIND,
                target=f"client:{client_id}",
                sides=Sides({}, _described(new)),
                permission=CLIENT_APPROVE,
                life=WAITS,
            )
            ask_change(means, tx, actor, asking)
            means.stores.client_requests.add(tx, asked)
            self._record(tx, "iam.request_client", actor, asked)
            return means.parts.approvals.get(tx, asked.id)

        return AskedClient(asked, means.parts.transactions.run(work))

    def get_request(self, actor: Actor, request_id: str) -> AskedClient:
        """Return a request, for who asked and who may approve; raise ``NotFound``."""
        read = self.means.parts.transactions.read

        def work(tx: Transaction) -> AskedClient:
            asked = self._get(tx, actor, request_id)
            return AskedClient(asked, self.means.parts.approvals.get(tx, request_id))

        found = read(work)
        if found.request.requester_id != actor.id:
            self.means.parts.access.require(actor, CLIENT_APPROVE, f"approval:{request_id}")
        return found

    def list_requests(self, actor: Actor) -> Sequence[AskedClient]:
        """Return the requests of the organisation that wait, for who asks and who approves."""
        if not actor.may(CLIENT_APPROVE):
            self.means.parts.access.require(actor, CLIENT_REQUEST, "client:*")
        parts = self.means.parts

        def work(tx: Transaction) -> Sequence[AskedClient]:
            waiting = parts.approvals.pending(tx, actor.org_id)
            asked = [one for one in waiting if one.kind == KIND]
            return [AskedClient(self._get(tx, actor, one.id), one) for one in asked]

        return parts.transactions.read(work)

    def approve_client(
        self, actor: Actor, request_id: str, *, grant: bool, reason: str = ""
    ) -> None:
        """Approve or reject; raise ``SelfApproval``, ``Forbidden`` or ``NotPending``."""
        means = self.means
        means.parts.access.require(actor, CLIENT_APPROVE, f"approval:{request_id}")

        def work(tx: Transaction) -> None:
            asked = self._get(tx, actor, request_id)
            refuse_requester(means, tx, actor, request_id)
            change = means.stores.changes.get(tx, request_id)
            verdict = Verdict("rejected", reason)
            if grant:
                verdict = Verdict("approved", reason, self._look(tx, change))
            decide_change(means, tx, actor, change, verdict)
            action = "iam.approve_client" if grant else "iam.reject_client"
            self._record(tx, action, actor, asked)

        means.parts.transactions.run(work)

    def complete_client(self, actor: Actor, request_id: str) -> dict[str, Any]:
        """Register an approved application; return RFC 7591's answer, its secret shown once.

        Only who asked may; raises ``NotPending`` unless it was approved and not used.
        """
        means = self.means
        means.parts.access.require(actor, CLIENT_REQUEST, f"approval:{request_id}")
        read = means.parts.transactions.read
        asked = read(lambda tx: self._get(tx, actor, request_id))
        if asked.requester_id != actor.id:
            msg = "who asked for an application collects its credentials"
            raise Forbidden(msg)
        new = self._checked(asked.client_id, orjson.loads(asked.metadata))
        client, secret = self.clients.prepare(new, asked.org_id)

        def work(tx: Transaction) -> None:
            change = means.stores.changes.get(tx, request_id)
            use_change(means, tx, change, self._look(tx, change))
            self.clients.store(tx, actor, client)

        means.parts.transactions.run(work)
        answer = describe_client(client) | {"client_id_issued_at": client.created_at // SECOND}
        if secret is not None:
            answer |= {"client_secret": secret, "client_secret_expires_at": 0}
        return answer

    @property
    def desk(self) -> ChangeDesk:
        """How requests are seen and decided beside all others."""
        title = Text("登记应用", "Register an application")
        return ChangeDesk(KIND, title, CLIENT_APPROVE, self._look, self._decide)

    def _look(self, tx: Transaction, change: ChangeRequest) -> Sides:
        asked = self.means.stores.client_requests.get(tx, change.id)
        if asked is None:
            msg = "there is no such request"
            raise NotFound(msg)
        new = self._checked(asked.client_id, orjson.loads(asked.metadata))
        return Sides({}, _described(new))

    def _decide(self, actor: Actor, change: ChangeRequest, *, grant: bool, reason: str) -> None:
        self.approve_client(actor, change.id, grant=grant, reason=reason)

    @staticmethod
    def _checked(client_id: str, metadata: Mapping[str, Any]) -> NewClient:
        new = read_metadata(client_id, metadata)
        try:
            check_client(new)
        except RedirectRefused as error:
            raise InvalidRedirectUri(error.detail) from error
        except (InvalidRequest, IdentityInvalid) as error:
            raise InvalidClientMetadata(error.detail) from error
        return new

    def _get(self, tx: Transaction, actor: Actor, request_id: str) -> ClientRequest:
        asked = self.means.stores.client_requests.get(tx, request_id)
        if asked is None or asked.org_id != actor.org_id:
            msg = "there is no such request"
            raise NotFound(msg)
        return asked

    @staticmethod
    def _record(tx: Transaction, action: str, actor: Actor, asked: ClientRequest) -> None:
        details = {
            "approval": asked.id,
            "metadata": hashlib.sha256(asked.metadata.encode()).hexdigest(),
        }
        tx.record(Act(action, actor, f"client:{asked.client_id}", details=details))


def _described(new: NewClient) -> dict[str, Any]:
    """Return everything that would be registered, as JSON values."""
    fields = {name: _plain(value) for name, value in asdict(new).items()}
    return {**fields, "authentication": new.auth_method}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value
