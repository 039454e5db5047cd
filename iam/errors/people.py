"""Refusals about people, their factors, roles and sessions."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
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


class PossessionRefused(TokenRefused):
    """The token is bound to a key, and the proof of its possession is missing or wrong."""

    code = "iam.possession_refused"
    remedy = Text(
        "请用令牌绑定的密钥签署 DPoP 证明后重试。",
        "Send the token with a DPoP proof signed by the key it is bound to.",
    )

    def __init__(self, detail: str = "", *, nonce: str | None = None) -> None:
        """Keep ``detail``; ``nonce`` is what the next proof must hold, if one is demanded."""
        error = "invalid_dpop_proof" if nonce is None else "use_dpop_nonce"
        super().__init__(detail, oauth_error=error, dpop_nonce=nonce)


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


class ErasureRefused(Conflict):
    """Only an account that has left or is locked, of a person, can be erased, and once."""

    code = "iam.erasure_refused"
    title = Text("该账户不能删除个人信息", "This account can't be erased")
    remedy = Text(
        "请先办理离职或锁定账户;服务账户和已删除的账户不再办理。",
        "Let the person go or lock the account first; service accounts and erased ones stay.",
    )


class ErasureBarred(Conflict):
    """Something in force names the account: law has it kept until that ends (PIPL art. 47)."""

    code = "iam.erasure_barred"
    title = Text("法定或处置事由尚未了结", "The account is still needed by law or by an incident")
    remedy = Text(
        "请在法律保全解除、事件关闭后再申请;在此之前仅存储和保护,停止其他处理。",
        "Ask again when the legal hold is lifted and the incident closed; until then the data "
        "are only stored and protected.",
    )


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
