"""Authorization requests, codes, refresh families and tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from iam.models.accounts import ActingContext
from iam.models.clients import ES256, TokenAlgorithm


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A checked request to ``/oauth2/authorize`` (RFC 6749 4.1.1, OIDC Core 3.1.2.1).

    ``level`` is the least authentication level, ``max_age`` in seconds, ``hint`` an ID token
    of the person expected, ``dpop_jkt`` the key that alone may redeem the code.
    """

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    state: str | None = None
    nonce: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    level: int = 1
    dpop_jkt: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code's row; ``digest`` is SHA-256 of the code."""

    digest: bytes
    org_id: str
    client_id: str
    redirect_uri: str
    challenge: str
    scopes: frozenset[str]
    nonce: str | None
    session_id: str
    expires_at: int
    dpop_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class Redemption:
    """How a code is redeemed: all of it is compared in the statement that consumes it."""

    digest: bytes
    client_id: str
    redirect_uri: str
    challenge: str
    token_id: str
    family: bytes
    dpop_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A chain of refresh tokens. ``key_id`` is what binds the client, None for nothing."""

    id: bytes
    org_id: str
    client_id: str
    session_id: str
    key_id: str | None
    scopes: frozenset[str]
    idle: int
    ends_at: int


RotationOutcome = Literal["rotated", "repeated", "reused", "refused", "ahead"]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a compare-and-set on a family gave; ``generation`` is the successor's."""

    outcome: RotationOutcome
    generation: int = 0
    session_id: str = ""
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RefreshUse:
    """A refresh token whose MAC was right, and who presents it.

    ``rotates`` False: the same token stays good (FAPI 2.0, key-bound clients only).
    """

    family: bytes
    generation: int
    client_id: str
    key_id: str | None
    rotates: bool = True


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What the token endpoint hands out."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """The claims of an access token that was checked (RFC 9068 §4): holding one is the proof.

    ``issued_at`` and ``expires_at`` are seconds, as in the token; ``auth_time`` too.
    ``family`` names the refresh family it came from, so that both end together. ``key`` is
    the thumbprint of the key whose holder alone may use it (RFC 9449 §6). ``mandate`` is what
    the subject, a legal person, is acted for under, and ``agent`` who acts (RFC 8693 §4.1);
    ``consent`` is the person's consent that it ends with, ``algorithm`` what signed it.
    """

    issuer: str
    subject: str
    audience: tuple[str, ...]
    client_id: str
    token_id: str
    issued_at: int
    expires_at: int
    scopes: frozenset[str]
    session_id: str | None
    org_id: str
    level: int
    auth_time: int
    family: str | None = None
    key: str | None = None
    mandate: str | None = None
    agent: str | None = None
    consent: str | None = None
    algorithm: TokenAlgorithm = ES256


@dataclass(frozen=True, slots=True)
class TokenContent:
    """What an access token says beside its client and session.

    ``consent`` names the consent it hangs on, "" where its application needs none; ``acting``
    is for whom its session acts, as it stood when the issue was recorded.
    """

    token_id: str
    scopes: frozenset[str]
    family: bytes | None = None
    key: str | None = None
    consent: str = ""
    acting: ActingContext | None = None


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """Authorization parameters pushed by their client (RFC 9126); ``digest`` of the reference."""

    digest: bytes
    org_id: str
    client_id: str
    parameters: str
    expires_at: int


DeviceGrantState = Literal["pending", "approved", "denied", "used"]


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """A device that waits for its person (RFC 8628); ``pause`` (µs) between its questions.

    ``digest`` is SHA-256 of the device code, ``user_code`` a keyed hash, ``place`` the
    address it asked from, ``session_id`` the session of whoever approved.
    """

    digest: bytes
    user_code: bytes
    org_id: str
    client_id: str
    scopes: frozenset[str]
    place: str
    state: DeviceGrantState
    pause: int
    polled_at: int
    created_at: int
    expires_at: int
    session_id: str | None = None


NoticeState = Literal["waiting", "delivered", "silent"]


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """That a session ended, for one application that knew it (Back-Channel Logout 1.0)."""

    id: str
    org_id: str
    client_id: str
    session_id: str
    account_id: str
    state: NoticeState
    tries: int
    next_at: int
    created_at: int
    trouble: str = ""
