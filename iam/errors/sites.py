"""Refusals at a proxy's question. A proxy understands 401 and 403 and nothing else."""

from __future__ import annotations

from iam.errors.oauth import RealNameTooLow
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.errors import Forbidden, Unauthenticated


class PathRefused(Forbidden):
    """The path could mean one thing here and another to the application."""

    code = "iam.path_refused"
    title = Text("路径不规范", "The path is ambiguous")
    remedy = Text(
        "请使用规范路径:不含 . 或 .. 段、双斜杠、反斜杠、编码斜杠或重复编码。",
        "Use a plain path: no dot segments, doubled or encoded slashes, nor double escapes.",
    )


class SiteUnknown(Forbidden):
    """No application is registered for this host and path."""

    code = "iam.site_unknown"
    title = Text("未登记的应用", "No application is registered here")
    remedy = Text(
        "请登记以 /_secops/callback 结尾的回调地址,其主机和路径前缀即该应用的范围。",
        "Register a redirect URI that ends in /_secops/callback: its host and path are the site.",
    )


class SiteRefused(Forbidden):
    """The policy refuses ``actor`` at ``target``."""

    code = "iam.site_refused"
    title = Text("无权访问该应用", "This application is not open to you")
    remedy = Text(
        "请向该应用的管理员申请,或使用更强的登录方式。",
        "Ask the application's administrator, or sign in more strongly.",
    )

    def __init__(self, detail: str, actor: Actor, target: str) -> None:
        """Keep whom it concerns: the refusal is recorded."""
        super().__init__(detail)
        self.actor = actor
        self.target = target


class SiteRealNameTooLow(SiteRefused):
    """The person's real name is verified less than the site demands."""

    code = "iam.site_real_name_too_low"
    title = RealNameTooLow.title
    remedy = RealNameTooLow.remedy


class SiteSignIn(Unauthenticated):
    """Nobody is signed in at the site; ``location`` begins a sign-in."""

    code = "iam.site_sign_in"
    title = Text("请先登录", "Sign in first")
    remedy = Text("请到登录地址登录后再访问。", "Sign in where the answer says, then come back.")
