"""Why a decision was no, and what would make it yes: each tried on the policies themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from iam.core.real_name import level_text
from iam.models.real_name import CERTIFICATE
from iam.models.sessions import acr_of
from iam.ports import PolicyAnswer, PolicyQuestion
from iam.service.zero_trust.book import InForce
from secops.kernel.access import FRESH_SECONDS, Decision, StepUp
from secops.kernel.catalogue import Text
from secops.kernel.permissions import ROLES, Permission, roles_with

_HIGHEST_LEVEL: Final = 3
_MOST_ZONES: Final = 20


@dataclass(frozen=True, slots=True)
class Help:
    """One thing to change, in words, and the proof it amounts to if it is one."""

    asked: PolicyQuestion
    text: Text
    step_up: StepUp | None = None


def explain(asked: PolicyQuestion, answer: PolicyAnswer, in_force: InForce, age: int) -> Decision:
    """Return a refusal with its reasons; ``age`` is since when (s) a newer proof is due."""
    detail, because = _why_not(asked, answer, in_force)
    helps: list[Help] = []
    if not answer.errors and not asked.revoked:
        engine = in_force.engine
        helps = [one for one in _helps(asked, in_force, age) if engine.evaluate(one.asked).allowed]
    step_up = next((one.step_up for one in helps if one.step_up is not None), None)
    return Decision(
        allowed=False,
        reason=detail,
        policies=answer.policies,
        because=because,
        helps=tuple(dict.fromkeys(one.text for one in helps)),
        step_up=step_up if asked.kind == "account" else None,
    )


def _why_not(asked: PolicyQuestion, answer: PolicyAnswer, in_force: InForce) -> tuple[str, Text]:
    if answer.errors:
        return (
            f"the policies gave no answer: {answer.errors[0]}",
            Text("策略无法判定,按拒绝处理", "the policies gave no answer, so the answer is no"),
        )
    if asked.revoked:
        detail = "the account, session or application was revoked"
        return detail, Text("账户、会话、设备、地址或应用已被终止或锁定", detail)
    lacking = _lacking(asked)
    if lacking is not None:
        return lacking
    if asked.real_name_level < asked.real_name_demanded:
        return _real_name(asked)
    if answer.policies:
        return _forbidden(answer, in_force)
    return _not_permitted(asked)


def _lacking(asked: PolicyQuestion) -> tuple[str, Text] | None:
    """Return which scope or role is missing, None where neither is."""
    if not asked.in_scope:
        detail = f"the token's scopes do not cover {asked.permission}"
        return detail, Text(f"令牌的范围不包含 {asked.permission}", detail)
    holders = [role for role in roles_with(Permission(asked.permission)) if role in ROLES]
    if not holders or not asked.roles.isdisjoint(holders):
        return None
    held = ", ".join(sorted(asked.roles)) or "none"
    detail = f"{asked.permission} needs one of the roles {', '.join(holders)}; held: {held}"
    named = "、".join(ROLES[role].zh for role in holders)
    return detail, Text(f"{asked.permission} 需要以下角色之一:{named}", detail)


def _real_name(asked: PolicyQuestion) -> tuple[str, Text]:
    wanted, known = level_text(asked.real_name_demanded), level_text(asked.real_name_level)
    detail = (
        f"the application demands real-name level {asked.real_name_demanded} ({wanted.en});"
        f" known is {asked.real_name_level} ({known.en})"
    )
    zh = (
        f"该应用要求实名等级 {asked.real_name_demanded}({wanted.zh}),"
        f"当前为 {asked.real_name_level}({known.zh})"
    )
    return detail, Text(zh, detail)


def _not_permitted(asked: PolicyQuestion) -> tuple[str, Text]:
    detail = (
        f"no policy permits {asked.permission} at authentication level {asked.level}"
        f" and risk {asked.risk}"
    )
    if asked.proof_due and asked.risk < asked.risk_limit:
        detail = f"{detail}: the risk rose after the sign-in"
        return detail, Text(f"登录之后风险升至 {asked.risk},需要重新认证", detail)
    zh = f"在认证等级 {asked.level}、风险 {asked.risk} 下没有策略允许 {asked.permission}"
    return detail, Text(zh, detail)


def _forbidden(answer: PolicyAnswer, in_force: InForce) -> tuple[str, Text]:
    titles = [in_force.engine.titles[name] for name in answer.policies]
    zh = ";".join(_sentence(title.title.zh, title.advice.zh, "。建议:") for title in titles)
    en = "; ".join(_sentence(title.title.en, title.advice.en, ". Advice: ") for title in titles)
    names = ", ".join(answer.policies)
    return (
        f"refused by {names} because {en}",
        Text(f"被策略 {names} 拒绝,原因:{zh}", f"refused by {names} because {en}"),
    )


def _sentence(title: str, advice: str, between: str) -> str:
    return f"{title}{between}{advice}" if advice else title


def _helps(asked: PolicyQuestion, in_force: InForce, age: int) -> Iterator[Help]:
    """Yield changes worth trying, the easiest for the caller first."""
    if asked.kind == "account":
        yield from _proofs(asked, age)
        yield from _devices(asked)
    yield from _places(asked, in_force)
    if not asked.working_time or asked.holiday:
        worked = replace(asked, working_time=True, holiday=False, weekday=3, hour=10)
        yield Help(worked, Text("在工作时间内办理", "do it in working time"))
    for level in range(asked.real_name_level + 1, CERTIFICATE + 1):
        stands_for = level_text(level)
        text = Text(
            f"在上级身份源或其窗口将实名等级提升至 {level}({stands_for.zh}),再由上级身份源登录",
            f"raise the real-name level to {level} ({stands_for.en}) with the province's identity"
            " centre or at its counter, and sign in through it",
        )
        yield Help(replace(asked, real_name_level=level), text)
    if asked.risk:
        calm = replace(asked, risk=0, proof_due=False)
        yield Help(
            calm,
            Text(
                "请安全分析员处置相关告警,风险下降后即可办理",
                "have the alerts behind the risk worked on; it can be done once the risk is down",
            ),
        )


def _proofs(asked: PolicyQuestion, age: int) -> Iterator[Help]:
    if asked.proof_due or asked.signed_in_minutes:
        fresh = replace(asked, proof_due=False, signed_in_minutes=0)
        seconds = age if asked.proof_due else FRESH_SECONDS
        text = Text("重新登录一次", "sign in once more")
        yield Help(fresh, text, StepUp(max_age=seconds))
    for level in range(asked.level + 1, _HIGHEST_LEVEL + 1):
        higher = replace(asked, level=level, proof_due=False, signed_in_minutes=0)
        text = Text(f"以认证等级 {level} 登录", f"sign in at authentication level {level}")
        yield Help(higher, text, StepUp(acr_values=acr_of(level)))
    for factors, text in (
        (("hwk", "sm2"), Text("使用 UKey(国密证书)登录", "sign in with an SM2 certificate")),
        (("hwk", "pop", "user"), Text("使用通行密钥登录", "sign in with a passkey")),
    ):
        added = tuple(sorted({*asked.factors, *factors}))
        proved = replace(
            asked, factors=added, level=_HIGHEST_LEVEL, proof_due=False, signed_in_minutes=0
        )
        yield Help(proved, text)


def _devices(asked: PolicyQuestion) -> Iterator[Help]:
    if not asked.device_registered:
        text = Text("使用已登记且合规的设备", "use a registered device that is as demanded")
        good = replace(asked, device_registered=True, device_fresh=True, device_compliant=True)
        yield Help(good, text)
    elif not asked.device_fresh:
        text = Text("让设备代理重新上报状态", "let the device's agent report anew")
        yield Help(replace(asked, device_fresh=True), text)
        text = Text("修复设备并重新上报状态", "mend the device and let it report anew")
        yield Help(replace(asked, device_fresh=True, device_compliant=True), text)
    elif not asked.device_compliant:
        text = Text(
            "启用磁盘加密和锁屏、更新系统后重新上报",
            "turn on disk encryption and screen lock, update the system, and report anew",
        )
        yield Help(replace(asked, device_compliant=True), text)


def _places(asked: PolicyQuestion, in_force: InForce) -> Iterator[Help]:
    for name, _ in in_force.data.zones[:_MOST_ZONES]:
        if name not in asked.zones:
            text = Text(f"从网络区域 {name} 访问", f"come from the network zone {name}")
            yield Help(replace(asked, zones=(name,)), text)
    if asked.zones:
        text = Text("换一个网络访问", "come from another network")
        yield Help(replace(asked, zones=()), text)
