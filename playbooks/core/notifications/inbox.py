"""What the product's own inbox shows."""

from __future__ import annotations

from typing import Final

from playbooks.models import Notification

INBOX: Final = "inbox"
_MAX_TITLE: Final = 200
_MAX_TEXT: Final = 4_000


def inbox_message(
    identifier: str, place: tuple[str, str], words: tuple[str, str], *, key: str, at: int
) -> Notification:
    """Return ``words`` = (title, text) for ``place`` = (organisation, incident or "")."""
    (org_id, incident_id), (title, text) = place, words
    return Notification(
        id=identifier,
        org_id=org_id,
        incident_id=incident_id,
        channel=INBOX,
        kind=INBOX,
        title=title[:_MAX_TITLE],
        text=text[:_MAX_TEXT],
        key=key,
        at=at,
    )
