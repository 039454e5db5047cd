"""What the provider says about itself (OIDC Discovery 1.0, RFC 8414) and logs people out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iam.core.rfc6749.authorize import answer_location
from iam.core.rfc9068.verify import signed_claims
from iam.errors import TokenRefused
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.tokens import KeyRing
from iam.service.sign_on.sessions import SessionService


@dataclass(frozen=True, slots=True)
class MetadataService:
    """Discovery, keys and logout."""

    means: Means
    ring: KeyRing
    directory: ClientDirectory
    sessions: SessionService

    def discovery(self) -> dict[str, Any]:
        """Return the provider's metadata; both well-known addresses answer alike."""
        issuer = self.means.options.issuer
        authentication = ["client_secret_basic", "client_secret_post"]
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth2/authorize",
            "token_endpoint": f"{issuer}/oauth2/token",
            "introspection_endpoint": f"{issuer}/oauth2/introspect",
            "revocation_endpoint": f"{issuer}/oauth2/revoke",
            "userinfo_endpoint": f"{issuer}/oauth2/userinfo",
            "jwks_uri": f"{issuer}/oauth2/jwks",
            "end_session_endpoint": f"{issuer}/oauth2/logout",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                "client_credentials",
            ],
            "subject_types_supported": ["pairwise", "public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": [*authentication, "none"],
            "introspection_endpoint_auth_methods_supported": authentication,
            "revocation_endpoint_auth_methods_supported": [*authentication, "none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "acr_values_supported": ["urn:secops:aal:1", "urn:secops:aal:2"],
            "scopes_supported": ["openid", "profile"],
            "claims_supported": [
                "sub",
                "sid",
                "acr",
                "amr",
                "auth_time",
                "org",
                "preferred_username",
                "roles",
            ],
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }

    def jwks(self) -> dict[str, Any]:
        """Return the published keys."""
        return self.ring.jwks()

    def log_out(self, parameters: Mapping[str, str], cookie: str, *, asked: bool) -> str | None:
        """End the browser's session; return where to go, or None if the person must be asked.

        An ID token of this very session is proof enough (an expired one is fine,
        RP-Initiated Logout 1.0 §2); without it a link on another page could sign people out,
        so then ``asked`` must be true: the request came from a page of ours.
        """
        session = self.sessions.by_cookie(cookie)
        hinted, client_id = self._hint(parameters.get("id_token_hint", ""))
        if session is not None:
            if not asked and hinted != session.id:
                return None
            self.sessions.sign_out(cookie)
        client = self.directory.find(client_id or parameters.get("client_id", ""))
        target = parameters.get("post_logout_redirect_uri", "")
        if client is not None and target in client.logout_uris:
            return answer_location(target, {"state": parameters.get("state")}).removesuffix("?")
        return "/"

    def _hint(self, token: str) -> tuple[str, str]:
        if not token:
            return "", ""
        try:
            claims = signed_claims(token, self.ring.keys_for(token, "JWT"))
        except TokenRefused:
            return "", ""
        return str(claims.get("sid", "")), str(claims.get("aud", ""))
