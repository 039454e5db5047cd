"""What an application asks of a person, in words (OIDC Core §3.1.2.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from iam.models.clients import Client
from iam.models.consents import ScopeWords
from secops.kernel.actors import ALL_SCOPE
from secops.kernel.catalogue import Text
from secops.kernel.permissions import GRANTS

REAL_NAME: Final = "real_name"
LEGAL_PERSON: Final = "legal_person"
_ORDER: Final = ("openid", "profile", REAL_NAME, LEGAL_PERSON, ALL_SCOPE)
_TOLD: Final = {
    "openid": ScopeWords(
        "openid",
        Text("确认您的登录", "Know that you signed in"),
        (
            Text("仅供该应用使用的账户标识", "an identifier of you for this application alone"),
            Text("所属机构", "your organisation"),
            Text("登录时间、认证等级与所用因素", "when, how strongly and by which factors"),
        ),
    ),
    "profile": ScopeWords(
        "profile",
        Text("读取基本资料", "Read your profile"),
        (Text("登录名", "login name"), Text("角色", "roles")),
    ),
    REAL_NAME: ScopeWords(
        REAL_NAME,
        Text("读取实名等级", "Read the level of your real name"),
        (Text("实名等级、来源与有效期", "level, source and end of the real-name check"),),
    ),
    LEGAL_PERSON: ScopeWords(
        LEGAL_PERSON,
        Text("读取法人身份", "Read the legal person you stand for"),
        (Text("统一社会信用代码", "unified social credit code"),),
    ),
    ALL_SCOPE: ScopeWords(
        ALL_SCOPE,
        Text("以您的身份使用本平台的全部接口", "Use our whole API as you, with all your rights"),
    ),
}
_PLANES: Final = {
    "iam": Text("身份管理", "identity"),
    "kms": Text("密钥与印章", "keys and seals"),
    "detectors": Text("检测与日志", "detection and logs"),
    "playbooks": Text("应急处置", "response"),
    "audits": Text("审计", "audits"),
}
_PERMISSIONS: Final = {str(grant.permission): grant.title for grant in GRANTS}


def needed_scopes(client: Client, asked: frozenset[str]) -> frozenset[str]:
    """Return the scopes that ``asked`` comes to: claims by registration come with an ID token."""
    registered = client.scopes & {REAL_NAME, LEGAL_PERSON}
    return asked | registered if "openid" in asked else asked


def assured(client: Client, redirect_uri: str) -> bool:
    """Tell whether an answer surely reaches the application that was remembered.

    A public one on loopback could be any program of the machine (RFC 8252 §8.6).
    """
    return not client.public or redirect_uri.startswith("https://")


def words_of(scopes: Iterable[str]) -> tuple[ScopeWords, ...]:
    """Return scopes in words, those about the person first."""
    known = {name: number for number, name in enumerate(_ORDER)}
    ordered = sorted(scopes, key=lambda scope: (known.get(scope, len(known)), scope))
    return tuple(_words(scope) for scope in ordered)


def _words(scope: str) -> ScopeWords:
    told = _TOLD.get(scope)
    if told is not None:
        return told
    title, plane = _PERMISSIONS.get(scope), _PLANES.get(scope)
    if title is not None:
        return ScopeWords(scope, Text(f"以您的身份:{title.zh}", f"As you: {title.en}"))
    if plane is not None:
        zh, en = f"以您的身份使用:{plane.zh}", f"Use as you, with all your rights: {plane.en}"
        return ScopeWords(scope, Text(zh, en))
    zh, en = f"该应用自定义的范围 {scope}", f"A scope of the application's own: {scope}"
    return ScopeWords(scope, Text(zh, en))
