"""Applications: registered by the system administrator, powerless until given a role."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from iam.core.base64url import encode
from iam.core.rfc6749.authorize import registrable_uri
from iam.errors import IdentityInvalid, InvalidRequest, NameTaken, RedirectRefused
from iam.models.clients import Client, IssuedClient, NewClient
from iam.models.options import API_AUDIENCE, CLI_CLIENT, CONSOLE_CLIENT
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import CLIENT_CREATE, CLIENT_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

GRANTS: Final = frozenset({"authorization_code", "refresh_token", "client_credentials"})
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}", re.ASCII)
MAX_URIS: Final = 20


@dataclass(frozen=True, slots=True)
class ClientService:
    """What can be done with applications."""

    means: Means
    directory: ClientDirectory

    def create_client(self, actor: Actor, new: NewClient) -> IssuedClient:
        """Register an application; the secret (unless public) is shown this once."""
        self.means.parts.access.require(actor, CLIENT_CREATE, "client:*")
        return self.make(actor, new, actor.org_id)

    def make(self, actor: Actor, new: NewClient, org_id: str) -> IssuedClient:
        """Register an application; the caller has checked who may."""
        _check(new)
        secret = encode(self.means.random(32)) if new.auth_method == "client_secret" else None
        client = Client(
            id=new.id,
            org_id=org_id,
            name=new.name or new.id,
            redirect_uris=new.redirect_uris,
            grants=new.grants,
            scopes=new.scopes or frozenset({"openid"}),
            audiences=new.audiences or (API_AUDIENCE,),
            secret_digest=None if secret is None else self.directory.secret_digest(secret),
            logout_uris=new.logout_uris,
            created_at=self.means.now,
            auth_method=new.auth_method,
            assertion_alg=new.assertion_alg,
            jwks=new.jwks,
            jwks_uri=new.jwks_uri,
            profile=new.profile,
            dpop_bound=new.dpop_bound or new.profile == "fapi2",
            par_required=new.par_required or new.profile == "fapi2",
            level=new.level,
            max_age=new.max_age,
            back_channel_uri=new.back_channel_uri,
            sector=new.sector,
        )

        def work(tx: Transaction) -> None:
            self.means.stores.clients.add(tx, client)
            details = {"grants": sorted(client.grants), "scopes": sorted(client.scopes)}
            tx.record(Act("iam.create_client", actor, f"client:{client.id}", details=details))

        self.means.parts.transactions.run(work)
        return IssuedClient(client, secret)

    def rotate_secret(self, actor: Actor, client_id: str) -> IssuedClient:
        """Replace an application's secret; the old one ends with this."""
        self.means.parts.access.require(actor, CLIENT_CREATE, f"client:{client_id}")
        secret = encode(self.means.random(32))
        digest = self.directory.secret_digest(secret)

        def work(tx: Transaction) -> Client:
            client = self._get(tx, actor, client_id)
            if client.auth_method != "client_secret":
                msg = "the application has no secret"
                raise InvalidRequest(msg)
            self.means.stores.clients.set_secret(tx, client_id, digest)
            self.means.parts.revocations.revoke(tx, "token", f"secret:{client_id}:{tx.now}")
            tx.record(Act("iam.rotate_secret", actor, f"client:{client_id}"))
            return replace(client, secret_digest=digest)

        return IssuedClient(self.means.parts.transactions.run(work), secret)

    def disable_client(self, actor: Actor, client_id: str, reason: str) -> None:
        """Disable an application; its tokens end within a second."""
        self.means.parts.access.require(actor, CLIENT_CREATE, f"client:{client_id}")
        read = self.means.parts.transactions.read
        read(lambda tx: self._get(tx, actor, client_id))
        self.end(actor, client_id, reason)

    def end(self, actor: Actor, client_id: str, reason: str) -> None:
        """Disable an application; the caller has checked who may."""
        act = Act(
            "iam.disable_client", actor, f"client:{client_id}", details={"reason": reason[:500]}
        )
        self.means.parts.transactions.restrict(
            lambda tx: self.means.stores.clients.disable(tx, client_id),
            Restriction("client", client_id, act),
        )

    def list_clients(self, actor: Actor, request: PageRequest) -> Page[Client]:
        """Return the organisation's applications."""
        self.means.parts.access.require(actor, CLIENT_READ, "client:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.clients.page(tx, actor.org_id, request))

    def _get(self, tx: Transaction, actor: Actor, client_id: str) -> Client:
        client = self.means.stores.clients.get(tx, client_id)
        if client is None or client.org_id != actor.org_id:
            msg = "there is no such application"
            raise NotFound(msg)
        return client


def _check(new: NewClient) -> None:
    if _ID.fullmatch(new.id) is None:
        msg = "a client id has 2 to 64 lower-case letters, digits or . _ -"
        raise IdentityInvalid(msg)
    if new.id in (CONSOLE_CLIENT, CLI_CLIENT) or new.id.startswith(("acc_", "org_")):
        msg = "this id is taken by the product"
        raise NameTaken(msg)
    if not new.grants or not new.grants <= GRANTS:
        msg = f"grants are of {', '.join(sorted(GRANTS))}"
        raise InvalidRequest(msg)
    if new.public and "client_credentials" in new.grants:
        msg = "a public application has no credentials of its own"
        raise InvalidRequest(msg)
    if ("authorization_code" in new.grants) != bool(new.redirect_uris):
        msg = "redirect URIs belong to authorization_code, and it needs one"
        raise InvalidRequest(msg)
    uris = (*new.redirect_uris, *new.logout_uris)
    if len(uris) > MAX_URIS or not all(registrable_uri(uri) for uri in uris):
        msg = "redirect URIs are https, or http on loopback, without fragment or wildcard"
        raise RedirectRefused(msg)
    if not all(_WORD.fullmatch(word) for word in (*new.scopes, *new.audiences)):
        msg = "scopes and audiences are single words"
        raise InvalidRequest(msg)
