"""Short messages through a gateway's webhook: signed JSON over the guarded way out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from iam.errors import MessageNotSent
from iam.models.messages import CarriedMessage, Channel
from iam.ports import Outbound
from secops.crypto.signed_posts import signed_post
from secops.kernel.clock import Clock
from secops.kernel.errors import SecopsError

TIMEOUT_SECONDS: Final = 5.0
_TAKEN: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class MessageGateway:
    """Posts ``{"to", "template", "parameters", "text", "key"}`` to ``url``.

    A gateway that keeps its own approved texts takes ``template`` and ``parameters``, another
    ``text``. ``key`` is the same at every repeat and stands in ``idempotency-key`` too.
    """

    outbound: Outbound
    clock: Clock
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)

    @property
    def channel(self) -> Channel:
        """Short messages."""
        return "sms"

    def carry(self, message: CarriedMessage) -> None:
        """Hand it over; raise ``MessageNotSent`` unless the gateway answers 2xx in time."""
        content = {
            "to": message.to,
            "template": message.template,
            "parameters": dict(message.parameters),
            "text": message.text,
            "key": message.key,
        }
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"content-type": "application/json", "idempotency-key": message.key}
        if self.secret:
            headers |= [signed_post(self.secret, body, self.clock.now())]
        try:
            status, _ = self.outbound.post(self.url, body, headers, timeout=TIMEOUT_SECONDS)
        except SecopsError as error:
            # what the client says names the gateway's host at most, but the cause may say more
            msg = f"the gateway did not take it: {error.code}"
            raise MessageNotSent(msg) from None
        if status not in _TAKEN:
            msg = f"the gateway answered {status}"
            raise MessageNotSent(msg)
