"""A CAS 3.0 server upstream: a service ticket, validated by asking it (CAS 3.0 §2.5)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from iam.core.cas30.validation import read_answer
from iam.errors import UpstreamDown, UpstreamRefused
from iam.models.upstream import (
    CasSettings,
    Handshake,
    Standing,
    UpstreamCheck,
    UpstreamProof,
)
from iam.ports import Outbound
from iam.service.upstream.kinds.fetching import ask_standing, get

_TICKET: Final = re.compile(r"ST-[A-Za-z0-9._-]{1,253}", re.ASCII)


class CasUpstream:
    """Sends people to the server and asks it about the ticket they come back with."""

    def __init__(self, settings: CasSettings, secret: bytes, outbound: Outbound) -> None:
        self._settings = settings
        self._secret = secret
        self._outbound = outbound

    def begin(self, handshake: Handshake) -> str:
        """Return the server's login address for our service."""
        parameters = {"service": self._service(handshake)}
        if self._settings.renew:
            parameters["renew"] = "true"
        return f"{self._server}/login?{urlencode(parameters)}"

    def complete(self, handshake: Handshake, parameters: Mapping[str, str]) -> UpstreamProof:
        """Validate the ticket; raise ``UpstreamRefused`` or ``UpstreamDown``."""
        given = parameters.get("state", "")
        if not hmac.compare_digest(given.encode(), handshake.state.encode()):
            msg = "the answer belongs to another sign-in"
            raise UpstreamRefused(msg)
        ticket = parameters.get("ticket", "")
        if _TICKET.fullmatch(ticket) is None:
            msg = "that is no service ticket"
            raise UpstreamRefused(msg)
        # the service is made from our own settings, never from the request's Host
        asked = {"service": self._service(handshake), "ticket": ticket}
        if self._settings.renew:
            asked["renew"] = "true"
        answer = get(self._outbound, f"{self._server}/p3/serviceValidate?{urlencode(asked)}")
        user = read_answer(answer)
        settings = self._settings
        subject = user.one(settings.subject_attribute) if settings.subject_attribute else user.user
        if not subject:
            msg = "the answer has no subject"
            raise UpstreamRefused(msg)
        return UpstreamProof(
            issuer=settings.server_url,
            subject=subject,
            id_number=user.one(settings.id_number_attribute),
            credit_code=user.one(settings.credit_code_attribute),
            level=user.one(settings.level_attribute),
            left=user.one(settings.disabled_attribute).lower() == "true",
        )

    def check(self) -> Sequence[UpstreamCheck]:
        """Validate a ticket that nobody was given: a CAS server refuses it in its own words."""
        asked = urlencode({"service": "https://invalid.example/", "ticket": "ST-0-test"})
        try:
            read_answer(get(self._outbound, f"{self._server}/p3/serviceValidate?{asked}"))
        except UpstreamDown as error:
            return [UpstreamCheck("server", ok=False, why=error.detail)]
        except UpstreamRefused as error:
            ours = error.detail.startswith("the ticket was refused")
            return [UpstreamCheck("server", ok=ours, why="" if ours else error.detail)]
        return [UpstreamCheck("server", ok=False, why="a ticket nobody was given is accepted")]

    def standing(self, subject: str) -> Standing:
        """Ask the status address, where one is set; the server knows us by our secret."""
        credentials = ("cas", self._secret.decode())
        return ask_standing(self._outbound, self._settings.status_url, credentials, subject)

    @property
    def _server(self) -> str:
        return self._settings.server_url.rstrip("/")

    @staticmethod
    def _service(handshake: Handshake) -> str:
        return f"{handshake.callback}?{urlencode({'state': handshake.state})}"
