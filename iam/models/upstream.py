"""Identity providers upstream: how they are reached, what they are trusted with, what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

UpstreamKind = Literal["oidc", "ticket", "cas", "ldap"]
UpstreamState = Literal["active", "disabled"]
Standing = Literal["active", "left", "unknown"]


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """An OpenID provider. ``jwks_uri`` empty: the one that discovery under ``issuer`` names.

    The ``*_claim`` texts name claims of the ID token or, with ``userinfo``, of that answer;
    an empty one is not read. ``acr_levels`` maps the provider's ``acr`` to ours.
    """

    issuer: str
    client_id: str
    algorithm: str = "ES256"
    jwks_uri: str = ""
    scopes: tuple[str, ...] = ("openid",)
    authentication: str = "basic"
    userinfo: bool = False
    id_number_claim: str = ""
    credit_code_claim: str = ""
    level_claim: str = ""
    disabled_claim: str = ""
    acr_levels: Mapping[str, int] = field(default_factory=dict)
    status_url: str = ""


@dataclass(frozen=True, slots=True)
class TicketSettings:
    """A provincial platform that hands out tickets signed by SM2 and encrypted by SM4.

    ``layout`` names the pieces of a decoded ticket in order, ``name:bytes`` or ``name:*`` for
    the rest, of ``iv``, ``body``, ``tag``, ``signature`` and anything else that is skipped.
    ``signed`` is what the signature covers: pieces joined by ``+``, ``plaintext`` among them.
    ``public_key`` is the platform's SM2 point (04 ‖ x ‖ y) in hex. The ``*_field`` texts name
    members of the decrypted JSON object; an empty one is not read.
    """

    login_url: str
    issuer: str
    application: str
    public_key: str
    layout: tuple[str, ...] = ("iv:12", "body:*", "tag:16", "signature:64")
    encoding: str = "base64url"
    cipher: str = "sm4-gcm"
    signed: str = "iv+body+tag"
    signature_form: str = "raw"
    user_id: str = "1234567812345678"
    application_parameter: str = "appid"
    return_parameter: str = "service"
    ticket_parameter: str = "ticket"
    issuer_field: str = "iss"
    audience_field: str = "aud"
    subject_field: str = "sub"
    identifier_field: str = "jti"
    issued_field: str = "iat"
    state_field: str = ""
    id_number_field: str = "id_number"
    credit_code_field: str = "credit_code"
    level_field: str = "level"
    disabled_field: str = "disabled"
    lifetime_seconds: int = 120
    status_url: str = ""


@dataclass(frozen=True, slots=True)
class CasSettings:
    """A CAS 3.0 server; the ``*_attribute`` texts name attributes, an empty one is not read."""

    server_url: str
    renew: bool = False
    subject_attribute: str = ""
    id_number_attribute: str = ""
    credit_code_attribute: str = ""
    level_attribute: str = ""
    disabled_attribute: str = ""
    status_url: str = ""


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """A directory over TLS. ``bind_dn`` searches with the provider's secret as its password.

    ``search_filter`` holds ``{name}`` once; ``subject_attribute`` must never be reused by the
    directory (``entryUUID``, ``objectGUID``). ``encryption`` is ``ldaps`` (from the first byte)
    or ``starttls`` (RFC 4511 §4.14, usually port 389); there is no third.
    """

    host: str
    base_dn: str
    bind_dn: str
    port: int = 636
    encryption: str = "ldaps"
    search_filter: str = "(&(objectClass=person)(uid={name}))"
    subject_attribute: str = "entryUUID"
    id_number_attribute: str = ""
    credit_code_attribute: str = ""
    level_attribute: str = ""


UpstreamSettings = OidcSettings | TicketSettings | CasSettings | LdapSettings


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed. ``levels`` maps the provider's word to a level of ``scheme``.

    ``assurance`` is the authentication level a sign-in there counts for (where nothing more
    exact is known); ``administrators`` lets the three administrators in by it; ``exclusive``
    closes local sign-in for the organisation but for the accounts in ``local_names``.
    """

    link_by: tuple[str, ...] = ("cn-id",)
    scheme: str = ""
    levels: Mapping[str, int] = field(default_factory=dict)
    level_days: int = 30
    assurance: int = 1
    administrators: bool = False
    exclusive: bool = False
    local_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UpstreamPlan:
    """A checked configuration, without its secret."""

    id: str
    kind: UpstreamKind
    title: str
    settings: UpstreamSettings
    trust: Trust


SETTINGS: Final[Mapping[str, Any]] = {
    "oidc": OidcSettings,
    "ticket": TicketSettings,
    "cas": CasSettings,
    "ldap": LdapSettings,
}


def stored_plan(upstream_id: str, content: str) -> UpstreamPlan:
    """Return the plan of a canonical JSON text that was checked before it was stored."""
    document = json.loads(content)
    settings = SETTINGS[document["kind"]](**_tuples(document["settings"]))
    trust = Trust(**_tuples(document["trust"]))
    return UpstreamPlan(upstream_id, document["kind"], document["title"], settings, trust)


def _tuples(members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in members.items()
    }


@dataclass(frozen=True, slots=True)
class Upstream:
    """A provider as it is in force. ``content`` is its plan as canonical JSON."""

    plan: UpstreamPlan
    org_id: str
    content: str
    sealed_secret: bytes = field(repr=False)
    state: UpstreamState
    proposed_by: str
    approved_by: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class UpstreamProposal:
    """A configuration that waits for another person's approval; ``digest`` binds the two."""

    approval_id: str
    org_id: str
    upstream_id: str
    content: str
    sealed_secret: bytes = field(repr=False)
    digest: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Handshake:
    """One sign-in that was begun: what binds the answer to browser, provider and time.

    ``callback`` is the fixed address here that answers come back to (made from PUBLIC_URL).
    """

    upstream_id: str
    callback: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UpstreamProof:
    """What a provider said, after every check of its protocol.

    ``once`` names the proof itself where it could be presented twice, until ``once_until``
    (UTC µs). ``level`` is the provider's word, ``level_until`` its end where it says one (UTC
    µs). ``left`` says that the provider has closed this person's account.
    """

    issuer: str
    subject: str = field(repr=False)
    id_number: str = field(default="", repr=False)
    credit_code: str = ""
    level: str = ""
    level_until: int | None = None
    assurance: int | None = None
    left: bool = False
    once: bytes | None = None
    once_until: int = 0


@dataclass(frozen=True, slots=True)
class UpstreamLink:
    """An account is known upstream as a subject.

    ``subject_key`` is a keyed hash of issuer and subject, ``sealed_subject`` can be opened to
    ask whether the person left.
    """

    upstream_id: str
    subject_key: bytes
    org_id: str
    account_id: str
    sealed_subject: bytes = field(repr=False)
    rule: str
    linked_at: int
    checked_at: int


@dataclass(frozen=True, slots=True)
class RealNameLevel:
    """How surely an account's person is known: ``level`` of ``scheme``, said by ``source``."""

    account_id: str
    org_id: str
    scheme: str
    level: int
    source: str
    at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class UpstreamCheck:
    """One finding of a test: ``ok`` None could not be judged."""

    what: str
    ok: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamButton:
    """What the sign-in page shows: ``form`` providers ask for name and password here."""

    id: str
    title: str
    form: bool


@dataclass(frozen=True, slots=True)
class UpstreamStart:
    """Send the browser to ``location`` (empty: show the form) and keep ``cookie``."""

    location: str
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UpstreamArrival:
    """Who asks, when an answer of a provider comes in."""

    address: str
    user_agent: str = ""
    device: str = field(default="", repr=False)
