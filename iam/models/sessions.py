"""Sessions at the provider and at its relying parties."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from iam.models.factors import CertificateAttempt

ACR_PREFIX: Final = "urn:secops:aal:"


def acr_of(level: int) -> str:
    """Return an authentication level as a claim."""
    return f"{ACR_PREFIX}{level}"


@dataclass(frozen=True, slots=True)
class OpSession:
    """A sign-in. ``digest`` is SHA-256 of the cookie; ``amr`` are RFC 8176 words."""

    id: str
    digest: bytes
    org_id: str
    account_id: str
    auth_time: int
    level: int
    amr: tuple[str, ...]
    last_seen: int
    idle: int
    expires_at: int
    address: str
    ended_at: int | None = None

    @property
    def acr(self) -> str:
        """The authentication level reached, as a claim."""
        return acr_of(self.level)

    def alive(self, now: int) -> bool:
        """Tell whether the session may be used at ``now``."""
        return self.ended_at is None and now < self.expires_at and now - self.last_seen < self.idle


@dataclass(frozen=True, slots=True)
class RpSession:
    """A session of the console, command line or a site that hangs on an ``OpSession``.

    ``consent_id`` is the consent it hangs on too, where its application asks for one.
    """

    digest: bytes
    session_id: str
    client_id: str
    created_at: int
    consent_id: str | None = None


@dataclass(frozen=True, slots=True)
class PasswordAttempt:
    """Somebody gives a name and a password, from an address.

    ``device`` is the cookie an earlier sign-in left in this browser, if any: it keeps the
    owner in while others guess.
    """

    name: str
    password: str = field(repr=False)
    address: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class FactorAttempt:
    """The second step: the reference of the first, and a TOTP or recovery code.

    ``device`` is the cookie an earlier sign-in left in this browser, ``user_agent`` what it
    calls itself: both only tell how usual the sign-in is.
    """

    reference: str = field(repr=False)
    code: str = field(repr=False)
    address: str
    new_password: str | None = field(default=None, repr=False)
    user_agent: str = ""
    device: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session was opened; ``cookie`` is for the browser and kept nowhere.

    ``device`` is for a cookie of 90 days that the next ``PasswordAttempt`` brings along.
    """

    cookie: str = field(repr=False)
    session: OpSession
    account_name: str
    device: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ConsoleStart:
    """Send the browser to ``location`` and keep ``cookie`` until the callback."""

    location: str
    cookie: str


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """The console's session: put ``cookie`` into the browser, go to ``return_to``."""

    cookie: str
    return_to: str
    session_id: str


@dataclass(frozen=True, slots=True)
class StepUpAttempt:
    """One more factor in a living session: a code, a passkey's answer, or a certificate.

    ``reference`` is the question that ``answer`` is to. ``cookie`` is the relying party's own,
    which is replaced together with the provider's.
    """

    cookie: str = field(repr=False)
    address: str
    code: str = field(default="", repr=False)
    reference: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)
    device: str = field(default="", repr=False)
    certificate: CertificateAttempt | None = None


@dataclass(frozen=True, slots=True)
class SteppedUp:
    """The session goes on under new cookies (session fixation)."""

    op_cookie: str = field(repr=False)
    rp_cookie: str = field(repr=False)
    level: int
