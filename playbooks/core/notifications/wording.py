"""What may leave the house in a message: a few words and a link, nothing about a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from playbooks.core.webhooks import cut
from playbooks.models.notifications import EVENTS, HouseEvent
from secops.kernel.catalogue import Language, Text

MAX_TITLE: Final = 200
MAX_TEXT: Final = 4_000
DRILL: Final = Text("【演练】", "[DRILL] ")
_DIGEST: Final = Text("{count} 条通知合并发送", "{count} notices in one")
_MORE: Final = Text("……另有 {count} 条", "… and {count} more")
_SHOWN: Final = 10
_SEVERITIES: Final = {
    "low": Text("低", "low"),
    "medium": Text("中", "medium"),
    "high": Text("高", "high"),
    "critical": Text("紧急", "critical"),
}
_HEADLINE: Final = Text("{what}({level}):{name}", "{what} ({level}): {name}")
_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])\+?[0-9][0-9 -]{9,24}[0-9Xx](?![0-9A-Za-z])")
"""Phone, identity and bank numbers: eleven digits and more."""
_MAIL: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_HIDDEN: Final = "***"


def spoken(text: str) -> str:
    """Return ``text`` without control characters, mail addresses and long numbers."""
    plain = _CONTROL.sub(" ", text.replace("\r\n", "\n"))
    return _MAIL.sub(_HIDDEN, _NUMBER.sub(_HIDDEN, plain))


def titled(title: str, language: Language, *, drill: bool) -> str:
    """Return a title on one line, marked where it belongs to a drill."""
    mark = DRILL.into(language) if drill else ""
    return cut(mark + " ".join(spoken(title).split()), MAX_TITLE)


def headline(event: HouseEvent, language: Language) -> str:
    """Return one line that says what happened, how bad it is, and what it is called."""
    what, level = EVENTS[event.kind].into(language), _SEVERITIES[event.severity].into(language)
    return _HEADLINE.into(language).format(what=what, level=level, name=event.name)


def body(text: str, link: str) -> str:
    """Return the text with the link below it."""
    said = cut(spoken(text).strip(), MAX_TEXT)
    return "\n".join(part for part in (said, link) if part)


def digest(titles: Sequence[str], language: Language) -> tuple[str, str]:
    """Return title and text of one message instead of several."""
    lines = [f"· {title}" for title in titles[:_SHOWN]]
    if len(titles) > _SHOWN:
        lines.append(_MORE.into(language).format(count=len(titles) - _SHOWN))
    return _DIGEST.into(language).format(count=len(titles)), "\n".join(lines)
