"""My applications: which I may open now, and why; asked of the policies, not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from iam.core.real_name import demanded_rung, level_text
from iam.models.clients import Client
from iam.models.real_name import NO_DEMAND
from iam.models.zero_trust import OpenableApplication
from iam.service.means import Means
from iam.service.sign_on.sessions import opening_of
from iam.service.zero_trust.decisions import DecisionService
from secops.kernel.actors import Actor
from secops.kernel.pages import PageRequest

MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class ApplicationService:
    """What a person sees of the applications of their organisation."""

    means: Means
    decisions: DecisionService

    def my_applications(self, actor: Actor) -> Sequence[OpenableApplication]:
        """Return the applications people sign in to, each with the decision and its reasons."""
        stores, read = self.means.stores, self.means.parts.transactions.read
        request = PageRequest(limit=MOST_SHOWN)
        page = read(lambda tx: stores.clients.page(tx, actor.org_id, request))
        shown = [client for client in page.items if _opens(client)]
        return [self._look(actor, client) for client in shown]

    def _look(self, actor: Actor, client: Client) -> OpenableApplication:
        decision = self.decisions.consider(opening_of(actor, client.id))
        demand = client.real_name_level
        return OpenableApplication(
            id=client.id,
            name=client.name,
            address=_address(client),
            allowed=decision.allowed,
            reason=decision.reason,
            because=decision.because,
            helps=decision.helps,
            demand=None if demand == NO_DEMAND else level_text(demanded_rung(demand)),
        )


def _opens(client: Client) -> bool:
    return "authorization_code" in client.grants and client.disabled_at is None


def _address(client: Client) -> str:
    """Return where the application lives, as far as its registration tells."""
    for uri in client.redirect_uris:
        parts = urlsplit(uri)
        if parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1"):
            return f"{parts.scheme}://{parts.netloc}/"
    return ""
