"""The key pool's rows in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kms.models.keys import Key, KeyGrant, KeyVersion
from kms.ports.keys import Due
from secops.kernel.pages import PageRequest


class FakeRootStore:
    def __init__(self) -> None:
        self._rows: dict[str, bytes] = {}

    def load(self, transaction: Any) -> bytes | None:
        return self._rows.get("root")

    def insert(self, transaction: Any, envelope: bytes) -> bool:
        return self._rows.setdefault("root", envelope) is envelope

    def load_handover(self, transaction: Any) -> bytes | None:
        return self._rows.get("handover")

    def put_handover(self, transaction: Any, handover: bytes | None) -> None:
        self._rows.pop("handover", None)
        if handover is not None:
            self._rows["handover"] = handover


class FakeKeyStore:
    def __init__(self) -> None:
        self._keys: dict[tuple[str, str, str], tuple[Key, bytes]] = {}
        self._versions: dict[tuple[str, int], tuple[KeyVersion, bytes]] = {}
        self._grants: dict[tuple[str, str], tuple[KeyGrant, bytes]] = {}

    def insert(self, transaction: Any, key: Key, tag: bytes) -> bool:
        place = (key.org_id, key.mount, key.name)
        if place in self._keys:
            return False
        self._keys[place] = key, tag
        return True

    def update(self, transaction: Any, before: Key, after: Key, *, tag: bytes) -> bool:
        place = (before.org_id, before.mount, before.name)
        found = self._keys.get(place)
        if found is None or found[0] != before:
            return False
        self._keys[place] = after, tag
        return True

    def find(
        self, transaction: Any, org_id: str, *, mount: str, name: str
    ) -> tuple[Key, bytes] | None:
        return self._keys.get((org_id, mount, name))

    def find_by_id(self, transaction: Any, key_id: str) -> tuple[Key, bytes] | None:
        return next((row for row in self._keys.values() if row[0].id == key_id), None)

    def due(
        self, transaction: Any, what: Due, limit: int, *, after: tuple[int, str] | None = None
    ) -> Sequence[Key]:
        state = "active" if what == "rotation" else "pending_destruction"
        field = "next_rotation_at" if what == "rotation" else "destroy_at"
        rows = [
            (getattr(key, field), key.id, key)
            for key, _ in self._keys.values()
            if key.state == state and 0 < getattr(key, field) <= transaction.now
            if after is None or (getattr(key, field), key.id) > after
        ]
        return [key for _, _, key in sorted(rows, key=lambda row: row[:2])[:limit]]

    def page(
        self,
        transaction: Any,
        org_id: str,
        *,
        mount: str,
        request: PageRequest,
        subject: str | None = None,
    ) -> Sequence[Key]:
        after = "" if request.after is None else str(request.after[0])
        rows = self._of(org_id, mount, subject)
        return [key for key in rows if key.name > after][: request.limit + 1]

    def names(
        self, transaction: Any, org_id: str, *, mount: str, subject: str | None = None
    ) -> Sequence[str]:
        rows = self._of(org_id, mount, subject)
        return [key.name for key in rows if key.state in ("active", "suspended")]

    def _of(self, org_id: str, mount: str, subject: str | None) -> list[Key]:
        rows = [key for key, _ in self._keys.values() if (key.org_id, key.mount) == (org_id, mount)]
        if subject is not None:
            rows = [key for key in rows if (key.id, subject) in self._grants]
        return sorted(rows, key=lambda key: key.name)

    def insert_version(
        self, transaction: Any, key: Key, version: KeyVersion, *, tag: bytes
    ) -> bool:
        place = (version.key_id, version.version)
        if place in self._versions:
            return False
        self._versions[place] = version, tag
        return True

    def versions(self, transaction: Any, key_id: str) -> Sequence[tuple[KeyVersion, bytes]]:
        return [row for place, row in sorted(self._versions.items()) if place[0] == key_id]

    def erase_versions(self, transaction: Any, key_id: str, below: int | None) -> int:
        gone = [
            place
            for place in self._versions
            if place[0] == key_id and (below is None or place[1] < below)
        ]
        for place in gone:
            del self._versions[place]
        return len(gone)

    def put_grant(self, transaction: Any, key: Key, grant: KeyGrant, *, tag: bytes) -> None:
        self._grants[grant.key_id, grant.subject] = grant, tag

    def drop_grant(self, transaction: Any, key_id: str, subject: str) -> bool:
        return self._grants.pop((key_id, subject), None) is not None

    def grants(self, transaction: Any, key_id: str) -> Sequence[tuple[KeyGrant, bytes]]:
        return [row for place, row in sorted(self._grants.items()) if place[0] == key_id]
