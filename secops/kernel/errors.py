"""The root of the one error tree.

Each plane grows a branch in its own ``errors.py``. An error has a stable ``code``,
an HTTP status, an exit code for the command line, and a title and a remedy in
Chinese and English. ``detail`` says what happened this time; it never holds a secret.
"""

from __future__ import annotations

from typing import ClassVar

from secops.kernel.catalogue import Text


class SecopsError(Exception):
    """Something the caller can be told, with a remedy.

    ``exit_code``: 1 the answer is "no", 2 wrong usage, 3 a needed part is down,
    4 not allowed.
    """

    code: ClassVar[str] = "kernel.error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 3
    title: ClassVar[Text] = Text("内部错误", "Internal error")
    remedy: ClassVar[Text] = Text(
        "请把请求编号告知管理员。", "Give the request id to your administrator."
    )

    def __init__(self, detail: str = "", **facts: str | int | None) -> None:
        """Keep ``detail`` (one sentence, no secrets) and machine-readable ``facts``."""
        super().__init__(detail or self.title.en)
        self.detail = detail or self.title.en
        self.facts = facts


class Invalid(SecopsError):
    """The request is not of the documented shape."""

    code = "kernel.invalid"
    status = 400
    exit_code = 2
    title = Text("请求格式不正确", "Invalid request")
    remedy = Text("请按接口文档更正后重试。", "Correct the request as documented and try again.")


class Unauthenticated(SecopsError):
    """Nobody has proved who they are."""

    code = "kernel.unauthenticated"
    status = 401
    exit_code = 4
    title = Text("尚未登录", "Not signed in")
    remedy = Text("请先登录或提供有效令牌。", "Sign in, or send a valid access token.")


class StepUpRequired(SecopsError):
    """A higher authentication level or a fresher sign-in is needed (RFC 9470 §3)."""

    code = "kernel.step_up_required"
    status = 401
    exit_code = 4
    title = Text("需要更强的认证", "Stronger authentication is required")
    remedy = Text("请重新登录并使用第二因素。", "Sign in again with a second factor.")


class Forbidden(SecopsError):
    """The caller is known and may not do this."""

    code = "kernel.forbidden"
    status = 403
    exit_code = 4
    title = Text("无权执行此操作", "Not allowed")
    remedy = Text(
        "请由具有所需权限的角色执行,或向安全管理员申请授权。",
        "Ask somebody whose role has the permission, or ask the security administrator for it.",
    )


class NotFound(SecopsError):
    """There is nothing of that name that the caller may see."""

    code = "kernel.not_found"
    status = 404
    exit_code = 2
    title = Text("未找到", "Not found")
    remedy = Text("请检查名称或编号。", "Check the name or identifier.")


class Conflict(SecopsError):
    """The state does not allow it (any more)."""

    code = "kernel.conflict"
    status = 409
    exit_code = 2
    title = Text("与当前状态冲突", "Conflict with the current state")
    remedy = Text("请刷新后重试。", "Reload and try again.")


class TooLarge(SecopsError):
    """The input passes a documented limit of size, depth or count."""

    code = "kernel.too_large"
    status = 413
    exit_code = 2
    title = Text("内容过大", "Too large")
    remedy = Text("请缩小内容后重试。", "Send less at a time.")


class LengthRequired(SecopsError):
    """A body without a Content-Length is not read."""

    code = "kernel.length_required"
    status = 411
    exit_code = 2
    title = Text("缺少 Content-Length", "Content-Length required")
    remedy = Text("请带上 Content-Length 发送。", "Send the body with a Content-Length.")


class TooMany(SecopsError):
    """Too many requests; ``retry_after`` seconds may be given as a fact."""

    code = "kernel.too_many"
    status = 429
    exit_code = 3
    title = Text("请求过于频繁", "Too many requests")
    remedy = Text("请稍后重试。", "Wait and try again.")


class AuditUnavailable(SecopsError):
    """The ledger cannot be written, so nothing is granted."""

    code = "audit_unavailable"
    status = 503
    exit_code = 3
    title = Text("审计账本不可写", "The ledger cannot be written")
    remedy = Text(
        "授权类操作已暂停;请检查磁盘空间和权限,撤销与锁定仍然有效。",
        "Granting acts are refused; check disk space and permissions. Revocation still works.",
    )


class Unavailable(SecopsError):
    """A needed part is down."""

    code = "kernel.unavailable"
    status = 503
    exit_code = 3
    title = Text("所需组件不可用", "A needed part is down")
    remedy = Text("请运行 secops doctor 查看原因。", "Run `secops doctor` to see why.")
