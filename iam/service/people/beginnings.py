"""The first accounts of a home: three administrators by enrolment, or a demo's people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from iam.core.gb11643.id_number import check_character
from iam.core.one_time_passwords import algorithm_of
from iam.core.readable import in_groups, letters_of
from iam.core.rfc6238.totp import SECRET_BYTES, base32, otpauth_uri, step_at
from iam.models.accounts import Account, IdentityDocument, IssuedEnrolment, NewAccount
from iam.models.clients import NewClient
from iam.models.credentials import PasswordCredential, TotpCredential
from iam.models.options import ISSUER_NAME
from iam.service.means import Means
from iam.service.people.accounts import AccountService, enrolment_digest
from iam.service.people.roles import RoleService
from iam.service.provider.clients import ClientService
from iam.service.sign_on.stored_passwords import hash_password
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Forbidden
from secops.kernel.permissions.roles import (
    AUDIT_ADMIN,
    INTEGRATOR,
    ROLES,
    SECURITY_ADMIN,
    STAFF,
    SYSTEM_ADMIN,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

FIRST: Final = (SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN)
DEMO_CLIENT: Final = "demo-app"
DEMO_PERSON: Final = "zhangwei"
"""The person whose sign-in the sample logs show being guessed."""
_ALPHABET: Final = "abcdefghjkmnpqrstvwxyzACDEFHJKLMNPQRTUVWXY3479"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A demo account as handed out; password and secret are kept nowhere in clear."""

    name: str
    role: str
    password: str = field(repr=False)
    otp_secret: str = field(repr=False)
    otpauth_uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoApplication:
    """The demo's own application with client credentials."""

    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BeginningService:
    """Used by ``init`` alone, which needs the home's file permissions."""

    means: Means
    accounts: AccountService
    roles: RoleService
    clients: ClientService

    def create_administrators(self, actor: Actor) -> Sequence[IssuedEnrolment]:
        """Create the three administrators, each with an enrolment of 24 hours.

        Only in a home that has none of them, and only for ``os:`` (the home's owner);
        calling it again returns nothing. Who they are is proved when they enrol.
        """
        _require_os(actor)
        if self._has_administrators():
            return ()
        issued = []
        for role in FIRST:
            account, enrolment = self.accounts.make(actor, NewAccount(role), ROOT_ORG)
            self._grant(actor, account, role)
            issued.append(enrolment)
        return tuple(issued)

    def _grant(self, actor: Actor, account: Account, role: str) -> None:
        run = self.means.parts.transactions.run
        run(lambda tx: self.roles.grant(tx, actor, account, role))

    def _has_administrators(self) -> bool:
        stores = self.means.stores

        def work(tx: Transaction) -> bool:
            return any(stores.roles.holders(tx, role) for role in FIRST)

        return self.means.parts.transactions.read(work)

    def create_demo_accounts(self, actor: Actor) -> Sequence[DemoAccount]:
        """Create an account for each role, named after it, and ``zhangwei``; made-up persons.

        Only in demo homes. Idempotent: accounts that exist are left alone and not returned.
        """
        _require_os(actor)
        if not self.means.options.demo:
            msg = "demo accounts belong in demo homes"
            raise Forbidden(msg)
        made = []
        people = [*((role, role) for role in ROLES), (DEMO_PERSON, STAFF)]
        for number, (name, role) in enumerate(people):
            account = self._demo_account(actor, number, name=name, role=role)
            if account is not None:
                made.append(account)
        return tuple(made)

    def create_demo_client(self, actor: Actor) -> DemoApplication | None:
        """Create the application ``demo-app`` with the integrator's role; None if it exists."""
        _require_os(actor)
        new = NewClient(
            id=DEMO_CLIENT,
            name="示例应用",
            redirect_uris=("http://127.0.0.1/callback",),
            grants=frozenset({"client_credentials", "authorization_code", "refresh_token"}),
            scopes=frozenset({"openid", "profile", "api"}),
        )
        read = self.means.parts.transactions.read
        if read(lambda tx: self.means.stores.clients.get(tx, new.id)) is not None:
            return None
        issued = self.clients.make(actor, new, ROOT_ORG)
        run = self.means.parts.transactions.run
        run(lambda tx: self.roles.grant_client(tx, actor, issued.client, INTEGRATOR))
        return DemoApplication(new.id, issued.secret or "")

    def _demo_account(
        self, actor: Actor, number: int, *, name: str, role: str
    ) -> DemoAccount | None:
        means = self.means
        read = means.parts.transactions.read
        if read(lambda tx: means.stores.accounts.by_name(tx, name)) is not None:
            return None
        new = NewAccount(name, "civil", f"演示{name}", _made_up_document(number), "演示单位", role)
        account, enrolment = self.accounts.make(actor, new, ROOT_ORG)
        password = self._password()
        secret = means.random(SECRET_BYTES)
        hashed = hash_password(means, password)
        algorithm = algorithm_of(means.options.crypto_profile)
        sealed = means.box.seal(secret, f"totp|{account.id}".encode())

        def work(tx: Transaction) -> None:
            credentials = means.stores.credentials
            credentials.set_password(tx, PasswordCredential(account.id, hashed, tx.now), 5)
            last = step_at(tx.now) - 2
            credentials.set_totp(tx, TotpCredential(account.id, sealed, last, algorithm))
            means.stores.enrolments.use(tx, enrolment_digest(enrolment.token))
            means.stores.accounts.set_state(tx, account.id, "active")
            self.roles.grant(tx, actor, account, role)
            details = {"role": role}
            tx.record(
                Act("iam.create_demo_account", actor, f"account:{account.id}", details=details)
            )

        means.parts.transactions.run(work)
        uri = otpauth_uri(secret, name, ISSUER_NAME, algorithm)
        return DemoAccount(name, role, password, base32(secret), uri)

    def _password(self) -> str:
        """Return 16 random characters of an alphabet that reads well, in groups of four."""
        return in_groups(letters_of(self.means.random(24), _ALPHABET, 16))


def _require_os(actor: Actor) -> None:
    if actor.kind != "os":
        msg = "this belongs to whoever owns the home's files"
        raise Forbidden(msg)


def _made_up_document(number: int) -> IdentityDocument:
    """Return a number of the right form that nobody has (region 999999 does not exist)."""
    first = f"99999919800101{number:03d}"
    return IdentityDocument("cn-id", first + check_character(first))
