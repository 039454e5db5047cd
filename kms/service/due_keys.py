"""Keys that are due for something, a page at a time: none that can't go holds up the others."""

from __future__ import annotations

from collections.abc import Callable

from kms.errors.keys import MaterialTampered
from kms.models.keys import SYSTEM_MOUNT, Key
from kms.ports.keys import Due, KeyIndex
from kms.service.tenants import Tenants
from secops.kernel.parts import Parts


class DueKeys:
    """Walks through what is due, in one process; what could not go is met again at the next walk.

    Keys of a locked organisation wait until it is open again.
    """

    def __init__(self, parts: Parts, index: KeyIndex, what: Due, *, at_once: int) -> None:
        self._parts = parts
        self._tenants = Tenants(parts)
        self._index = index
        self._what: Due = what
        self._at_once = at_once
        self._after: tuple[int, str] | None = None

    def work_off(self, work: Callable[[Key], object]) -> bool:
        """Give the next page's keys to ``work``; True when more wait.

        Raises ``MaterialTampered``, for a row that somebody changed, after all others had their
        turn.
        """
        page = self._parts.transactions.read(
            lambda tx: self._index.due(tx, self._what, self._at_once, after=self._after)
        )
        more = len(page) == self._at_once
        self._after = self._place(page[-1]) if more else None
        tampered: MaterialTampered | None = None
        for key in page:
            if key.mount != SYSTEM_MOUNT and self._tenants.is_locked(key.org_id):
                continue
            try:
                work(key)
            except MaterialTampered as error:
                tampered = error
        if tampered is not None:
            raise tampered
        return more

    def _place(self, key: Key) -> tuple[int, str]:
        return (key.next_rotation_at if self._what == "rotation" else key.destroy_at), key.id
