"""Weigh one use against the seal's policy; the first thing that speaks against it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from kms.models.seal_policies import UsePolicy
from secops.kernel.catalogue import Text
from secops.kernel.clock import SECOND

_BEIJING: Final = timezone(timedelta(hours=8))
_HOUR: Final = 60


@dataclass(frozen=True, slots=True)
class Circumstances:
    """A use that is wanted: ``at`` is UTC µs, ``used_today`` counts since ``day_start(at)``."""

    account_id: str
    document_class: str
    at: int
    used_today: int
    risk: int


def refusal(policy: UsePolicy, seen: Circumstances) -> Text | None:
    """Return why the policy forbids it; None where it does not."""
    if policy.users and seen.account_id not in policy.users:
        return Text("用章策略未允许该用印人", "the policy does not name this holder")
    if policy.document_classes and seen.document_class not in policy.document_classes:
        named = "、".join(policy.document_classes)
        listed = ", ".join(policy.document_classes)
        return Text(f"该印章只用于:{named}", f"the seal is for documents of class {listed}")
    if not _is_open(policy, seen.at):
        return Text("不在允许用章的时间内", "outside the days and hours of the policy")
    if policy.daily_cap is not None and seen.used_today >= policy.daily_cap:
        cap = policy.daily_cap
        return Text(f"今日用章已达上限 {cap} 次", f"the seal was used {cap} times today, its limit")
    if seen.risk > policy.max_risk:
        limit = policy.max_risk
        return Text(
            f"用印人当前风险 {seen.risk} 高于上限 {limit}",
            f"the caller's risk is {seen.risk}, the limit {limit}",
        )
    return None


def _is_open(policy: UsePolicy, at: int) -> bool:
    local = datetime.fromtimestamp(at // SECOND, UTC).astimezone(_BEIJING)
    minute = local.hour * _HOUR + local.minute
    return local.isoweekday() in policy.weekdays and policy.opens <= minute < policy.closes
