"""Words of people and power."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from iam.models.factors import FactorKind
from iam.models.zero_trust import LockKind
from secops.kernel.catalogue import Text

ACCOUNT_STATES: Final = {
    "pending": Text("待启用", "pending"),
    "active": Text("有效", "active"),
    "locked": Text("已锁定", "locked"),
    "closed": Text("已注销", "closed"),
}
ERASED: Final = Text("已删除个人信息", "erased person")
ACCOUNT_KINDS: Final = {
    "natural": Text("自然人", "natural person"),
    "civil": Text("公务人员", "civil servant"),
    "legal": Text("法人", "legal person"),
    "service": Text("服务账户", "service account"),
}
CHANGE_STATES: Final = {
    "pending": Text("待审批", "pending"),
    "approved": Text("已批准,待申请人办理", "approved, to be carried out by who asked"),
    "applied": Text("已生效", "applied"),
    "rejected": Text("已驳回", "rejected"),
    "withdrawn": Text("已撤回", "withdrawn"),
    "expired": Text("已过期", "expired"),
}
FIELDS: Final = {
    "erased": Text("个人信息已删除", "erased"),
    "roles": Text("角色", "roles"),
    "role": Text("角色", "role"),
    "minutes": Text("时长(分钟)", "minutes"),
    "account": Text("账户", "account"),
    "state": Text("状态", "state"),
    "password_set_at": Text("口令设置时间", "password set at"),
    "factors.totp": Text("动态口令", "one-time codes"),
    "factors.password": Text("口令", "password"),
    "factors.one_time": Text("短信/邮件验证码(个)", "codes by message"),
    "factors.recovery": Text("恢复码", "recovery codes"),
    "factors.passkey": Text("通行密钥(个)", "passkeys"),
    "factors.certificate": Text("数字证书(张)", "certificates"),
    "keys": Text("已绑定的密钥", "keys bound"),
    "certificate.key": Text("证书密钥", "certificate: key"),
    "certificate.subject": Text("证书主体", "certificate: subject"),
    "certificate.serial": Text("证书序列号", "certificate: serial number"),
    "certificate.not_after": Text("证书有效至", "certificate: good until"),
    "certificate.token_held": Text("密钥在 UKey 中", "certificate: key held by a UKey"),
    "kind": Text("种类", "kind"),
    "subject": Text("对象", "subject"),
    "lock_reason": Text("锁定理由", "reason of the lock"),
    "until": Text("锁定至", "locked until"),
    "lock_state": Text("锁定状态", "state of the lock"),
    "other_locks": Text("同一对象的其他锁定", "other locks on the subject"),
    "subject_free": Text("对象恢复可用", "subject is free"),
    "number": Text("策略版本", "version"),
    "title": Text("名称", "title"),
    "policies": Text("策略文本", "policies"),
    "data": Text("策略数据", "data"),
    "secret": Text("共享密钥(标记)", "secret (its mark)"),
    "id": Text("编号", "id"),
    "name": Text("名称", "name"),
    "redirect_uris": Text("回调地址", "redirect URIs"),
    "logout_uris": Text("退出后地址", "after logout"),
    "back_channel_uri": Text("后端退出通知地址", "back-channel logout"),
    "grants": Text("授权方式", "grants"),
    "scopes": Text("可申请的范围", "scopes"),
    "audiences": Text("可访问的系统", "audiences"),
    "public": Text("公开应用", "public application"),
    "authentication": Text("认证方式", "authentication"),
    "consent": Text("用户同意", "consent"),
    "dpop_bound": Text("令牌绑定密钥(DPoP)", "tokens bound to a key (DPoP)"),
    "par_required": Text("须推送授权请求(PAR)", "pushed requests only (PAR)"),
    "profile": Text("安全要求", "profile"),
    "level": Text("认证等级", "authentication level"),
    "token_alg": Text("令牌签名算法", "algorithm of its tokens"),
    "max_age": Text("登录最长时效(秒)", "greatest age of a sign-in (s)"),
}
VALUES: Final = {
    **ACCOUNT_STATES,
    "in_force": Text("生效中", "in force"),
    "lifted": Text("已解除", "lifted"),
    "disabled": Text("已停用", "disabled"),
}
LOCK_KINDS: Final[Mapping[LockKind, Text]] = {
    "account": Text("账户", "account"),
    "person": Text("自然人(其全部账户)", "person (all their accounts)"),
    "device": Text("设备", "device"),
    "client": Text("应用", "application"),
    "organisation": Text("机构", "organisation"),
    "address": Text("网络地址", "address"),
    "step-up": Text("账户(须再次验证)", "account (a newer proof is demanded)"),
}
FACTOR_KINDS: Final[Mapping[FactorKind, Text]] = {
    "password": Text("口令", "Password"),
    "totp": Text("动态码", "One-time codes"),
    "recovery": Text("恢复码", "Recovery codes"),
    "passkey": Text("通行密钥", "Passkey"),
    "certificate": Text("证书", "Certificate"),
    "one_time": Text("短信或邮件验证码", "Code by message or mail"),
}
CONSEQUENCES: Final = {
    "none": Text("不影响访问", "changes nothing"),
    "step_up": Text("须再次验证后访问", "a newer proof is demanded"),
    "refuse": Text("拒绝一切访问", "everything is refused"),
    "end_session": Text("会话即时终止", "its sessions end"),
}
YES: Final = Text("是", "yes")
NO: Final = Text("否", "no")
