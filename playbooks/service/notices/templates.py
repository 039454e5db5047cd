"""Notices about an incident, as templates word them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playbooks.models import Incident
from playbooks.models.notices import MAX_TITLE, Content

FORM: Final = "incident"
"""The template that fills the form of a new notice."""
_MAX_WORDS: Final = 80
"""Characters of an incident's title or cause that go into a notice."""


def notice_content(template: Mapping[str, Any], incident: Incident) -> Content:
    """Fill the template; an incident's words are values, and nothing in them is a place."""
    values = {
        "{incident}": _words(incident.title),
        "{cause}": _words(incident.cause) or "正在查明",
    }
    title, body = (_filled(template[name], values) for name in ("title", "body"))
    return Content(
        title=title[:MAX_TITLE],
        body=body,
        severity=template["severity"],
        urgent=template["urgent"],
        units=(incident.org_id,),
        incident_id=incident.id,
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    head, mark, tail = min(
        (text.partition(name) for name in values), key=lambda parts: len(parts[0])
    )
    return f"{head}{values[mark]}{_filled(tail, values)}" if mark else text


def _words(text: str) -> str:
    seen = "".join(letter if letter.isprintable() else " " for letter in text)
    return seen.strip()[:_MAX_WORDS]
