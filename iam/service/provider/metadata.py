"""What the provider says about itself (OIDC Discovery 1.0, RFC 8414)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from iam.core.openid.consent import LEGAL_PERSON, REAL_NAME
from iam.core.rfc7515.jws import ALGORITHMS
from iam.core.rfc9470.demands import LEVELS
from iam.models.clients import DEVICE_GRANT
from iam.models.sessions import acr_of
from iam.service.means import Means
from iam.service.provider.tokens import KeyRing

_CONFIDENTIAL: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt")
_ENDPOINTS: Final = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "pushed_authorization_request_endpoint": "par",
    "device_authorization_endpoint": "device_authorization",
    "introspection_endpoint": "introspect",
    "revocation_endpoint": "revoke",
    "userinfo_endpoint": "userinfo",
    "jwks_uri": "jwks",
    "end_session_endpoint": "logout",
    "registration_endpoint": "register",
}
_CLAIMS: Final = (
    "sub",
    "sid",
    "acr",
    "amr",
    "auth_time",
    "org",
    "preferred_username",
    "roles",
    "real_name_level",
    "credit_code",
)


@dataclass(frozen=True, slots=True)
class MetadataService:
    """Discovery and keys. Everything said here is served, and tested from here."""

    means: Means
    ring: KeyRing

    def discovery(self) -> dict[str, Any]:
        """Return the provider's metadata; both well-known addresses answer alike."""
        issuer = self.means.options.issuer
        return {
            "issuer": issuer,
            **{name: f"{issuer}/oauth2/{path}" for name, path in _ENDPOINTS.items()},
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                "client_credentials",
                DEVICE_GRANT,
            ],
            "subject_types_supported": ["pairwise", "public"],
            "id_token_signing_alg_values_supported": list(self.ring.algorithms),
            **self._authentication(),
            "dpop_signing_alg_values_supported": list(ALGORITHMS),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "require_pushed_authorization_requests": False,
            "acr_values_supported": [acr_of(level) for level in LEVELS],
            "prompt_values_supported": ["none", "login", "consent"],
            "scopes_supported": ["openid", "profile", REAL_NAME, LEGAL_PERSON],
            "claims_supported": list(_CLAIMS),
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "ui_locales_supported": ["zh-CN", "en"],
        }

    @staticmethod
    def _authentication() -> dict[str, Any]:
        """Return how clients authenticate at each endpoint where they do."""
        found: dict[str, Any] = {}
        for endpoint, public in (("token", True), ("revocation", True), ("introspection", False)):
            methods = [*_CONFIDENTIAL, "none"] if public else list(_CONFIDENTIAL)
            found[f"{endpoint}_endpoint_auth_methods_supported"] = methods
            found[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
        return found

    def jwks(self) -> dict[str, Any]:
        """Return the published keys."""
        return self.ring.jwks()
