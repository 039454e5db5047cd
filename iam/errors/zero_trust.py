"""Refusals about policies, locks and devices."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, TooMany, Unauthenticated
from secops.kernel.trail import Act


class PolicyInvalid(Invalid):
    """A draft's policies or data can't be read or break a rule; ``detail`` says where."""

    code = "iam.policy_invalid"
    title = Text("策略草案有错误", "The draft of policies has errors")
    remedy = Text(
        "请按检查结果更正后重试(secops iam check-policies)。",
        "Correct what the check names and try again (secops iam check-policies).",
    )


class PolicyLocksOut(Conflict):
    """Under this version no security administrator could administer any more."""

    code = "iam.policy_locks_out"
    title = Text("该版本将使安全管理员无法管理", "The version would lock the administrators out")
    remedy = Text(
        "请放宽草案,使至少一名安全管理员在其当前环境中任何时间都能管理策略与角色。",
        "Loosen it until one security administrator, where they are, can manage policies and "
        "roles at any time.",
    )


class PolicyState(Conflict):
    """The version is not in the state that this step needs."""

    code = "iam.policy_state"
    title = Text("策略版本状态不符", "The version is not in the state for this")
    remedy = Text(
        "草案→提交→由另一人批准→生效;生效过的版本可恢复。",
        "A draft is proposed, approved by another person, then active; what was active before "
        "can come back.",
    )


class LockRefused(Conflict):
    """The lock would take away the last security administrator, or everything."""

    code = "iam.lock_refused"
    title = Text("不能锁定该对象", "This can't be locked")
    remedy = Text(
        "须保留至少一名可用的安全管理员;本机地址不能锁定。",
        "At least one security administrator must stay; the machine's own address can't be locked.",
    )


class SubjectLocked(Forbidden):
    """The subject is locked; nothing is granted until the lock is lifted or ends."""

    code = "iam.subject_locked"
    title = Text("对象已被锁定", "The subject is locked")
    remedy = Text("请联系安全管理员。", "Ask the security administrator.")


class DeviceRefused(Unauthenticated):
    """The device's statement is malformed, forged, old, or of another key."""

    code = "iam.device_refused"
    title = Text("设备声明无效", "The device's statement is not valid")
    remedy = Text(
        "请用设备代理重新生成声明;质询仅可使用一次。",
        "Let the device's agent write a new one; a challenge works once.",
    )


class DeviceKnown(Conflict):
    """The device's key is registered already."""

    code = "iam.device_known"
    title = Text("该设备密钥已登记", "The device's key is registered already")
    remedy = Text("请先撤销原登记,或换用新密钥。", "Revoke the old registration, or use a new key.")


class AddressLocked(SubjectLocked):
    """Requests come from a locked address; ``acts`` record it."""

    code = "iam.address_locked"
    title = Text("来源地址已被锁定", "The address is locked")

    def __init__(self, acts: tuple[Act, ...]) -> None:
        """Keep what is to be recorded with the answer."""
        super().__init__("the address these requests come from is locked")
        self.acts = acts


class RateExceeded(TooMany):
    """One application or one address asks more often than it may; ``acts`` record it."""

    code = "iam.rate_exceeded"
    title = Text("请求频率超过上限", "More requests than the rate allows")
    remedy = Text(
        "请按 Retry-After 等待后重试;确有需要时请管理员调整 client_rate 或 address_rate。",
        "Wait as Retry-After says; where it is needed, have client_rate or address_rate raised.",
    )

    def __init__(self, detail: str, acts: tuple[Act, ...], *, retry_after: int) -> None:
        """Keep what is to be recorded with the answer, and the seconds to wait."""
        super().__init__(detail, retry_after=retry_after)
        self.acts = acts
