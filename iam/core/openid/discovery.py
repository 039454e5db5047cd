"""A provider's metadata (OpenID Connect Discovery 1.0 §4): taken only from the issuer we set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from iam.errors import UpstreamRefused

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What a sign-in needs. ``names_issuer``: answers carry ``iss`` (RFC 9207 §2.3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    names_issuer: bool


def discovery_url(issuer: str) -> str:
    """Return where ``issuer`` publishes its metadata (§4.1)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read_metadata(content: bytes, issuer: str, jwks_uri: str, algorithm: str) -> ProviderMetadata:
    """Return the metadata; raise ``UpstreamRefused``.

    The document's issuer is ours byte for byte (§4.3), or it describes somebody else. A
    ``jwks_uri`` that was configured wins over the published one.
    """
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        msg = "the provider's metadata is not JSON"
        raise UpstreamRefused(msg) from error
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        msg = "the metadata is another issuer's"
        raise UpstreamRefused(msg)
    algorithms = document.get("id_token_signing_alg_values_supported", [algorithm])
    if not isinstance(algorithms, list) or algorithm not in algorithms:
        msg = f"the provider does not sign with {algorithm}"
        raise UpstreamRefused(msg)
    return ProviderMetadata(
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        jwks_uri=jwks_uri or _endpoint(document, "jwks_uri"),
        userinfo_endpoint=(
            _endpoint(document, "userinfo_endpoint") if "userinfo_endpoint" in document else ""
        ),
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if isinstance(value, str) and value.isascii() and "#" not in value and "\\" not in value:
        parts = urlsplit(value)
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if (parts.scheme == "https" and parts.hostname) or plain:
            return value
    msg = f"the provider's {name} is no https address"
    raise UpstreamRefused(msg)
