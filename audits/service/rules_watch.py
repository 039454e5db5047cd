"""Watching the rules that ship with the product: whoever edits them on the server is seen.

They decide what is found and how items are judged, and no database holds them. The ledger says
which were there since when, and names the files that changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from audits.core.entries import parse_record
from audits.models import EntryFilter
from audits.ports.ledger import LedgerReader
from audits.ports.rules import ReadShippedRules, ShippedRules
from secops.kernel.actors import system_actor
from secops.kernel.canonical import canonical_record
from secops.kernel.errors import SecopsError
from secops.kernel.parts import Parts
from secops.kernel.trail import Act

ACTION: Final = "audits.load_rules"
_ACTOR: Final = system_actor("rules")
_NAMED: Final = 50
_MAX_NAME: Final = 200

Kind = Literal["first", "release", "edited"]
"""Seen for the first time; come with another release; changed within one release."""


@dataclass(frozen=True, slots=True)
class RulesWatch:
    """Compares what ships with what the ledger says was there last."""

    parts: Parts
    ledger: LedgerReader
    read: ReadShippedRules

    def watch(self) -> bool:
        """Record the rules if they are others than at the last time."""
        shipped = self.read()
        manifest = canonical_record({"release": shipped.release, "files": dict(shipped.files)})
        last = self._last()
        if last.get("sha256") != hashlib.sha256(manifest).hexdigest():
            changed = _changed(self._files(last), shipped.files)
            details = {
                "kind": _kind(last, shipped),
                "release": shipped.release,
                "files": len(shipped.files),
                "sha256": self.parts.blobs.put(manifest),
                "changed": len(changed),
                "names": [name[:_MAX_NAME] for name in changed[:_NAMED]],
            }
            self.parts.trail.append([Act(ACTION, _ACTOR, "rules:shipped", details=details)])
        return False

    def _last(self) -> Mapping[str, Any]:
        """Return the details of the last entry; none where nothing was recorded yet."""
        rows = self.ledger.search(EntryFilter(action=ACTION), 1, None)
        if not rows:
            return {}
        (stored,) = self.ledger.entries(rows[0].index, 1)
        details: Mapping[str, Any] = parse_record(stored.entry.record)["details"]
        return details

    def _files(self, last: Mapping[str, Any]) -> Mapping[str, str]:
        if not last:
            return {}
        try:
            files: Mapping[str, str] = orjson.loads(self.parts.blobs.get(last["sha256"]))["files"]
        except SecopsError:
            return {}  # the list is gone or was changed: then every file counts as changed
        return files


def _kind(last: Mapping[str, Any], shipped: ShippedRules) -> Kind:
    if not last:
        return "first"
    return "edited" if last["release"] == shipped.release else "release"


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the paths that came, went or differ."""
    return sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
