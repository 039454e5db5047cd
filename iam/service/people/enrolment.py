"""Enrolment: the owner sets password and TOTP, once, and gets recovery codes."""

from __future__ import annotations

from dataclasses import dataclass, field

from iam.core.exclusion import administers
from iam.core.one_time_passwords import algorithm_of, matching_code_step
from iam.core.rfc6238.totp import SECRET_BYTES, base32, otpauth_uri
from iam.errors import EnrolmentRefused, PersonUnproved, SignInRefused
from iam.models.accounts import Account, Enrolment, EnrolmentView, IdentityDocument, Person
from iam.models.credentials import PasswordCredential, TotpCredential
from iam.models.options import ISSUER_NAME
from iam.service.means import Means
from iam.service.people.accounts import enrolment_digest, make_person
from iam.service.sign_on.passwords import hash_of_first
from iam.service.sign_on.recovery_codes import make_recovery_codes, recovery_digest
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class EnrolmentForm:
    """What the person who enrols gives."""

    token: str = field(repr=False)
    password: str = field(repr=False)
    code: str = field(repr=False)
    document: IdentityDocument | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Found:
    enrolment: Enrolment
    account: Account
    person: Person | None
    roles: frozenset[str]

    @property
    def needs_document(self) -> bool:
        return administers(self.roles) and not (self.person and self.person.proved)


@dataclass(frozen=True, slots=True)
class EnrolmentService:
    """First factors of an account."""

    means: Means

    def look(self, token: str) -> EnrolmentView:
        """Return what to show: name, TOTP secret; raise ``EnrolmentRefused``."""
        found = self._find(token)
        secret = self._secret(token)
        return EnrolmentView(
            account_name=found.account.name,
            otpauth_uri=otpauth_uri(
                secret,
                found.account.name,
                ISSUER_NAME,
                algorithm_of(self.means.options.crypto_profile),
            ),
            otp_secret=base32(secret),
            needs_document=found.needs_document,
            expires_at=found.enrolment.expires_at,
        )

    def enrol(self, form: EnrolmentForm) -> tuple[str, ...]:
        """Set password and TOTP and return the recovery codes.

        ``form.code`` proves that the app shows the right numbers. Raises
        ``EnrolmentRefused``, ``PasswordWeak``, ``PersonUnproved`` or ``SignInRefused``.
        """
        found = self._find(form.token)
        if found.needs_document and form.document is None:
            raise PersonUnproved
        account = found.account
        means = self.means
        secret = self._secret(form.token)
        algorithm = algorithm_of(means.options.crypto_profile)
        step = matching_code_step(algorithm, secret, form.code, means.now, -1)
        if step is None:
            msg = "the code does not belong to this secret, or the clocks differ"
            raise SignInRefused(msg)
        hashed = hash_of_first(means, account, form.password)
        sealed = means.box.seal(secret, f"totp|{account.id}".encode())
        codes = make_recovery_codes(means)
        digests = [recovery_digest(means, account.id, code) for code in codes]
        person = None
        if form.document is not None:
            person = make_person(means, account.org_id, "", form.document)

        def work(tx: Transaction) -> None:
            if not means.stores.enrolments.use(tx, found.enrolment.digest):
                raise EnrolmentRefused
            credentials = means.stores.credentials
            credentials.set_password(
                tx,
                PasswordCredential(account.id, hashed, tx.now),
                means.options.password_history,
            )
            credentials.set_totp(tx, TotpCredential(account.id, sealed, step, algorithm))
            credentials.set_recovery_codes(tx, account.id, digests)
            if person is not None and found.needs_document:
                means.stores.persons.prove_person(tx, account.id, person)
            means.stores.accounts.set_state(tx, account.id, "active")
            tx.record(Act("iam.enrol", _owner(account), f"account:{account.id}"))

        means.parts.transactions.run(work)
        return codes

    def _secret(self, token: str) -> bytes:
        # made from the token, so that looking twice shows one secret and nothing is kept
        return self.means.keys.mac("totp-enrolment", token.encode())[:SECRET_BYTES]

    def _find(self, token: str) -> _Found:
        digest = enrolment_digest(token)
        stores = self.means.stores

        def work(tx: Transaction) -> _Found | None:
            enrolment = stores.enrolments.find(tx, digest)
            if enrolment is None:
                return None
            account = stores.accounts.get(tx, enrolment.account_id)
            person = None
            if account.person_id is not None:
                person = stores.persons.get_person(tx, account.person_id)
            return _Found(enrolment, account, person, stores.roles.of_subject(tx, account.id))

        try:
            found = self.means.parts.transactions.read(work)
        except NotFound as error:
            raise EnrolmentRefused from error
        if found is None or found.account.state not in ("pending", "active"):
            raise EnrolmentRefused
        return found


def _owner(account: Account) -> Actor:
    return Actor(kind="account", id=account.id, org_id=account.org_id, name=account.name)
