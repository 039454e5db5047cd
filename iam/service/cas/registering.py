"""CAS services are registered by a request that another person approves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from iam.core.cas30.services import check_service
from iam.errors import InvalidRequest, NameTaken
from iam.models.cas import CasService
from iam.models.changes import ChangeRequest
from iam.service.means import Means
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.errors import NotFound
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import CLIENT_APPROVE, CLIENT_REQUEST
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class CasServiceChange:
    """``cas.service``: a service looks exactly as asked for; ``target`` is ``cas:ID``."""

    name: ClassVar[str] = "cas.service"
    title: ClassVar[Text] = Text("登记 CAS 应用", "Register a CAS service")

    means: Means

    def asking(self, after: Mapping[str, Any]) -> Permission:  # noqa: ARG002 - the port's
        """Return what it takes to ask."""
        return CLIENT_REQUEST

    def approving(self, after: Mapping[str, Any]) -> Permission:  # noqa: ARG002 - the port's
        """Return what it takes to approve."""
        return CLIENT_APPROVE

    def before(self, tx: Transaction, actor: Actor, target: str) -> Mapping[str, Any]:
        """Return the service as it is, empty for a new one; raise ``NotFound``."""
        found = self.means.stores.cas.service(tx, _id(target))
        if found is None:
            return {}
        if found.org_id != actor.org_id:
            msg = "there is no such service"
            raise NotFound(msg)
        record = asdict(found) | {"attributes": list(found.attributes)}
        return {key: value for key, value in record.items() if key not in ("id", "org_id")}

    def check(self, tx: Transaction, actor: Actor, target: str, after: Mapping[str, Any]) -> None:
        """Raise ``InvalidRequest`` or ``NameTaken``."""
        check_service(_id(target), after)
        self.before(tx, actor, target)
        taken = self.means.stores.cas.service_at(tx, after["url"])
        if taken is not None and taken.id != _id(target):
            msg = "another service has this address"
            raise NameTaken(msg)

    def apply(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> None:
        """Put the service in force."""
        service_id, after = _id(change.target), change.after
        service = CasService(
            id=service_id,
            org_id=change.org_id,
            url=after["url"],
            name=after["name"],
            attributes=tuple(after["attributes"]),
            pairwise=after["pairwise"],
            single_logout=after["single_logout"],
            disabled=after["disabled"],
            real_name_level=after["real_name_level"],
        )
        self.means.stores.cas.put_service(tx, service)
        details = {
            "attributes": list(service.attributes),
            "disabled": service.disabled,
            "real_name_level": service.real_name_level,
        }
        tx.record(Act("iam.change_cas_service", actor, f"cas:{service_id}", details=details))


def _id(target: str) -> str:
    kind, _, identifier = target.partition(":")
    if kind != "cas":
        msg = "the target is cas:ID"
        raise InvalidRequest(msg)
    return identifier
