"""The iam branch of the error tree."""

from __future__ import annotations

from typing import ClassVar

from secops.kernel.catalogue import Text
from secops.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    SecopsError,
    StepUpRequired,
    Unauthenticated,
    Unavailable,
)


class SignInRefused(Unauthenticated):
    """Name, password or code is wrong, or may not be used now: one answer for all of it."""

    code = "iam.sign_in_refused"
    title = Text("登录未成功", "Sign-in was refused")
    remedy = Text(
        "请核对用户名、口令和动态码;多次失败后需等待 30 分钟,或联系系统管理员。",
        "Check name, password and code; after several failures wait 30 minutes, "
        "or ask the system administrator.",
    )


class PasswordExpired(Unauthenticated):
    """Both factors were right; the password is too old under the rules in force."""

    code = "iam.password_expired"
    title = Text("口令已过期", "The password has expired")
    remedy = Text("请设置新口令后登录。", "Choose a new password to sign in.")


class TokenRefused(Unauthenticated):
    """The access token or session is malformed, forged, expired or revoked."""

    code = "iam.token_refused"
    title = Text("令牌或会话无效", "The token or session is not valid")
    remedy = Text("请重新登录或换取新令牌。", "Sign in again or get a new token.")


class PasswordWeak(Invalid):
    """The password breaks a rule; ``reason`` names the rule."""

    code = "iam.password_weak"
    title = Text("口令不符合要求", "The password breaks a rule")
    remedy = Text(
        "至少 12 位;不足 20 位时须含三类字符;勿用常见词、拼音、键盘序列、年份或用户名。",
        "At least 12 characters; below 20 use three kinds of character; no common words, "
        "pinyin, keyboard walks, years or your own name.",
    )


class IdentityInvalid(Invalid):
    """An identity number, credit code or login name is not of its form."""

    code = "iam.identity_invalid"
    title = Text("证件号码或名称格式不正确", "The identifier is malformed")
    remedy = Text("请核对后重新填写。", "Check it and enter it again.")


class EnrolmentRefused(Unauthenticated):
    """The enrolment is unknown, used or older than 24 hours."""

    code = "iam.enrolment_refused"
    title = Text("登记凭据无效", "The enrolment is not valid")
    remedy = Text(
        "登记凭据仅可使用一次,24 小时内有效;请向系统管理员重新领取。",
        "An enrolment works once, within 24 hours; ask the system administrator for another.",
    )


class NameTaken(Conflict):
    """Another account, client or organisation has this name."""

    code = "iam.name_taken"
    title = Text("名称已被使用", "The name is taken")
    remedy = Text("请换一个名称。", "Choose another name.")


class RoleConflict(Conflict):
    """One person would hold roles that exclude one another (三员分立)."""

    code = "iam.role_conflict"
    title = Text("角色互斥", "The roles exclude one another")
    remedy = Text(
        "系统、安全、审计管理员须由不同人员担任,审计员不得兼任其他业务角色。",
        "Let different people be system, security and audit administrator; "
        "an auditor holds no operating role.",
    )


class LastHolder(Conflict):
    """The last holder of one of the three administrators' roles stays."""

    code = "iam.last_holder"
    title = Text("不能移除最后一名管理员", "The last administrator of a kind stays")
    remedy = Text("请先指定另一名同类管理员。", "Name another one first.")


class OwnRole(Forbidden):
    """Nobody changes roles of their own."""

    code = "iam.own_role"
    title = Text("不能变更自己的角色", "Nobody changes their own roles")
    remedy = Text("请由另一名安全管理员办理。", "Ask another security administrator.")


class PersonUnproved(Conflict):
    """An administrator's person must be known, or 三员 exclusion has nothing to hold on to."""

    code = "iam.person_unproved"
    title = Text("账户尚未关联自然人证件", "No identity document stands behind the account")
    remedy = Text(
        "请在创建账户或登记时提供证件类型和号码。",
        "Give the identity document when the account is created or enrolled.",
    )


class PolicyUnusable(Unavailable):
    """The access policies can't be read or don't fit their schema."""

    code = "iam.policy_unusable"
    title = Text("访问策略不可用", "The access policies can't be used")
    remedy = Text("请恢复随产品提供的策略文件。", "Restore the policy files of the product.")


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


class SignInUnusual(StepUpRequired):
    """The factors were right and the sign-in is unusual: one more, fresh code is needed.

    ``reference`` is for ``FactorAttempt``; the code just used counts no more.
    """

    code = "iam.sign_in_unusual"
    title = Text("本次登录与平时不同", "This sign-in is unusual for the account")
    remedy = Text(
        "请等待动态码更新后输入新的动态码,或使用一个恢复码。",
        "Wait for the next one-time code and enter it, or use a recovery code.",
    )

    def __init__(self, reference: str) -> None:
        """Keep the reference with which the further code is given."""
        super().__init__("one more code is needed")
        self.reference = reference
