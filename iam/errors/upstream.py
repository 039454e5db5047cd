"""Refusals of sign-in by identity providers upstream."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import (
    Forbidden,
    Invalid,
    StepUpRequired,
    Unauthenticated,
    Unavailable,
)


class UpstreamRefused(Unauthenticated):
    """What an identity provider upstream sent does not prove who this is."""

    code = "iam.upstream_refused"
    title = Text("统一身份认证未通过", "The identity provider's answer was refused")
    remedy = Text("请重新发起登录。", "Start the sign-in again.")


class RealNameSchemesInvalid(Invalid):
    """A file of real-name schemes can't be read; nothing of it is believed."""

    code = "iam.real_name_schemes_invalid"
    title = Text("实名等级体系文件不正确", "The file of real-name schemes is not valid")
    remedy = Text(
        "请按 rules/policies/real_name_levels.toml 的格式更正。",
        "Correct it after the form of rules/policies/real_name_levels.toml.",
    )


class UpstreamUnlinked(Forbidden):
    """The person was proved upstream, and no account here stands for them."""

    code = "iam.upstream_unlinked"
    title = Text("本系统中没有与您对应的账户", "No account here stands for you")
    remedy = Text(
        "请联系系统管理员以您的证件号码建立账户。",
        "Ask the system administrator for an account made with your identity document.",
    )


class UpstreamLeft(Forbidden):
    """Upstream this person's account is closed; the account here is locked."""

    code = "iam.upstream_left"
    title = Text("上级平台中该账户已停用", "The account has been closed upstream")
    remedy = Text("如有疑问,请联系本单位人事部门。", "Ask your personnel department.")


class UpstreamDown(Unavailable):
    """The identity provider upstream does not answer as it should."""

    code = "iam.upstream_down"
    title = Text("统一身份认证暂不可用", "The identity provider can't be reached")
    remedy = Text(
        "请稍后重试;紧急事务请联系已指定的本地管理员。",
        "Try again later; for what can't wait, ask one of the named local administrators.",
    )


class SecondFactorNeeded(StepUpRequired):
    """The provider's sign-in counts for one factor; a local one must follow.

    ``reference`` is for ``FactorAttempt``.
    """

    code = "iam.second_factor_needed"
    title = Text("还需第二因素", "A second factor is needed")
    remedy = Text(
        "请输入本系统的动态码或恢复码,或使用通行密钥。",
        "Enter a one-time code or recovery code of this system, or use a passkey.",
    )

    def __init__(self, reference: str) -> None:
        """Keep the reference with which the local factor is given."""
        super().__init__("a local factor must follow")
        self.reference = reference


class LocalSignInClosed(Forbidden):
    """The organisation signs in upstream; only named administrators use local factors."""

    code = "iam.local_sign_in_closed"
    title = Text("请使用统一身份认证登录", "Sign in by your identity provider")
    remedy = Text(
        "本单位已启用统一身份认证,本地口令仅限已指定的管理员使用。",
        "Your organisation signs in upstream; local passwords are for named administrators.",
    )


class UpstreamInvalid(Invalid):
    """A provider's configuration has no meaning."""

    code = "iam.upstream_invalid"
    title = Text("身份源配置不正确", "The provider's configuration is not valid")
    remedy = Text("请按《上级身份源》手册更正。", "Correct it as the manual page describes.")
