"""An OpenID provider upstream: authorization code with PKCE, as a confidential client."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Final
from urllib.parse import urlencode

from iam.core.openid.discovery import ProviderMetadata, discovery_url, read_metadata
from iam.core.openid.id_token import Expected, token_kid, verify_id_token
from iam.core.openid.keys import read_keys
from iam.core.rfc7636.pkce import challenge_of
from iam.errors import UpstreamDown, UpstreamRefused
from iam.models.upstream import (
    Handshake,
    OidcSettings,
    Standing,
    UpstreamCheck,
    UpstreamProof,
)
from iam.ports import Outbound
from iam.service.upstream.kinds.fetching import (
    ask_standing,
    basic,
    get,
    json_object,
    post_form,
    text_of,
)
from secops.kernel.clock import HOUR, MINUTE, SECOND, Clock
from secops.kernel.errors import SecopsError

_OK: Final = 200
_MAX_CODE: Final = 2_048


class OidcUpstream:
    """Asks one provider; keeps its metadata for an hour and its keys until a new ``kid``."""

    def __init__(
        self, settings: OidcSettings, secret: bytes, outbound: Outbound, clock: Clock
    ) -> None:
        self._settings = settings
        self._secret = secret.decode()
        self._outbound = outbound
        self._clock = clock
        self._lock = Lock()
        self._metadata: tuple[int, ProviderMetadata] | None = None
        self._keys: tuple[int, Mapping[str, Any]] | None = None

    def begin(self, handshake: Handshake) -> str:
        """Return the authorization request (OIDC Core §3.1.2.1); raise ``UpstreamDown``."""
        metadata = self._discover()
        parameters = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": handshake.callback,
            "scope": " ".join(self._settings.scopes),
            "state": handshake.state,
            "nonce": handshake.nonce,
            "code_challenge": challenge_of(handshake.verifier),
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{mark}{urlencode(parameters)}"

    def complete(self, handshake: Handshake, parameters: Mapping[str, str]) -> UpstreamProof:
        """Redeem the code and check the ID token; raise ``UpstreamRefused`` or ``…Down``."""
        metadata = self._discover()
        self._check_answer(metadata, handshake, parameters)
        tokens = self._redeem(metadata, handshake, parameters["code"])
        token = tokens.get("id_token")
        if not isinstance(token, str):
            msg = "the provider gave no ID token"
            raise UpstreamRefused(msg)
        claims = self._verified(metadata, token, handshake.nonce)
        return self._proof(claims, self._more(metadata, claims, tokens))

    def check(self) -> Sequence[UpstreamCheck]:
        """Read metadata and keys."""
        checks = []
        asked: list[tuple[str, Callable[[], object]]] = [
            ("metadata", self._discover),
            ("keys", lambda: self._key_set(self._discover(), "", fresh=True)),
        ]
        for what, ask in asked:
            try:
                found = ask()
            except SecopsError as error:
                checks.append(UpstreamCheck(what, ok=False, why=error.detail))
            else:
                checks.append(UpstreamCheck(what, ok=bool(found), why="" if found else "none fit"))
        return checks

    def standing(self, subject: str) -> Standing:
        """Ask the status address, where one is set."""
        credentials = (self._settings.client_id, self._secret)
        return ask_standing(self._outbound, self._settings.status_url, credentials, subject)

    def _discover(self) -> ProviderMetadata:
        settings, now = self._settings, self._clock.now()
        known = self._metadata
        if known is not None and now - known[0] < HOUR:
            return known[1]
        content = get(self._outbound, discovery_url(settings.issuer))
        try:
            found = read_metadata(content, settings.issuer, settings.jwks_uri, settings.algorithm)
        except UpstreamRefused as error:
            raise UpstreamDown(error.detail) from error
        self._metadata = (now, found)
        return found

    def _check_answer(
        self, metadata: ProviderMetadata, handshake: Handshake, parameters: Mapping[str, str]
    ) -> None:
        given = parameters.get("state", "")
        if not hmac.compare_digest(given.encode(), handshake.state.encode()):
            msg = "the answer belongs to another sign-in"
            raise UpstreamRefused(msg)
        issuer = parameters.get("iss")
        # RFC 9207 §2.4: another provider's answer must not reach this one's token endpoint
        if issuer != self._settings.issuer and (issuer is not None or metadata.names_issuer):
            msg = "the answer comes from another provider"
            raise UpstreamRefused(msg)
        if "error" in parameters or not 0 < len(parameters.get("code", "")) <= _MAX_CODE:
            msg = "the provider refused"
            raise UpstreamRefused(msg)

    def _redeem(
        self, metadata: ProviderMetadata, handshake: Handshake, code: str
    ) -> Mapping[str, Any]:
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": handshake.callback,
            "code_verifier": handshake.verifier,
        }
        headers: Mapping[str, str] = {}
        if settings.authentication == "basic":
            headers = basic(settings.client_id, self._secret)
        else:
            form |= {"client_id": settings.client_id, "client_secret": self._secret}
        status, body = post_form(self._outbound, metadata.token_endpoint, form, headers)
        if status != _OK:
            msg = f"the provider's token endpoint answered {status}"
            raise UpstreamRefused(msg)
        return json_object(body)

    def _verified(self, metadata: ProviderMetadata, token: str, nonce: str) -> Mapping[str, Any]:
        settings = self._settings
        expected = Expected(
            issuer=settings.issuer,
            client_id=settings.client_id,
            algorithm=settings.algorithm,
            nonce=nonce,
            now=self._clock.now() // SECOND,
        )
        kid = token_kid(token, settings.algorithm)
        return verify_id_token(token, self._key_set(metadata, kid), expected)

    def _key_set(
        self, metadata: ProviderMetadata, kid: str, *, fresh: bool = False
    ) -> Mapping[str, Any]:
        """Return the keys; an unknown ``kid`` has them read again, at most once a minute."""
        with self._lock:
            known, now = self._keys, self._clock.now()
            enough = known is not None and (kid in known[1] or now - known[0] < MINUTE)
            if known is not None and enough and not fresh and now - known[0] < HOUR:
                return known[1]
            keys = read_keys(get(self._outbound, metadata.jwks_uri), self._settings.algorithm)
            self._keys = (now, keys)
            return keys

    def _more(
        self, metadata: ProviderMetadata, claims: Mapping[str, Any], tokens: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the claims, with userinfo's where that is wanted (OIDC Core §5.3.4)."""
        if not self._settings.userinfo:
            return claims
        access = tokens.get("access_token")
        if not isinstance(access, str) or not metadata.userinfo_endpoint:
            msg = "the provider offers no userinfo"
            raise UpstreamRefused(msg)
        headers = {"authorization": f"Bearer {access}"}
        told = json_object(get(self._outbound, metadata.userinfo_endpoint, headers))
        if told.get("sub") != claims["sub"]:
            msg = "userinfo speaks of somebody else"
            raise UpstreamRefused(msg)
        return {**told, **claims}

    def _proof(self, claims: Mapping[str, Any], told: Mapping[str, Any]) -> UpstreamProof:
        settings = self._settings
        assurance = None
        if settings.acr_levels:
            assurance = min(settings.acr_levels.get(text_of(claims, "acr"), 1), 2)
        level, until = _level(told, settings.level_claim)
        return UpstreamProof(
            issuer=settings.issuer,
            subject=claims["sub"],
            id_number=text_of(told, settings.id_number_claim),
            credit_code=text_of(told, settings.credit_code_claim),
            level=level,
            level_until=until,
            assurance=assurance,
            left=bool(settings.disabled_claim) and told.get(settings.disabled_claim) is True,
        )


def _level(told: Mapping[str, Any], name: str) -> tuple[str, int | None]:
    """Return the word of a real-name level and its end, if it has one.

    A claim like our own, {scheme, level, exp}, gives the word ``scheme:level``.
    """
    value = told.get(name) if name else None
    if not isinstance(value, Mapping):
        return text_of(told, name), None
    until = value.get("exp")
    word = f"{text_of(value, 'scheme')}:{text_of(value, 'level')}"
    return word, until * SECOND if type(until) is int else 0
