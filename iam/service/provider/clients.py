"""Applications: registered by the system administrator, powerless until given a role."""

from __future__ import annotations

from dataclasses import dataclass, replace

from iam.core.base64url import encode
from iam.core.rfc7591.rules import check_client
from iam.errors import InvalidRequest
from iam.models.clients import SM2_SM3, Client, IssuedClient, NewClient
from iam.models.options import API_AUDIENCE
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import CLIENT_CREATE, CLIENT_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction


@dataclass(frozen=True, slots=True)
class ClientService:
    """What can be done with applications."""

    means: Means
    directory: ClientDirectory

    def create_client(self, actor: Actor, new: NewClient) -> IssuedClient:
        """Register an application that asks people; its secret is shown this once."""
        self.means.parts.access.require(actor, CLIENT_CREATE, "client:*")
        # that nobody is asked takes two people's word: ``RegistrationService``
        return self.make(actor, replace(new, consent="ask"), actor.org_id)

    def make(self, actor: Actor, new: NewClient, org_id: str) -> IssuedClient:
        """Register an application; the caller has checked who may."""
        client, secret = self.prepare(new, org_id)
        self.means.parts.transactions.run(lambda tx: self.store(tx, actor, client))
        return IssuedClient(client, secret)

    def prepare(self, new: NewClient, org_id: str) -> tuple[Client, str | None]:
        """Return the application and its secret, stored nowhere yet; raise what is wrong."""
        check_client(new)
        if new.token_alg == SM2_SM3 and self.means.options.crypto_profile != "gm":
            msg = f"tokens are signed with {SM2_SM3} only under crypto_profile gm"
            raise InvalidRequest(msg)
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
            consent=new.consent,
            token_alg=new.token_alg,
            real_name_level=new.real_name_level,
        )

        return client, secret

    def store(self, tx: Transaction, actor: Actor, client: Client) -> None:
        """Store a prepared application within a unit of work."""
        self.means.stores.clients.add(tx, client)
        details = {
            "grants": sorted(client.grants),
            "scopes": sorted(client.scopes),
            "authentication": client.auth_method,
            "profile": client.profile,
            "consent": client.consent,
            "token_alg": client.token_alg,
            "real_name_level": client.real_name_level,
        }
        tx.record(Act("iam.create_client", actor, f"client:{client.id}", details=details))

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
