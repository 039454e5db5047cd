"""Pushed authorization requests (RFC 9126): checked before a browser carries anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from iam.core.base64url import encode
from iam.core.rfc6749.authorize import check_authorization, redirect_target
from iam.core.rfc9126.reference import digest_of_reference, write_reference
from iam.errors import InvalidRequest, RedirectRefused, RequestUriRefused
from iam.models.clients import Client, ClientCredentials
from iam.models.grants import PushedRequest
from iam.service.means import Means
from iam.service.provider.authentication import CallerService
from iam.service.provider.directory import actor_of_client
from secops.kernel.clock import SECOND
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_PARAMETERS: Final = 4_000
PARAMETERS: Final = frozenset(
    {
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "prompt",
        "max_age",
        "acr_values",
        "id_token_hint",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
        "request",
        "request_uri",
        "registration",
    }
)
"""What an authorization request is made of; everything else is ignored (RFC 6749 §3.1)."""


@dataclass(frozen=True, slots=True)
class PushService:
    """Keeps pushed requests and gives them back, each once."""

    means: Means
    callers: CallerService

    def push(
        self, credentials: ClientCredentials, parameters: Mapping[str, str]
    ) -> tuple[str, int]:
        """Check and keep a request; return its ``request_uri`` and seconds to live.

        Raises a branch of ``OAuthRefused``; whatever is wrong is told here, to the client.
        """
        client, key = self.callers.authenticate(credentials)
        known = {name: value for name, value in parameters.items() if name in PARAMETERS}
        if sum(map(len, known.values())) > MAX_PARAMETERS:
            msg = "the request is too long"
            raise InvalidRequest(msg)
        if "request_uri" in known:
            msg = "a pushed request names no other request"
            raise InvalidRequest(msg)
        known["client_id"] = client.id
        if key is not None and known.setdefault("dpop_jkt", key) != key:
            msg = "dpop_jkt is not the key of the DPoP proof"
            raise InvalidRequest(msg)
        self._check(client, known)
        secret = encode(self.means.random(32))
        lifetime = self.means.options.lifetimes.pushed_request
        reference = write_reference(secret)
        stored = PushedRequest(
            digest=digest_of_reference(reference) or b"",
            org_id=client.org_id,
            client_id=client.id,
            parameters=orjson.dumps(known).decode(),
            expires_at=self.means.now + lifetime,
        )

        def work(tx: Transaction) -> None:
            self.means.stores.pushed.add(tx, stored)
            actor = actor_of_client(client, frozenset())
            tx.record(Act("iam.push_authorization", actor, f"client:{client.id}"))

        self.means.parts.transactions.run(work)
        return reference, lifetime // SECOND

    @staticmethod
    def _check(client: Client, parameters: Mapping[str, str]) -> None:
        try:
            target = redirect_target(client, parameters.get("redirect_uri"))
        except RedirectRefused as error:
            raise InvalidRequest(error.detail) from error
        check_authorization(parameters, client, target)

    def take(self, request_uri: str, client_id: str) -> Mapping[str, str]:
        """Consume a request; raise ``RequestUriRefused`` if it is not this client's to use."""
        digest = digest_of_reference(request_uri)
        text = None
        if digest is not None:
            take = self.means.stores.pushed.take
            text = self.means.parts.transactions.run(lambda tx: take(tx, digest, client_id))
        if text is None:
            msg = "the pushed request is unknown, used or expired"
            raise RequestUriRefused(msg)
        parameters: dict[str, str] = orjson.loads(text)
        return parameters
