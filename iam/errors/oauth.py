"""Refusals in the words of OAuth 2 and OpenID Connect."""

from __future__ import annotations

from typing import ClassVar

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, SecopsError


class OAuthRefused(SecopsError):
    """A refusal in the words of RFC 6749; ``oauth_error`` is the protocol's own code."""

    code = "iam.oauth_refused"
    status = 400
    exit_code = 2
    title = Text("授权请求被拒绝", "The authorization request was refused")
    remedy = Text("请按接入手册更正请求。", "Correct the request as the manual describes.")
    oauth_error: ClassVar[str] = "invalid_request"

    def __init__(self, detail: str = "", **facts: str | int | None) -> None:
        """Keep ``detail`` and put the protocol's code among the facts."""
        super().__init__(detail, oauth_error=self.oauth_error, **facts)


class InvalidRequest(OAuthRefused):
    """A parameter is missing, repeated, unsupported or malformed."""

    code = "iam.oauth_invalid_request"
    oauth_error = "invalid_request"


class InvalidClient(OAuthRefused):
    """The client did not authenticate."""

    code = "iam.oauth_invalid_client"
    status = 401
    exit_code = 4
    oauth_error = "invalid_client"
    title = Text("应用认证失败", "The client did not authenticate")
    remedy = Text("请核对应用编号和密钥。", "Check the client's id and secret.")


class InvalidGrant(OAuthRefused):
    """The code or refresh token is wrong, used, expired or somebody else's."""

    code = "iam.oauth_invalid_grant"
    oauth_error = "invalid_grant"
    title = Text("授权码或刷新令牌无效", "The grant is not valid")
    remedy = Text("请重新发起登录。", "Start the sign-in again.")


class UnauthorizedClient(OAuthRefused):
    """The client is not registered for this grant."""

    code = "iam.oauth_unauthorized_client"
    oauth_error = "unauthorized_client"


class UnsupportedGrantType(OAuthRefused):
    """The grant type is none of ours."""

    code = "iam.oauth_unsupported_grant_type"
    oauth_error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthRefused):
    """Only ``response_type=code`` is served."""

    code = "iam.oauth_unsupported_response_type"
    oauth_error = "unsupported_response_type"


class InvalidScope(OAuthRefused):
    """A scope is unknown or not registered for the client."""

    code = "iam.oauth_invalid_scope"
    oauth_error = "invalid_scope"


class InvalidTarget(OAuthRefused):
    """The client may not ask for tokens for this resource (RFC 8707)."""

    code = "iam.oauth_invalid_target"
    oauth_error = "invalid_target"


class AccessDenied(OAuthRefused):
    """Policy refuses: the subject's risk is too high or it was revoked."""

    code = "iam.oauth_access_denied"
    status = 403
    exit_code = 4
    oauth_error = "access_denied"
    title = Text("策略拒绝签发", "Policy refuses to issue")
    remedy = Text("请联系安全管理员。", "Ask the security administrator.")


class LoginRequired(OAuthRefused):
    """``prompt=none``, and nobody is signed in (OIDC Core 3.1.2.6)."""

    code = "iam.oauth_login_required"
    oauth_error = "login_required"


class RedirectRefused(Invalid):
    """Client or redirect URI is unknown: the browser is not sent anywhere (RFC 6749 4.1.2.1)."""

    code = "iam.redirect_refused"
    title = Text("应用或回调地址未登记", "The application or its address is not registered")
    remedy = Text(
        "请勿继续;请向提供该链接的系统反映。", "Do not go on; tell whoever gave you the link."
    )
