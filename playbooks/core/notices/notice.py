"""The issuer's side of a notice: draft → review → approved → issued → closed → archived.

Returned from review it is a draft again; withdrawn it can be at any time before its end. What
was approved is bound by ``content_digest``: whoever changes a word needs a new approval.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, replace
from typing import Final

from playbooks.errors.notices import NoticeInvalid, NoticeStateRefused
from playbooks.models.notices import (
    MAX_BODY,
    MAX_TITLE,
    NOTICE_SEVERITIES,
    NOTICE_STATES,
    Content,
    Issue,
    Notice,
    NoticeState,
)
from secops.kernel.canonical import canonical

MAX_PARAGRAPH: Final = 2_000
MAX_UNITS: Final = 200
MAX_REASON: Final = 2_000
_MAX_CHECK: Final = 200
_CHECK: Final = re.compile(
    r"detector:[0-9A-Za-z._-]{1,100}|control:[0-9a-z]{1,20}:[1-4]:[0-9A-Za-z._-]{1,60}"
)
_WITHDRAWABLE: Final[frozenset[NoticeState]] = frozenset({"draft", "review", "approved", "issued"})


def check_content(content: Content) -> Content:
    """Return ``content`` with its spaces trimmed; raise ``NoticeInvalid`` naming what is wrong."""
    found = replace(content, title=content.title.strip(), body=_lines(content.body))
    problem = _problem(found)
    if problem:
        raise NoticeInvalid(problem)
    return found


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines() if line.strip())


def _problem(content: Content) -> str:
    title, body, units = content.title, content.body, content.units
    found = {
        f"a title has 1 to {MAX_TITLE} printable characters": (
            1 <= len(title) <= MAX_TITLE and title.isprintable()
        ),
        f"a body has 1 to {MAX_BODY} printable characters and line ends": (
            1 <= len(body) <= MAX_BODY and body.replace("\n", "").isprintable()
        ),
        f"a paragraph has at most {MAX_PARAGRAPH} characters": (
            max(map(len, body.split("\n"))) <= MAX_PARAGRAPH
        ),
        f"the severity is {', '.join(NOTICE_SEVERITIES)}": content.severity in NOTICE_SEVERITIES,
        f"a notice goes to 1 to {MAX_UNITS} units, to each once": (
            1 <= len(units) <= MAX_UNITS and len(set(units)) == len(units)
        ),
        "a check is detector:RULE or control:STANDARD:LEVEL:ITEM": (
            not content.check or is_check(content.check)
        ),
    }
    return next((words for words, fine in found.items() if not fine), "")


def is_check(text: str) -> bool:
    """Tell whether ``text`` names something that verification can run again."""
    return len(text) <= _MAX_CHECK and _CHECK.fullmatch(text) is not None


def check_reason(reason: str) -> str:
    """Return ``reason`` trimmed; raise ``NoticeInvalid`` for none, or one that is too long."""
    text = reason.strip()
    if not 1 <= len(text) <= MAX_REASON or not text.isprintable():
        msg = f"a reason of 1 to {MAX_REASON} printable characters is needed"
        raise NoticeInvalid(msg)
    return text


def content_digest(notice: Notice) -> str:
    """Return the SHA-256 (hex) over the RFC 8785 form of what an approval of it is bound to."""
    content = {**asdict(notice.content), "units": sorted(notice.content.units)}
    value = {"id": notice.id, "org": notice.org_id, "content": content}
    return hashlib.sha256(canonical(value)).hexdigest()


def revise(notice: Notice, content: Content, author: str, at: int) -> Notice:
    """Return the draft with other content; whoever wrote in it is an author for good."""
    _require(notice, "draft")
    authors = tuple(dict.fromkeys((*notice.authors, author)))
    return _next(notice, at, content=check_content(content), authors=authors)


def submit(notice: Notice, approval_id: str, at: int) -> Notice:
    """Return it in review, its content fixed by its digest."""
    _require(notice, "draft")
    return _next(notice, at, state="review", digest=content_digest(notice), approval_id=approval_id)


def decide(notice: Notice, approver: str, at: int, *, grant: bool, reason: str) -> Notice:
    """Return it approved, or as a draft again with the reason."""
    _require(notice, "review")
    if grant:
        return _next(notice, at, state="approved", approver_id=approver, reason="")
    return _next(notice, at, state="draft", digest="", approval_id="", reason=check_reason(reason))


def recall(notice: Notice, at: int) -> Notice:
    """Return it as a draft again, its approval void; a number it has stays its own."""
    _require(notice, "review", "approved")
    return _next(notice, at, state="draft", digest="", approval_id="", approver_id="")


def give_number(notice: Notice, year: int, number: int, at: int) -> Notice:
    """Return the approved notice with its number, which it keeps whatever becomes of it."""
    _require(notice, "approved")
    if notice.number:
        msg = f"{notice.reference} is its number"
        raise NoticeStateRefused(msg)
    return _next(notice, at, year=year, number=number)


def issue(notice: Notice, made: Issue) -> Notice:
    """Return the numbered notice as issued with its sealed file."""
    _require(notice, "approved")
    if not notice.number:
        msg = "a notice is issued with a number"
        raise NoticeStateRefused(msg)
    return _next(notice, made.at, state="issued", issue=made)


def withdraw(notice: Notice, at: int, reason: str) -> Notice:
    """Return it withdrawn; its number, if it has one, stays taken and is shown as withdrawn."""
    _require(notice, *_WITHDRAWABLE)
    return _next(notice, at, state="withdrawn", reason=check_reason(reason))


def close(notice: Notice, at: int) -> Notice:
    """Return it closed, as all its units are done."""
    _require(notice, "issued")
    return _next(notice, at, state="closed")


def archive(notice: Notice, at: int) -> Notice:
    """Return it filed for good."""
    _require(notice, "closed")
    return _next(notice, at, state="archived")


def _require(notice: Notice, *states: NoticeState) -> None:
    if notice.state not in states:
        here = NOTICE_STATES[notice.state]
        raise NoticeStateRefused(f"{notice.id} is {here.en} ({here.zh})", state=notice.state)


def _next(notice: Notice, at: int, **changes: object) -> Notice:
    return replace(notice, changed_at=at, version=notice.version + 1, **changes)  # type: ignore[arg-type]
