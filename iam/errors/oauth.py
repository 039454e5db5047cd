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


class RealNameTooLow(AccessDenied):
    """The person's real name is verified less than the application demands."""

    code = "iam.oauth_real_name_too_low"
    title = Text("实名等级不足", "The real name is not verified enough")
    remedy = Text(
        "请在上级身份源或其窗口完成更高等级的实名核验,再由上级身份源登录。",
        "Have your name verified at a higher level with the province's identity centre or at its"
        " counter, then sign in through it.",
    )


class LoginRequired(OAuthRefused):
    """``prompt=none``, and nobody is signed in (OIDC Core 3.1.2.6)."""

    code = "iam.oauth_login_required"
    oauth_error = "login_required"


class ConsentRequired(OAuthRefused):
    """``prompt=none``, and the person has to be asked first (OIDC Core §3.1.2.6)."""

    code = "iam.oauth_consent_required"
    oauth_error = "consent_required"


class ConsentDenied(OAuthRefused):
    """The person said no to the application."""

    code = "iam.oauth_consent_denied"
    oauth_error = "access_denied"


class RedirectRefused(Invalid):
    """Client or redirect URI is unknown: the browser is not sent anywhere (RFC 6749 4.1.2.1)."""

    code = "iam.redirect_refused"
    title = Text("应用或回调地址未登记", "The application or its address is not registered")
    remedy = Text(
        "请勿继续;请向提供该链接的系统反映。", "Do not go on; tell whoever gave you the link."
    )


class InvalidDpopProof(OAuthRefused):
    """The proof of possession is missing or breaks a rule of RFC 9449 §4.3."""

    code = "iam.oauth_invalid_dpop_proof"
    oauth_error = "invalid_dpop_proof"


class UseDpopNonce(OAuthRefused):
    """The proof must hold a nonce of ours; the answer's ``DPoP-Nonce`` is one (RFC 9449 §8)."""

    code = "iam.oauth_use_dpop_nonce"
    oauth_error = "use_dpop_nonce"


class UnmetAuthentication(OAuthRefused):
    """Somebody signed in, and could not reach the level that was asked for (RFC 9470 §5)."""

    code = "iam.oauth_unmet_authentication"
    oauth_error = "unmet_authentication_requirements"


class RequestNotSupported(OAuthRefused):
    """Request objects are not served (OIDC Core §6)."""

    code = "iam.oauth_request_not_supported"
    oauth_error = "request_not_supported"


class RequestUriNotSupported(OAuthRefused):
    """A ``request_uri`` that we did not give out is not fetched (OIDC Core §6.2)."""

    code = "iam.oauth_request_uri_not_supported"
    oauth_error = "request_uri_not_supported"


class RegistrationNotSupported(OAuthRefused):
    """Nobody registers within an authorization request (OIDC Core §7.2.1)."""

    code = "iam.oauth_registration_not_supported"
    oauth_error = "registration_not_supported"


class AuthorizationPending(OAuthRefused):
    """The person has not decided about the device yet (RFC 8628 §3.5)."""

    code = "iam.oauth_authorization_pending"
    oauth_error = "authorization_pending"


class SlowDown(OAuthRefused):
    """The device asks too often: its pause has grown by five seconds (RFC 8628 §3.5)."""

    code = "iam.oauth_slow_down"
    oauth_error = "slow_down"


class DeviceExpired(OAuthRefused):
    """The device code is too old (RFC 8628 §3.5)."""

    code = "iam.oauth_expired_token"
    oauth_error = "expired_token"


class DeviceDenied(OAuthRefused):
    """The person said no to the device (RFC 8628 §3.5)."""

    code = "iam.oauth_device_denied"
    oauth_error = "access_denied"


class UnsupportedTokenType(OAuthRefused):
    """An ID token or anything else that is neither access nor refresh token (RFC 7009 §2.2.1)."""

    code = "iam.oauth_unsupported_token_type"
    oauth_error = "unsupported_token_type"


class InvalidClientMetadata(OAuthRefused):
    """A field of the wanted registration is not served (RFC 7591 §3.2.2)."""

    code = "iam.oauth_invalid_client_metadata"
    oauth_error = "invalid_client_metadata"


class InvalidRedirectUri(OAuthRefused):
    """A redirect URI of the wanted registration is not allowed (RFC 7591 §3.2.2)."""

    code = "iam.oauth_invalid_redirect_uri"
    oauth_error = "invalid_redirect_uri"


class RequestUriRefused(RedirectRefused):
    """The pushed request is used, expired or another application's: no redirect (RFC 9126 §4)."""

    code = "iam.request_uri_refused"
    title = Text("登录请求已失效", "The sign-in request is no longer valid")
    remedy = Text("请回到应用重新发起登录。", "Go back to the application and sign in again.")

    def __init__(self, detail: str = "") -> None:
        """Keep ``detail`` and put the protocol's code among the facts."""
        super().__init__(detail, oauth_error="invalid_request_uri")


class DeviceCodeRefused(Invalid):
    """No device waits under this code, or too many codes were tried."""

    code = "iam.device_code_refused"
    title = Text("设备代码无效", "No device waits under this code")
    remedy = Text(
        "请核对设备上显示的代码;多次输错后需等待 10 分钟。",
        "Check the code on the device; after several wrong ones wait 10 minutes.",
    )
