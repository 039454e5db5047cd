"""What personnel systems ask of users and groups (RFC 7644 §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iam.models.scim import ScimAnswer
from iam.service.scim.describing import MOST, discovery
from iam.service.scim.reading import ScimReader
from iam.service.scim.rendering import dump, list_of, model_of, parameters_of, scim_error
from iam.service.scim.writing import ScimWriter
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden
from secops.kernel.permissions.iam import SCIM_PROVISION


@dataclass(frozen=True, slots=True)
class ScimService:
    """What personnel systems may do, and what everybody sees of themselves."""

    reader: ScimReader
    writer: ScimWriter

    def describe(self, actor: Actor, path: str, identifier: str | None = None) -> ScimAnswer:
        """Return a discovery document, or one entry of it."""
        self.require(actor)
        documents = discovery()
        if path == "ServiceProviderConfig":
            return ScimAnswer(200, self._shown(documents["config"], path, ""))
        entries = documents[path]
        if identifier is not None:
            if identifier not in entries:
                raise scim_error("NotFoundException")
            return ScimAnswer(200, self._shown(entries[identifier], path, identifier))
        shown = [self._shown(entry, path, name) for name, entry in entries.items()]
        return ScimAnswer(200, list_of(shown, len(shown), 1))

    def search(self, actor: Actor, kind: str, query: Mapping[str, Any]) -> ScimAnswer:
        """Return what matches (RFC 7644 §3.4.2)."""
        self.require(actor)
        return self._search(actor, model_of(kind), (kind,), query)

    def search_all(self, actor: Actor, query: Mapping[str, Any]) -> ScimAnswer:
        """Return what matches among users and groups (§3.4.3), users first."""
        from scim2_models import Group, User  # noqa: PLC0415 - when it is needed

        self.require(actor)
        both: Any = User | Group
        return self._search(actor, both, ("Users", "Groups"), query)

    def _search(
        self, actor: Actor, model: Any, kinds: Sequence[str], query: Mapping[str, Any]
    ) -> ScimAnswer:
        from scim2_models import SearchRequest  # noqa: PLC0415

        asked = SearchRequest[model].model_validate(dict(query))
        parameters = parameters_of(model, query)
        found = [one for kind in kinds for one in self.reader.all(actor.org_id, kind)]
        if asked.filter:
            found = [one for one in found if asked.filter.match(one)]
        if asked.sort_by:
            found = asked.sort(found)
        return _page(asked, found, parameters)

    def get(self, actor: Actor, kind: str, identifier: str, query: Mapping[str, str]) -> ScimAnswer:
        """Return one resource."""
        self.require(actor)
        return self._get(actor.org_id, kind, identifier, query)

    def _get(self, org_id: str, kind: str, identifier: str, query: Mapping[str, str]) -> ScimAnswer:
        held = self.reader.one(org_id, kind, identifier)
        shown = dump(held.resource, parameters_of(model_of(kind), query))
        return self.reader.answer(200, kind, held.row, shown)

    def me(self, actor: Actor, query: Mapping[str, str]) -> ScimAnswer:
        """Return the caller's own user (§3.11), which its location names.

        Personnel is who changes it: for others it is there to be read. Whoever was not
        provisioned, and an application, has none.
        """
        if not actor.covers(SCIM_PROVISION):
            msg = "the token's scopes do not cover scim"
            raise Forbidden(msg)
        if actor.kind != "account":
            raise scim_error("NotFoundException")
        return self._get(actor.org_id, "Users", actor.id, query)

    def create(self, actor: Actor, kind: str, payload: Any) -> ScimAnswer:
        """Create a user (an account without power) or a group."""
        from scim2_models import Context  # noqa: PLC0415

        self.require(actor)
        context = Context.RESOURCE_CREATION_REQUEST
        resource = model_of(kind).model_validate(payload, scim_ctx=context)
        return self.writer.create(actor, kind, resource)

    def replace(
        self, actor: Actor, kind: str, identifier: str, payload: Any, *, match: str
    ) -> ScimAnswer:
        """Replace a resource (§3.5.1)."""
        from scim2_models import Context  # noqa: PLC0415

        self.require(actor)
        context = Context.RESOURCE_REPLACEMENT_REQUEST

        def alter(before: Any) -> Any:
            wanted = model_of(kind).model_validate(payload, scim_ctx=context)
            wanted.replace(before)
            return wanted

        return self.writer.change(actor, kind, identifier, match=match, alter=alter)

    def patch(
        self, actor: Actor, kind: str, identifier: str, payload: Any, *, match: str
    ) -> ScimAnswer:
        """Change parts of a resource (§3.5.2)."""
        from scim2_models import Context, PatchOp  # noqa: PLC0415

        self.require(actor)
        model = model_of(kind)
        operations = PatchOp[model].model_validate(  # type: ignore[valid-type]
            payload, scim_ctx=Context.RESOURCE_PATCH_REQUEST
        )

        def alter(before: Any) -> Any:
            operations.patch(before)
            return before

        return self.writer.change(actor, kind, identifier, match=match, alter=alter)

    def delete(self, actor: Actor, kind: str, identifier: str, *, match: str) -> ScimAnswer:
        """Lock a user for good and keep a tombstone; remove a group."""
        self.require(actor)
        return self.writer.delete(actor, kind, identifier, match=match)

    def require(self, actor: Actor) -> None:
        """Return if the caller provisions; raise ``Forbidden``."""
        self.reader.means.parts.access.require(actor, SCIM_PROVISION, "scim:*")
        if actor.kind != "client":
            msg = "provisioning is for applications"
            raise Forbidden(msg)

    def _shown(self, document: Any, path: str, name: str) -> dict[str, Any]:
        kind = path.removesuffix("s") if path != "ServiceProviderConfig" else path
        end = f"/{name}" if name else ""
        shown: dict[str, Any] = dump(document, None)
        shown["meta"] = {"resourceType": kind, "location": f"{self.reader.base}/{path}{end}"}
        return shown


def _page(asked: Any, resources: Sequence[Any], parameters: Any) -> ScimAnswer:
    start = asked.start_index_0 or 0
    count = MOST if asked.count is None else min(asked.count, MOST)
    page = [dump(one, parameters) for one in resources[start : start + count]]
    return ScimAnswer(200, list_of(page, len(resources), start + 1))
