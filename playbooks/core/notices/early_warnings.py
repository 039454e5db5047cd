"""Early warnings: draft → review → approved → issued → adjusted → lifted (GB/T 32924's colours).

An adjustment is approved as the warning was; until then what was issued stays in force.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from typing import Final

from playbooks.core.notices.notice import check_reason
from playbooks.errors.notices import NoticeInvalid, NoticeStateRefused
from playbooks.models.early_warnings import (
    IN_FORCE,
    MAX_TEXT,
    WARNING_COLOURS,
    WARNING_STATES,
    EarlyWarning,
    WarningContent,
    WarningState,
)
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY

_MAX_TITLE: Final = 120
_LONGEST: Final = 366 * DAY
_COLOURS: Final = tuple(WARNING_COLOURS)


def check_warning(content: WarningContent, now: int) -> WarningContent:
    """Return ``content`` trimmed; raise ``NoticeInvalid`` for no scope, no end, or no colour."""
    found = replace(
        content,
        title=content.title.strip(),
        scope=content.scope.strip(),
        measures=content.measures.strip(),
    )
    _check_text("a title", found.title, _MAX_TITLE)
    _check_text("a scope", found.scope, MAX_TEXT)
    _check_text("measures", found.measures, MAX_TEXT)
    if found.colour not in WARNING_COLOURS:
        msg = f"a colour is {', '.join(WARNING_COLOURS)}"
        raise NoticeInvalid(msg)
    if not now < found.ends_at <= now + _LONGEST:
        msg = "a warning ends after now and within a year"
        raise NoticeInvalid(msg)
    return found


def _check_text(name: str, text: str, most: int) -> None:
    if not 1 <= len(text) <= most or not text.isprintable():
        msg = f"{name} of 1 to {most} printable characters is needed"
        raise NoticeInvalid(msg)


def warning_digest(warning: EarlyWarning, content: WarningContent) -> str:
    """Return the SHA-256 (hex) of what an approval of ``content`` is bound to."""
    said = {**asdict(content), "ends_at": str(content.ends_at)}
    value = {"id": warning.id, "org": warning.org_id, "content": said}
    return hashlib.sha256(canonical(value)).hexdigest()


def revise_warning(
    warning: EarlyWarning, content: WarningContent, author: str, at: int
) -> EarlyWarning:
    """Return the draft with other content."""
    _require(warning, "draft")
    return _next(warning, at, content=check_warning(content, at), authors=_authors(warning, author))


def submit_warning(warning: EarlyWarning, approval_id: str, at: int) -> EarlyWarning:
    """Return it in review."""
    _require(warning, "draft")
    digest = warning_digest(warning, warning.content)
    return _next(warning, at, state="review", digest=digest, approval_id=approval_id)


def adjust_warning(
    warning: EarlyWarning, content: WarningContent, author: str, approval_id: str, at: int
) -> EarlyWarning:
    """Return it with an adjustment that waits for approval; one at a time."""
    _require(warning, *IN_FORCE)
    if warning.wanted is not None:
        msg = "an adjustment waits already"
        raise NoticeStateRefused(msg)
    wanted = check_warning(content, at)
    return _next(
        warning,
        at,
        wanted=wanted,
        authors=_authors(warning, author),
        digest=warning_digest(warning, wanted),
        approval_id=approval_id,
    )


def decide_warning(
    warning: EarlyWarning, approver: str, at: int, *, grant: bool, reason: str
) -> EarlyWarning:
    """Return it approved or as a draft again; adjusted, or in force as it was."""
    if warning.wanted is not None:
        _require(warning, *IN_FORCE)
        if not grant:
            return _next(warning, at, wanted=None, digest="", reason=check_reason(reason))
        return _next(
            warning,
            at,
            content=check_warning(warning.wanted, at),
            wanted=None,
            state="adjusted",
            approver_id=approver,
        )
    _require(warning, "review")
    if grant:
        return _next(warning, at, state="approved", approver_id=approver, reason="")
    return _next(warning, at, state="draft", digest="", approval_id="", reason=check_reason(reason))


def issue_warning(warning: EarlyWarning, at: int) -> EarlyWarning:
    """Return the approved one in force; raise ``NoticeInvalid`` where its end is over."""
    _require(warning, "approved")
    check_warning(warning.content, at)
    return _next(warning, at, state="issued", issued_at=at)


def lift_warning(warning: EarlyWarning, at: int, reason: str) -> EarlyWarning:
    """Return it lifted, before or after its end."""
    _require(warning, *IN_FORCE)
    return _next(
        warning, at, state="lifted", lifted_at=at, wanted=None, reason=check_reason(reason)
    )


def withdraw_warning(warning: EarlyWarning, at: int, reason: str) -> EarlyWarning:
    """Return it withdrawn before it was issued."""
    _require(warning, "draft", "review", "approved")
    return _next(warning, at, state="withdrawn", reason=check_reason(reason))


def gravest_first(warning: EarlyWarning) -> tuple[int, int]:
    """Return what warnings are sorted by: colour, then the newest."""
    return _COLOURS.index(warning.content.colour), -(warning.issued_at or 0)


def _authors(warning: EarlyWarning, author: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*warning.authors, author)))


def _require(warning: EarlyWarning, *states: WarningState) -> None:
    if warning.state not in states:
        here = WARNING_STATES[warning.state]
        raise NoticeStateRefused(f"{warning.id} is {here.en} ({here.zh})", state=warning.state)


def _next(warning: EarlyWarning, at: int, **changes: object) -> EarlyWarning:
    return replace(warning, changed_at=at, version=warning.version + 1, **changes)  # type: ignore[arg-type]
