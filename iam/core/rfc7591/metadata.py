"""Client metadata (RFC 7591 §2, and its extensions by RFC 9126, RFC 9449 and OpenID Connect)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from iam.errors import InvalidClientMetadata
from iam.models.clients import ES256, Client, ConsentRule, NewClient
from iam.models.real_name import NO_DEMAND
from iam.models.sessions import ACR_PREFIX, acr_of

MAX_NAME: Final = 120
_METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
_UNSERVED: Final = ("software_statement", "tls_client_certificate_bound_access_tokens")
_SIGNED: Final = {"subject_type": "pairwise"}
"""Where a client chooses, it can choose one thing."""


def read_metadata(client_id: str, given: Mapping[str, Any]) -> NewClient:
    """Return the application that ``given`` describes; raise ``InvalidClientMetadata``.

    Members we don't know are left out, as §2 wants; those we know and don't serve are refused.
    """
    for name in _UNSERVED:
        if name in given:
            msg = f"{name} is not served"
            raise InvalidClientMetadata(msg)
    for name, served in _SIGNED.items():
        if given.get(name, served) != served:
            msg = f"{name} is {served}"
            raise InvalidClientMetadata(msg)
    if _texts(given, "response_types", ("code",)) != ("code",):
        msg = "response_types is code"
        raise InvalidClientMetadata(msg)
    method = _text(given, "token_endpoint_auth_method", "client_secret_basic")
    if method not in _METHODS:
        msg = f"token_endpoint_auth_method is one of {', '.join(_METHODS)}"
        raise InvalidClientMetadata(msg)
    new = NewClient(
        id=client_id,
        name=(_text(given, "client_name", "") or client_id)[:MAX_NAME],
        redirect_uris=_texts(given, "redirect_uris"),
        grants=frozenset(_texts(given, "grant_types", ("authorization_code",))),
        scopes=frozenset(str(_text(given, "scope", "openid")).split()),
        logout_uris=_texts(given, "post_logout_redirect_uris"),
        public=method == "none",
        assertion_alg=_text(given, "token_endpoint_auth_signing_alg"),
        jwks=_keys(given),
        jwks_uri=_text(given, "jwks_uri"),
        dpop_bound=_flag(given, "dpop_bound_access_tokens"),
        par_required=_flag(given, "require_pushed_authorization_requests"),
        level=_level(given),
        max_age=_age(given),
        back_channel_uri=_text(given, "backchannel_logout_uri"),
        sector=_sector(given),
        token_alg=_text(given, "id_token_signed_response_alg", ES256),
        consent=_consent(given),
        real_name_level=_text(given, "default_real_name_level", NO_DEMAND),
    )
    if (method == "private_key_jwt") != (new.auth_method == "private_key_jwt"):
        msg = "private_key_jwt needs jwks or jwks_uri, and they belong to nothing else"
        raise InvalidClientMetadata(msg)
    return _fapi(new, given)


def _fapi(new: NewClient, given: Mapping[str, Any]) -> NewClient:
    profile = _text(given, "profile", "standard")
    if profile not in ("standard", "fapi2"):
        msg = "profile is standard or fapi2"
        raise InvalidClientMetadata(msg)
    return replace(new, profile="fapi2") if profile == "fapi2" else new


def _consent(given: Mapping[str, Any]) -> ConsentRule:
    """Return whether it asks people; by an approved request it need not."""
    value = _text(given, "consent", "none")
    if value not in ("none", "ask"):
        msg = "consent is none or ask"
        raise InvalidClientMetadata(msg)
    return "ask" if value == "ask" else "none"


def _text(given: Mapping[str, Any], name: str, default: str | None = None) -> Any:
    value = given.get(name, default)
    if value is not None and not isinstance(value, str):
        msg = f"{name} is a text"
        raise InvalidClientMetadata(msg)
    return value


def _texts(given: Mapping[str, Any], name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    value = given.get(name, list(default))
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        msg = f"{name} is a list of texts"
        raise InvalidClientMetadata(msg)
    return tuple(value)


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        msg = f"{name} is true or false"
        raise InvalidClientMetadata(msg)
    return value


def _keys(given: Mapping[str, Any]) -> str | None:
    keys = given.get("jwks")
    if keys is None:
        return None
    if not isinstance(keys, dict):
        msg = "jwks is a JWK set"
        raise InvalidClientMetadata(msg)
    return orjson.dumps(keys).decode()


def _level(given: Mapping[str, Any]) -> int:
    values = _texts(given, "default_acr_values", (acr_of(1),))
    found = [int(value[-1]) for value in values if value[:-1] == ACR_PREFIX and value[-1] in "123"]
    if not found:
        msg = f"default_acr_values are of {acr_of(1)} to 3"
        raise InvalidClientMetadata(msg)
    return min(found)


def _age(given: Mapping[str, Any]) -> int | None:
    value = given.get("default_max_age")
    if value is not None and type(value) is not int:
        msg = "default_max_age is a number of seconds"
        raise InvalidClientMetadata(msg)
    return value


def _sector(given: Mapping[str, Any]) -> str | None:
    """Return the host that applications of one owner share (OIDC Core §8.1)."""
    address = _text(given, "sector_identifier_uri")
    if address is None:
        return None
    parts = urlsplit(str(address))
    if parts.scheme != "https" or not parts.hostname:
        msg = "sector_identifier_uri is an https address"
        raise InvalidClientMetadata(msg)
    return parts.hostname


def describe_client(client: Client) -> dict[str, Any]:
    """Return a registered application's metadata, without its secret (RFC 7591 §3.2.1)."""
    methods = {"client_secret": "client_secret_basic"}
    described: dict[str, Any] = {
        "client_id": client.id,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.logout_uris),
        "grant_types": sorted(client.grants),
        "response_types": ["code"] if "authorization_code" in client.grants else [],
        "scope": " ".join(sorted(client.scopes)),
        "token_endpoint_auth_method": methods.get(client.auth_method, client.auth_method),
        "dpop_bound_access_tokens": client.dpop_bound,
        "require_pushed_authorization_requests": client.par_required,
        "default_acr_values": [acr_of(client.level)],
        "default_real_name_level": client.real_name_level,
        "profile": client.profile,
        "consent": client.consent,
        "subject_type": "pairwise",
        "id_token_signed_response_alg": client.token_alg,
    }
    optional = {
        "jwks": None if client.jwks is None else orjson.loads(client.jwks),
        "jwks_uri": client.jwks_uri,
        "token_endpoint_auth_signing_alg": client.assertion_alg,
        "default_max_age": client.max_age,
        "backchannel_logout_uri": client.back_channel_uri,
    }
    described |= {name: value for name, value in optional.items() if value is not None}
    if client.back_channel_uri is not None:
        described["backchannel_logout_session_required"] = True
    return described
