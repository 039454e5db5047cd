"""Users and groups as SCIM resources: read, written, searched.

``Kept`` is the store's side of one kind; what is the same for both kinds stands in
``ScimService``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import orjson

from iam.core.exclusion import administers
from iam.core.names import check_name
from iam.errors import IdentityInvalid, NameTaken
from iam.models.accounts import Account, NewAccount
from iam.models.scim import ScimAnswer, ScimRow
from iam.service.means import Means
from iam.service.people.accounts import AccountService
from iam.service.scim.describing import MOST, discovery
from iam.service.scim.rendering import (
    dump,
    etag,
    list_of,
    model_of,
    parameters_of,
    scim_error,
    stored_form,
)
from iam.service.sign_on.sessions import end_within
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Forbidden
from secops.kernel.permissions.iam import SCIM_PROVISION
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

T = TypeVar("T")
CEILING: Final = 5_000
"""Resources that one search looks at; more is ``tooMany``."""
_OPEN: Final = ("active", "pending")
_SYSTEM: Final = system_actor("scim")


@dataclass(frozen=True, slots=True)
class ScimService:
    """What personnel systems may do."""

    means: Means
    accounts: AccountService

    def describe(self, actor: Actor, path: str, identifier: str | None = None) -> ScimAnswer:
        """Return a discovery document, or one entry of it."""
        self._require(actor)
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
        from scim2_models import SearchRequest  # noqa: PLC0415

        self._require(actor)
        model = model_of(kind)
        asked = SearchRequest[model].model_validate(dict(query))  # type: ignore[valid-type]
        parameters = parameters_of(model, query)
        found = self._read_all(actor, kind)
        if asked.filter:
            found = [one for one in found if asked.filter.match(one[1])]
        resources = [resource for _, resource in found]
        if asked.sort_by:
            resources = asked.sort(resources)
        return _page(asked, resources, parameters)

    def search_all(self, actor: Actor, query: Mapping[str, Any]) -> ScimAnswer:
        """Return what matches among users and groups (§3.4.3), users first."""
        from scim2_models import Group, SearchRequest, User  # noqa: PLC0415 - when it is needed

        self._require(actor)
        both: Any = User | Group
        asked = SearchRequest[both].model_validate(dict(query))
        found = [one for kind in ("Users", "Groups") for _, one in self._read_all(actor, kind)]
        if asked.filter:
            found = [one for one in found if asked.filter.match(one)]
        if asked.sort_by:
            found = asked.sort(found)
        return _page(asked, found, parameters_of(both, query))

    def get(self, actor: Actor, kind: str, identifier: str, query: Mapping[str, str]) -> ScimAnswer:
        """Return one resource."""
        self._require(actor)
        row, resource = self._read(actor, kind, identifier)
        return self._answer(200, kind, row, dump(resource, parameters_of(model_of(kind), query)))

    def create(self, actor: Actor, kind: str, payload: Any) -> ScimAnswer:
        """Create a user (an account without power) or a group."""
        from scim2_models import Context  # noqa: PLC0415

        self._require(actor)
        resource = model_of(kind).model_validate(
            payload, scim_ctx=Context.RESOURCE_CREATION_REQUEST
        )
        if kind == "Users":
            identifier = self._make_account(actor, resource)
        else:
            identifier = self.means.parts.ids.new("grp")
        now = self.means.now
        row = ScimRow(identifier, actor.org_id, b"", 0, now, now)
        return self._write(actor, kind, row, resource, 201)

    def replace(
        self, actor: Actor, kind: str, identifier: str, payload: Any, *, match: str
    ) -> ScimAnswer:
        """Replace a resource (§3.5.1)."""
        from scim2_models import Context  # noqa: PLC0415

        self._require(actor)
        row, before = self._read(actor, kind, identifier)
        _check_match(row, match)
        wanted = model_of(kind).model_validate(
            payload, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST
        )
        wanted.replace(before)
        return self._write(actor, kind, row, wanted, 200)

    def patch(
        self, actor: Actor, kind: str, identifier: str, payload: Any, *, match: str
    ) -> ScimAnswer:
        """Change parts of a resource (§3.5.2)."""
        from scim2_models import Context, PatchOp  # noqa: PLC0415

        self._require(actor)
        row, resource = self._read(actor, kind, identifier)
        _check_match(row, match)
        model = model_of(kind)
        operations = PatchOp[model].model_validate(  # type: ignore[valid-type]
            payload, scim_ctx=Context.RESOURCE_PATCH_REQUEST
        )
        operations.patch(resource)
        return self._write(actor, kind, row, resource, 200)

    def delete(self, actor: Actor, kind: str, identifier: str, *, match: str) -> ScimAnswer:
        """Lock a user for good and keep a tombstone; remove a group."""
        self._require(actor)
        row, _ = self._read(actor, kind, identifier)
        _check_match(row, match)
        store, target = self.means.stores.scim, f"{kind.lower()}:{identifier}"
        act = Act("iam.scim_delete", actor, target)
        if kind == "Groups":

            def drop(tx: Transaction) -> None:
                store.drop_group(tx, identifier)
                tx.record(act)

            self.means.parts.transactions.run(drop)
            return ScimAnswer(204, None)
        self._refuse_administrators(identifier)

        def bury(tx: Transaction) -> None:
            store.bury_user(tx, identifier)
            self.means.stores.accounts.set_state(tx, identifier, "closed")
            end_within(self.means, tx, identifier, "deleted by provisioning")

        self.means.parts.transactions.restrict(bury, Restriction("account", identifier, act))
        return ScimAnswer(204, None)

    # reading

    def _require(self, actor: Actor) -> None:
        self.means.parts.access.require(actor, SCIM_PROVISION, "scim:*")
        if actor.kind != "client":
            msg = "provisioning is for applications"
            raise Forbidden(msg)

    def _read_all(self, actor: Actor, kind: str) -> list[tuple[ScimRow, Any]]:
        read, store = self.means.parts.transactions.read, self.means.stores.scim
        ask = store.users if kind == "Users" else store.groups
        rows = read(lambda tx: ask(tx, actor.org_id, CEILING + 1))
        if len(rows) > CEILING:
            raise scim_error("TooManyException")
        return [(row, self._resource(kind, row)) for row in rows]

    def _read(self, actor: Actor, kind: str, identifier: str) -> tuple[ScimRow, Any]:
        read, store = self.means.parts.transactions.read, self.means.stores.scim
        if kind == "Users":
            row = read(lambda tx: store.user(tx, actor.org_id, identifier))
        else:
            groups = read(lambda tx: store.groups(tx, actor.org_id, CEILING))
            row = next((one for one in groups if one.id == identifier), None)
        if row is None:
            raise scim_error("NotFoundException")
        return row, self._resource(kind, row)

    def _resource(self, kind: str, row: ScimRow) -> Any:
        """Return the resource of a row, with what other tables know of it."""
        document = self._document(kind, row)
        content = document["resource"]
        if kind == "Users":
            account = self.means.parts.transactions.read(
                lambda tx: self.means.stores.accounts.get(tx, row.id)
            )
            content["userName"] = account.name
            if account.state not in _OPEN or not document["silent"]:
                content["active"] = account.state in _OPEN
        name = "User" if kind == "Users" else "Group"
        content["id"] = row.id
        content["meta"] = {
            "resourceType": name,
            "created": to_rfc3339(row.created_at),
            "lastModified": to_rfc3339(row.changed_at),
            "location": f"{self._base}/{kind}/{row.id}",
            "version": etag(row.version),
        }
        return model_of(kind).model_validate(content)

    def _document(self, kind: str, row: ScimRow) -> dict[str, Any]:
        """Return what is kept: the resource, and whether provisioning suspended the account."""
        if not row.content:
            return {"resource": {}, "suspended": False, "silent": False}
        plain = self.means.box.open(row.content, _binding(row.id)) if kind == "Users" else None
        document: dict[str, Any] = orjson.loads(plain or row.content)
        return document

    # writing

    def _make_account(self, actor: Actor, user: Any) -> str:
        new = NewAccount(user.user_name, "civil", full_name=_full_name(user))
        account, _ = _named(lambda: self.accounts.make(actor, new, actor.org_id))
        return account.id

    def _write(
        self, actor: Actor, kind: str, row: ScimRow, resource: Any, status: int
    ) -> ScimAnswer:
        document = {"resource": stored_form(resource), "suspended": False, "silent": False}
        changed = replace(row, version=row.version + 1, changed_at=self.means.now)
        act = Act(
            "iam.scim_write",
            actor,
            f"{kind.lower()}:{row.id}",
            details={"version": changed.version},
        )
        store = self.means.stores.scim
        if kind == "Users":
            self._refuse_administrators(row.id)
            before = self._document(kind, row)["suspended"]
            document["silent"] = resource.active is None
            document["suspended"] = self._settle(row.id, resource, suspended=before)
            sealed = self.means.box.seal(orjson.dumps(document), _binding(row.id))
            changed = replace(changed, content=sealed)
        else:
            self._check_members(actor, resource)
            changed = replace(changed, content=orjson.dumps(document))

        def work(tx: Transaction) -> None:
            (store.put_user if kind == "Users" else store.put_group)(tx, changed)
            tx.record(act)

        self.means.parts.transactions.run(work)
        return self._answer(status, kind, changed, dump(self._resource(kind, changed), None))

    def _settle(self, account_id: str, user: Any, *, suspended: bool) -> bool:
        """Make the account what the resource says; return whether provisioning suspends it now.

        An account that was locked by anybody else stays locked: personnel's word does not
        undo security's.
        """
        stores = self.means.stores
        name_key = _named(lambda: check_name(user.user_name))

        def rename(tx: Transaction) -> Account:
            account = stores.accounts.get(tx, account_id)
            if account.name != user.user_name:
                stores.scim.rename(tx, account_id, user.user_name, name_key)
            return account

        def run() -> Account:
            return self.means.parts.transactions.run(rename)

        account = _named(run)
        if user.active is False and account.state in _OPEN:
            self._suspend(account)
            return True
        if user.active is not False and suspended and account.state == "locked":
            self._resume(account)
            return False
        return suspended and account.state == "locked"

    def _suspend(self, account: Account) -> None:
        def work(tx: Transaction) -> None:
            self.means.stores.accounts.set_state(tx, account.id, "locked")
            end_within(self.means, tx, account.id, "suspended by provisioning")

        details = {"reason": "suspended by provisioning"}
        act = Act("iam.lock_account", _SYSTEM, f"account:{account.id}", details=details)
        self.means.parts.transactions.restrict(work, Restriction("account", account.id, act))

    def _resume(self, account: Account) -> None:
        means = self.means

        def work(tx: Transaction) -> None:
            enrolled = bool(means.stores.credentials.passwords(tx, account.id))
            means.stores.accounts.set_state(tx, account.id, "active" if enrolled else "pending")
            means.parts.revocations.restore(tx, "account", account.id)
            details = {"reason": "resumed by provisioning"}
            target = f"account:{account.id}"
            tx.record(Act("iam.unlock_account", _SYSTEM, target, details=details))

        means.parts.transactions.run(work)

    def _refuse_administrators(self, account_id: str) -> None:
        read = self.means.parts.transactions.read
        roles = read(lambda tx: self.means.stores.roles.of_subject(tx, account_id))
        if administers(roles):
            msg = "administrators are out of provisioning's reach"
            raise Forbidden(msg)

    def _check_members(self, actor: Actor, group: Any) -> None:
        """Members are provisioned users; a group in a group would be power nobody sees."""
        wanted = {str(member.value) for member in group.members or []}
        store = self.means.stores.scim

        def known(tx: Transaction) -> bool:
            return all(store.user(tx, actor.org_id, one) is not None for one in wanted)

        if not self.means.parts.transactions.read(known):
            raise scim_error("InvalidValueException")

    def _answer(self, status: int, kind: str, row: ScimRow, body: Any) -> ScimAnswer:
        return ScimAnswer(status, body, row.version, f"{self._base}/{kind}/{row.id}")

    def _shown(self, document: Any, path: str, name: str) -> dict[str, Any]:
        kind = path.removesuffix("s") if path != "ServiceProviderConfig" else path
        end = f"/{name}" if name else ""
        shown: dict[str, Any] = dump(document, None)
        shown["meta"] = {"resourceType": kind, "location": f"{self._base}/{path}{end}"}
        return shown

    @property
    def _base(self) -> str:
        return f"{self.means.options.issuer}/scim/v2"


def _page(asked: Any, resources: Sequence[Any], parameters: Any) -> ScimAnswer:
    start = asked.start_index_0 or 0
    count = MOST if asked.count is None else min(asked.count, MOST)
    page = [dump(one, parameters) for one in resources[start : start + count]]
    return ScimAnswer(200, list_of(page, len(resources), start + 1))


def _binding(account_id: str) -> bytes:
    return f"scim|{account_id}".encode()


def _full_name(user: Any) -> str:
    formatted = user.name.formatted if user.name is not None else ""
    return str(user.display_name or formatted or "")[:100]


def _named(work: Callable[[], T]) -> T:
    """Do ``work``; a name that is taken or none is said in SCIM's words."""
    try:
        return work()
    except NameTaken as error:
        raise scim_error("UniquenessException") from error
    except IdentityInvalid as error:
        raise scim_error("InvalidValueException") from error


def _check_match(row: ScimRow, match: str) -> None:
    if (
        match
        and match != "*"
        and etag(row.version) not in [one.strip() for one in match.split(",")]
    ):
        raise scim_error("PreconditionFailedException")
