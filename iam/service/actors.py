"""Who acts: an account, application or session turned into the kernel's ``Actor``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.errors import TokenRefused
from iam.models.options import CLI_CLIENT
from iam.service.means import Means
from iam.service.persons import same_person
from iam.service.provider.verification import TokenVerification
from iam.service.sign_on.sessions import find_account, hang
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.transactions import Transaction

DEMO_LEVEL: Final = 2


@dataclass(frozen=True, slots=True)
class ActorService:
    """Actors for the command line."""

    means: Means
    tokens: TokenVerification

    def by_account(self, name: str) -> Actor:
        """Return an account as actor without proof: in demo homes alone (``--as``)."""
        if not self.means.options.demo:
            msg = "--as works in demo homes only; use `secops login`"
            raise Forbidden(msg)

        def work(tx: Transaction) -> Actor:
            account = find_account(self.means, tx, name)
            if account.state != "active":
                msg = "the account is not active"
                raise Forbidden(msg)
            roles = self.means.stores.roles.of_subject(tx, account.id)
            return Actor(
                kind="account",
                id=account.id,
                org_id=account.org_id,
                name=account.name,
                roles=roles,
                level=DEMO_LEVEL,
                auth_time=tx.now,
            )

        return self.means.parts.transactions.read(work)

    def by_token(self, token: str) -> Actor:
        """Return who holds an access token or the session that ``secops login`` opened."""
        if "." in token:
            return self.tokens.verify_token(token)
        return self.tokens.verify_session(token)

    def open_terminal(self, token: str) -> str:
        """Return the secret of a command line's session, for a token of its device grant.

        The token lives minutes, the session as long as one that was opened here.
        """
        claims = self.tokens.inspect(token).claims
        if claims.client_id != CLI_CLIENT or claims.session_id is None:
            msg = "the token is not the command line's"
            raise TokenRefused(msg)
        return hang(self.means, claims.session_id, CLI_CLIENT)

    def resolve_subject(self, org_id: str, name: str) -> str:
        """Return ``account:ID`` or ``client:ID`` of a name or id; raise ``NotFound``."""

        def work(tx: Transaction) -> str:
            client = self.means.stores.clients.get(tx, name)
            if client is not None and client.org_id == org_id:
                return f"client:{client.id}"
            account = find_account(self.means, tx, name)
            if account.org_id != org_id:
                raise NotFound(f"no account or application is called {name!r}")
            return f"account:{account.id}"

        return self.means.parts.transactions.read(work)

    def same_person(self, transaction: Transaction, one: str, other: str) -> bool:
        """Tell whether two account ids belong to one natural person, for other planes."""
        return same_person(self.means, transaction, one, other)

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        """Return the roles of an account as they are now, for work it ordered earlier.

        None where it is gone, not active or locked: then the work does not go on.
        """

        def work(tx: Transaction) -> frozenset[str] | None:
            try:
                account = self.means.stores.accounts.get(tx, account_id)
            except NotFound:
                return None
            if account.state != "active":
                return None
            return self.means.stores.roles.of_subject(tx, account.id)

        if self.means.parts.revocations.is_revoked("account", account_id):
            return None
        return self.means.parts.transactions.read(work)
