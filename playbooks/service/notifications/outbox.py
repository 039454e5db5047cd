"""Messages are stored with what causes them; a job sends them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from playbooks.core.notifications.wording import MAX_TEXT, spoken, titled
from playbooks.core.webhooks import cut
from playbooks.errors.notifications import TooManyKept
from playbooks.models.notifications import Outgoing
from playbooks.service.notifications.ways import Named
from playbooks.service.surroundings import Surroundings
from secops.kernel.transactions import Transaction

MAX_WAITING: Final = 10_000
"""Messages of one organisation that may wait to leave."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What shall be said, to which channel; ``key`` is the same however often it is asked."""

    org_id: str
    key: str
    event: str
    subject: str
    title: str
    text: str
    path: str = ""
    urgent: bool = False
    drill: bool = False


def key_of(*parts: str) -> str:
    """Return one idempotency key of several parts: 64 hex digits."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def put(s: Surroundings, tx: Transaction, to: Named, letter: Letter, at: int) -> Outgoing:
    """Store a message that leaves at ``at``, once for its key; return it as it is stored.

    Raises ``TooManyKept`` when ten thousand wait already.
    """
    kept = s.stores.notifications.outgoing
    known = kept.find(tx, letter.key)
    if known is not None:
        return known
    if kept.waiting(tx, letter.org_id) >= MAX_WAITING:
        raise TooManyKept
    site = s.options.site
    message = Outgoing(
        id=s.parts.ids.new("out"),
        org_id=letter.org_id,
        channel_id=to.id,
        key=letter.key,
        event=letter.event,
        subject=letter.subject,
        title=titled(letter.title, to.language, drill=letter.drill),
        text=cut(spoken(letter.text), MAX_TEXT),
        link=site + letter.path if site and letter.path else "",
        urgent=letter.urgent,
        drill=letter.drill,
        state="queued",
        tries=0,
        next_at=at,
        created_at=tx.now,
    )
    kept.add(tx, message)
    return message
