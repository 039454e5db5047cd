"""Are the stored logs what was stored? Files against their digests in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from detectors.models.logs import SegmentsVerdict
from detectors.ports import OwnActs, SegmentFiles
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_SEARCH
from secops.kernel.trail import Act

CLOSE_SEGMENT: Final = "detectors.close_segment"
_AT_ONCE: Final = 10_000
_MAY_WAIT: Final = 8


@dataclass(frozen=True, slots=True)
class LogIntegrity:
    """Compares what lies on disk with what the ledger says was written."""

    parts: Parts
    segments: SegmentFiles
    acts: OwnActs

    def verify_segments(self, actor: Actor) -> SegmentsVerdict:
        """Return what is wrong, by name; whoever may search may ask, and it is recorded.

        A segment of which the ledger says nothing is bad too: somebody may have put it there.
        One of the newest eight may be on its way into the ledger: it is listed as waiting.
        """
        self.parts.access.require(actor, LOG_SEARCH, "logs:*")
        checks = list(self.segments.check_segments())
        closed = self._closed_segments()
        unknown = [check.name for check in checks if check.name not in closed]
        newest = {check.name for check in checks[-_MAY_WAIT:]}
        waiting = [name for name in unknown if name in newest]
        bad = [(name, "the ledger knows nothing of it") for name in unknown if name not in newest]
        for check in checks:
            digests = closed.get(check.name, (check.sha256, check.sm3))
            if check.problem is not None:
                bad.append((check.name, check.problem))
            elif digests != (check.sha256, check.sm3):
                bad.append((check.name, "the ledger holds other digests"))
        events = sum(check.events for check in checks)
        verdict = SegmentsVerdict(not bad, len(checks), events, tuple(bad), tuple(waiting))
        details = {"segments": verdict.segments, "bad": len(bad), "waiting": len(waiting)}
        act = Act("detectors.verify_segments", actor, "logs:*", details=details)
        self.parts.trail.append([act])
        return verdict

    def _closed_segments(self) -> dict[str, tuple[str, str]]:
        closed: dict[str, tuple[str, str]] = {}
        first = 0
        while records := self.acts.records_from(first, _AT_ONCE):
            first += len(records)
            for record in records:
                if CLOSE_SEGMENT.encode() not in record:
                    continue
                act = orjson.loads(record)
                if act["action"] == CLOSE_SEGMENT and act["actor"]["kind"] == "system":
                    name = act["target"].removeprefix("segment:")
                    closed[name] = (act["details"]["sha256"], act["details"]["sm3"])
        return closed
