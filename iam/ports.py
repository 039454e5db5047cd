"""What the plane needs from outside: key material, its stores, hashing, policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from iam.models.accounts import (
    Account,
    AccountState,
    CivilService,
    Enrolment,
    LegalPerson,
    Mandate,
    Organisation,
    Person,
    RoleGrant,
)
from iam.models.clients import Client
from iam.models.credentials import Attempts, PasswordCredential, TotpCredential
from iam.models.grants import Code, Family, Redemption, RefreshUse, Rotation
from iam.models.sessions import OpSession, RpSession
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

KeyedHash = Callable[[bytes], bytes]
"""HMAC under a key of the pool; the same input always gives the same 32 bytes."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 key of the pool: what ``TokenSigner.sign`` calls it, and its SPKI in DER."""

    name: str
    public_der: bytes


class TokenSigner(Protocol):
    """Signs tokens with ES256."""

    def keys(self) -> Sequence[SigningKey]:
        """Return the published keys, the one that signs first; old ones stay for a day."""
        ...

    def sign(self, name: str, message: bytes) -> bytes:
        """Return the DER ECDSA signature over SHA-256 of ``message`` by the key ``name``."""
        ...


class SecretBox(Protocol):
    """Seals small secrets under the key pool."""

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return ``plaintext`` encrypted and bound to ``aad``."""
        ...

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return what was sealed with the same ``aad``; raise a ``SecopsError`` otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class IamPorts:
    """What other planes provide; the bridges fill it."""

    token_signer: TokenSigner
    secret_box: SecretBox
    keyed_hash: KeyedHash


class PasswordHasher(Protocol):
    """A slow hash behind a limit on how many run at a time."""

    def hash(self, password: bytes) -> str:
        """Return the hash; raise ``TooMany`` (``retry_after``) when the queue is full."""
        ...

    def verify(self, encoded: str, password: bytes) -> bool:
        """Tell whether it fits, at the same cost either way; raise ``TooMany``."""
        ...

    def outdated(self, encoded: str) -> bool:
        """Tell whether the hash was made with weaker parameters than today's."""
        ...

    @property
    def decoy(self) -> str:
        """A hash of nothing anybody knows: verifying it costs what a real one costs."""
        ...


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """What the policy engine is asked; everything in it takes part in the cache key."""

    kind: str
    id: str
    roles: frozenset[str]
    permission: str
    resource_kind: str
    level: int
    risk: int
    revoked: bool
    in_scope: bool
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """The engine's answer; ``errors`` non-empty means nothing was decided."""

    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...]


class PolicyEngine(Protocol):
    """Evaluates access policies."""

    @property
    def version(self) -> str:
        """A digest of the policies and schema in force."""
        ...

    @property
    def policy_count(self) -> int:
        """How many policies are in force."""
        ...

    def evaluate(self, question: PolicyQuestion) -> PolicyAnswer:
        """Return the answer; never raises."""
        ...


