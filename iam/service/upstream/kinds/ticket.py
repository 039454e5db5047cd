"""A provincial platform that sends people back with a ticket (SM2-signed, SM4-encrypted)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from iam.core.upstream_ticket.verify import KEY_BYTES, open_ticket
from iam.errors import UpstreamDown, UpstreamRefused
from iam.models.upstream import (
    Handshake,
    Standing,
    TicketSettings,
    UpstreamCheck,
    UpstreamProof,
)
from iam.ports import Outbound
from iam.service.upstream.kinds.fetching import ask_standing, get
from secops.crypto import sm2
from secops.kernel.clock import SECOND, Clock
from secops.kernel.errors import SecopsError


class TicketUpstream:
    """Sends people to the platform and opens the ticket they come back with.

    The secret is the SM4 key in hex.
    """

    def __init__(
        self, settings: TicketSettings, secret: bytes, outbound: Outbound, clock: Clock
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._outbound = outbound
        self._clock = clock

    def begin(self, handshake: Handshake) -> str:
        """Return the platform's address with ours to come back to."""
        settings = self._settings
        parameters = {
            settings.application_parameter: settings.application,
            settings.return_parameter: self._back(handshake),
        }
        return f"{settings.login_url}?{urlencode(parameters)}"

    def complete(self, handshake: Handshake, parameters: Mapping[str, str]) -> UpstreamProof:
        """Open the ticket; raise ``UpstreamRefused``."""
        given = parameters.get("state", "")
        if not hmac.compare_digest(given.encode(), handshake.state.encode()):
            msg = "the answer belongs to another sign-in"
            raise UpstreamRefused(msg)
        ticket = parameters.get(self._settings.ticket_parameter, "")
        now = self._clock.now() // SECOND
        opened = open_ticket(self._settings, ticket, self._key(), handshake.state, now)
        once = hashlib.sha256(f"{self._settings.issuer}|{opened.identifier}".encode()).digest()
        return UpstreamProof(
            issuer=self._settings.issuer,
            subject=opened.subject,
            id_number=opened.id_number,
            credit_code=opened.credit_code,
            level=opened.level,
            left=opened.left,
            once=once,
            once_until=opened.expires_at * SECOND,
        )

    def check(self) -> Sequence[UpstreamCheck]:
        """Look at the keys, and whether the platform's sign-in page answers."""
        checks = []
        try:
            sm2.PublicKey.from_point(bytes.fromhex(self._settings.public_key))
            checks.append(UpstreamCheck("public_key", ok=True))
        except SecopsError as error:
            checks.append(UpstreamCheck("public_key", ok=False, why=error.detail))
        try:
            self._key()
            checks.append(UpstreamCheck("secret", ok=True))
        except UpstreamRefused as error:
            checks.append(UpstreamCheck("secret", ok=False, why=error.detail))
        try:
            get(self._outbound, self._settings.login_url)
            checks.append(UpstreamCheck("login_url", ok=True))
        except UpstreamDown as error:
            checks.append(UpstreamCheck("login_url", ok=False, why=error.detail))
        return checks

    def standing(self, subject: str) -> Standing:
        """Ask the status address, where one is set, as the application with its key."""
        credentials = (self._settings.application, self._secret.decode())
        return ask_standing(self._outbound, self._settings.status_url, credentials, subject)

    def _back(self, handshake: Handshake) -> str:
        return f"{handshake.callback}?{urlencode({'state': handshake.state})}"

    def _key(self) -> bytes:
        try:
            key = bytes.fromhex(self._secret.decode())
        except ValueError as error:
            msg = "the secret is not hex"
            raise UpstreamRefused(msg) from error
        if len(key) != KEY_BYTES:
            msg = f"an SM4 key has {KEY_BYTES} bytes"
            raise UpstreamRefused(msg)
        return key
