"""Factors beside passwords and one-time codes: passkeys, certificates, and what they prove."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

TERMINATOR_HEADER: Final = "x-secops-client-certificate"
"""In which a TLS or TLCP terminator says, and signs, whose certificate it saw."""

FactorKind = Literal["password", "totp", "recovery", "passkey", "certificate", "one_time"]


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a passkey's answer must be about: our challenge, our site, our page's origin."""

    challenge: bytes = field(repr=False)
    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class AttestationPolicy:
    """Which authenticators are admitted.

    ``roots`` are the makers' certificates in PEM; with ``required`` a passkey without a chain
    to one of them is refused. ``models`` are AAGUIDs, none means any.
    """

    required: bool = False
    roots: tuple[str, ...] = ()
    models: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was just registered; ``model`` is its AAGUID."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    model: str
    attested: bool
    synced: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of an account.

    ``synced`` ones exist on several devices; ``attested`` ones are vouched for by a maker that
    the operator trusts. ``suspended_at`` is set when its counter went back: a copy exists.
    """

    credential_id: bytes
    org_id: str
    account_id: str
    name: str
    public_key: bytes = field(repr=False)
    sign_count: int
    model: str
    attested: bool
    synced: bool
    transports: tuple[str, ...]
    created_at: int
    last_used_at: int | None = None
    suspended_at: int | None = None

    @property
    def hardware(self) -> bool:
        """Whether its key is known never to leave one device."""
        return self.attested and not self.synced


@dataclass(frozen=True, slots=True)
class PasskeyUse:
    """The proof that a passkey was used; ``sign_count`` still has to pass the store."""

    passkey: Passkey
    sign_count: int


@dataclass(frozen=True, slots=True)
class PasskeyQuestion:
    """What the page's script passes to the browser, and the reference to answer with."""

    options: dict[str, Any]
    reference: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasskeyAttempt:
    """A passkey's answer (JSON text) to the question of ``reference``.

    ``second`` is the reference of a password given before, empty where the passkey is alone.
    """

    reference: str = field(repr=False)
    answer: str = field(repr=False)
    address: str
    second: str = field(default="", repr=False)
    user_agent: str = ""
    device: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CertificateBinding:
    """A certificate's key that stands for an account.

    ``key_digest`` is SHA-256 of its SPKI: a renewed certificate of the same key stays bound.
    ``token_held`` keys never leave a UKey that asks for a PIN.
    """

    id: str
    key_digest: bytes
    org_id: str
    account_id: str
    name: str
    subject: str
    serial: str
    not_after: int
    token_held: bool
    created_at: int
    created_by: str
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class RevocationPolicy:
    """Where the revocation of certificates is looked up, beside the operator's lists.

    ``responder`` is the http(s) address of an OCSP responder that is asked about all of them;
    ``named`` asks the one that a certificate itself names; ``lists_instead`` lets a current
    list answer for a responder that doesn't.
    """

    responder: str = ""
    named: bool = False
    lists_instead: bool = False


@dataclass(frozen=True, slots=True)
class CertificateChallenge:
    """What a UKey's middleware signs over; ``reference`` is for the answer."""

    purpose: str
    origin: str
    nonce: str
    expires_in: int
    reference: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertificateAttempt:
    """A signed challenge, or what a TLS or TLCP terminator says and signs.

    ``second`` is the reference of a password given before, empty where the certificate is alone.
    """

    address: str
    reference: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)
    terminator: str = field(default="", repr=False)
    second: str = field(default="", repr=False)
    user_agent: str = ""
    device: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NewBinding:
    """A certificate to bind to an account (name or id); ``encoded`` is DER or PEM."""

    account: str
    encoded: bytes = field(repr=False)
    name: str
    token_held: bool = False


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of an account, as its owner sees it."""

    kind: FactorKind
    id: str
    name: str
    since: int
    last_used_at: int | None = None
    note: str = ""
    usable: bool = True