class AccountStore(Protocol):
    """Accounts; ``name_key`` is the folded name."""

    def add(self, tx: Transaction, account: Account, name_key: str) -> None:
        """Store a new account; raise ``NameTaken``."""
        ...

    def get(self, tx: Transaction, account_id: str) -> Account:
        """Return it; raise ``NotFound``."""
        ...

    def by_name(self, tx: Transaction, name_key: str) -> Account | None:
        """Return the account of this name."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Account]:
        """Return accounts by id."""
        ...

    def set_state(self, tx: Transaction, account_id: str, state: AccountState) -> None:
        """Change the state."""
        ...

    def signed_in(self, tx: Transaction, account_id: str, at: int) -> None:
        """Remember the last sign-in."""
        ...

    def facts(self, tx: Transaction, org_id: str, stale_before: int) -> Mapping[str, int]:
        """Return counts: accounts, active, pending, locked, stale, shared_persons."""
        ...


class PersonStore(Protocol):
    """Persons, natural and legal, organisations and mandates."""

    def add_organisation(self, tx: Transaction, organisation: Organisation) -> None:
        """Store it; raise ``NameTaken``."""
        ...

    def organisations(self, tx: Transaction) -> Sequence[Organisation]:
        """Return all organisations by name."""
        ...

    def add_person(self, tx: Transaction, person: Person) -> str:
        """Store a person, or find the one with the same key; return the id."""
        ...

    def get_person(self, tx: Transaction, person_id: str) -> Person:
        """Return the person; raise ``NotFound``."""
        ...

    def prove_person(self, tx: Transaction, account_id: str, person: Person) -> None:
        """Put ``person`` behind the account and its grants; raise ``RoleConflict``."""
        ...

    def add_civil_service(self, tx: Transaction, service: CivilService) -> None:
        """Store where a civil servant serves."""
        ...

    def add_legal_person(self, tx: Transaction, legal: LegalPerson) -> None:
        """Store it; raise ``NameTaken`` if the credit code is known."""
        ...

    def add_mandate(self, tx: Transaction, mandate: Mandate) -> None:
        """Store it."""
        ...

    def revoke_mandate(self, tx: Transaction, mandate_id: str) -> bool:
        """End it; False if it had ended."""
        ...

    def mandates_of(self, tx: Transaction, agent_id: str) -> Sequence[Mandate]:
        """Return what the agent may act under now."""
        ...


class RoleStore(Protocol):
    """Who holds which role."""

    def add(self, tx: Transaction, grant: RoleGrant) -> None:
        """Store a grant; raise ``RoleConflict`` where a constraint forbids it."""
        ...

    def remove(self, tx: Transaction, subject_id: str, role: str) -> bool:
        """Remove a grant; False if there was none."""
        ...

    def of_subject(self, tx: Transaction, subject_id: str) -> frozenset[str]:
        """Return the subject's roles."""
        ...

    def of_person(self, tx: Transaction, person_key: bytes) -> frozenset[str]:
        """Return what the person holds over all their accounts."""
        ...

    def holders(self, tx: Transaction, role: str) -> int:
        """Return how many open accounts hold ``role``."""
        ...

    def by_subject(self, tx: Transaction, org_id: str) -> Mapping[str, frozenset[str]]:
        """Return the roles of every subject of the organisation."""
        ...

    def facts(self, tx: Transaction, org_id: str) -> Mapping[str, int]:
        """Return counts: one per role, ``conflicts`` and ``unproved``."""
        ...


class CredentialStore(Protocol):
    """Passwords, TOTP secrets, recovery codes and enrolments."""

    def set_password(self, tx: Transaction, credential: PasswordCredential, keep: int) -> None:
        """Make it the password; the last ``keep`` ones stay as history."""
        ...

    def passwords(self, tx: Transaction, account_id: str) -> Sequence[PasswordCredential]:
        """Return the password and its history, newest first."""
        ...

    def rehash(self, tx: Transaction, credential: PasswordCredential) -> None:
        """Replace the newest password's hash, its age unchanged."""
        ...

    def set_totp(self, tx: Transaction, credential: TotpCredential) -> None:
        """Make it the TOTP secret."""
        ...

    def totp(self, tx: Transaction, account_id: str) -> TotpCredential | None:
        """Return the TOTP secret."""
        ...

    def use_step(self, tx: Transaction, account_id: str, step: int) -> bool:
        """Consume a TOTP step: True once, False for it and every older one after that."""
        ...

    def set_recovery_codes(
        self, tx: Transaction, account_id: str, digests: Sequence[bytes]
    ) -> None:
        """Replace the recovery codes."""
        ...

    def use_recovery_code(self, tx: Transaction, account_id: str, digest: bytes) -> bool:
        """Consume a recovery code: True once."""
        ...

    def clear(self, tx: Transaction, account_id: str) -> None:
        """Forget every factor of the account."""
        ...

    def facts(self, tx: Transaction, org_id: str, set_before: int) -> Mapping[str, int]:
        """Return counts: with_two_factors, administrators…, passwords_expired."""
        ...


class EnrolmentStore(Protocol):
    """Enrolments, each usable once."""

    def add(self, tx: Transaction, enrolment: Enrolment) -> None:
        """Store it; earlier ones of the same account end."""
        ...

    def find(self, tx: Transaction, digest: bytes) -> Enrolment | None:
        """Return it if it can still be used."""
        ...

    def use(self, tx: Transaction, digest: bytes) -> bool:
        """Consume it: True once."""
        ...


class SessionStore(Protocol):
    """Sessions at the provider, and what hangs on them."""

    def add(self, tx: Transaction, session: OpSession) -> None:
        """Store a new session."""
        ...

    def by_digest(self, tx: Transaction, digest: bytes) -> OpSession | None:
        """Return the session of a cookie."""
        ...

    def get(self, tx: Transaction, session_id: str) -> OpSession | None:
        """Return it."""
        ...

    def alive_of(self, tx: Transaction, account_id: str) -> Sequence[OpSession]:
        """Return the account's living sessions, newest first."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[OpSession]:
        """Return living sessions by id."""
        ...

    def touch(self, tx: Transaction, session_id: str) -> None:
        """Remember that it was used now."""
        ...

    def end(self, tx: Transaction, session_id: str) -> bool:
        """End it and the refresh families that hang on it; False if it had ended."""
        ...

    def add_rp(self, tx: Transaction, session: RpSession) -> None:
        """Store a relying party's session."""
        ...

    def rp_by_digest(self, tx: Transaction, digest: bytes) -> RpSession | None:
        """Return the relying party's session of a cookie."""
        ...


class ClientStore(Protocol):
    """Applications."""

    def add(self, tx: Transaction, client: Client) -> None:
        """Store it; raise ``NameTaken``."""
        ...

    def get(self, tx: Transaction, client_id: str) -> Client | None:
        """Return it, with its roles."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Client]:
        """Return applications by id."""
        ...

    def set_secret(self, tx: Transaction, client_id: str, digest: bytes) -> None:
        """Replace the secret."""
        ...

    def disable(self, tx: Transaction, client_id: str) -> bool:
        """Disable it; False if it was or is unknown."""
        ...


class GrantStore(Protocol):
    """Codes, refresh families and everything that is used once."""

    def add_code(self, tx: Transaction, code: Code) -> None:
        """Store a code."""
        ...

    def redeem_code(self, tx: Transaction, redemption: Redemption) -> Code | None:
        """Consume the code if all of the redemption fits, by one statement."""
        ...

    def spent_code(self, tx: Transaction, redemption: Redemption) -> Redemption | None:
        """Return how the client's code was redeemed before, if it was."""
        ...

    def add_family(self, tx: Transaction, family: Family) -> None:
        """Store a family in generation 0."""
        ...

    def rotate(self, tx: Transaction, use: RefreshUse) -> Rotation:
        """Compare and set: one winner a generation; reuse kills the family."""
        ...

    def end_family(self, tx: Transaction, family: bytes, client_id: str) -> str | None:
        """End a client's family; return its session, None if it was not alive."""
        ...

    def use_once(self, tx: Transaction, kind: str, key: bytes, expires_at: int) -> bool:
        """Consume ``key``: True for the first, False ever after."""
        ...

    def purge(self, tx: Transaction, limit: int) -> int:
        """Remove at most ``limit`` things that expired an hour ago; return how many."""
        ...


class LockoutStore(Protocol):
    """Counters of failures; keys are keyed hashes."""

    def read(self, tx: Transaction, kind: str, key: bytes) -> Attempts:
        """Return the counter, zero if there is none."""
        ...

    def write(self, tx: Transaction, kind: str, key: bytes, attempts: Attempts) -> None:
        """Store the counter."""
        ...

    def clear(self, tx: Transaction, kind: str, key: bytes) -> None:
        """Forget the counter."""
        ...

    def locked(self, tx: Transaction, kind: str) -> int:
        """Return how many of ``kind`` refuse now."""
        ...


class RiskStore(Protocol):
    """The projection of subjects' risk."""

    def put(self, tx: Transaction, subject: str, risk: int, delivery: tuple[int, int]) -> bool:
        """Store the risk unless a later delivery (id, at) already did; True if stored."""
        ...

    def all(self, tx: Transaction) -> Mapping[str, int]:
        """Return every subject with a risk above 0."""
        ...


@dataclass(frozen=True, slots=True)
class IamStores:
    """All stores of the plane."""

    accounts: AccountStore
    persons: PersonStore
    roles: RoleStore
    credentials: CredentialStore
    enrolments: EnrolmentStore
    sessions: SessionStore
    clients: ClientStore
    grants: GrantStore
    lockouts: LockoutStore
    risks: RiskStore
