"""What a block held, and how a process tells another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

_HEAD: Final = 8


@dataclass(slots=True)
class Found:
    """What a block held. Places count its records from 0, blank and bad ones too.

    ``hits`` are (place, rule's position), ``raws`` the records of hits by place. ``batches``
    are the places that were read, ascending, and a hash of each record. ``failed`` says by
    rule why it was given up.
    """

    records: int = 0
    hits: list[tuple[int, int]] = field(default_factory=list)
    raws: dict[int, bytes] = field(default_factory=dict)
    bad: list[tuple[int, str]] = field(default_factory=list)
    batches: list[tuple[Numbers, Numbers]] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return it as bytes: a head in JSON, then what it counts."""
        head = orjson.dumps(
            {
                "records": self.records,
                "hits": self.hits,
                "raws": [(place, len(raw)) for place, raw in self.raws.items()],
                "bad": self.bad,
                "batches": [len(places) for places, _ in self.batches],
                "failed": list(self.failed.items()),
            }
        )
        numbers = [part.tobytes() for batch in self.batches for part in batch]
        parts = (len(head).to_bytes(_HEAD, "big"), head, *self.raws.values(), *numbers)
        return b"".join(parts)

    @classmethod
    def decoded(cls, content: bytes) -> Found:
        """Return what ``encoded`` wrote."""
        at = _HEAD + int.from_bytes(content[:_HEAD], "big")
        head: dict[str, Any] = orjson.loads(content[_HEAD:at])
        raws: dict[int, bytes] = {}
        for place, length in head["raws"]:
            raws[place] = content[at : at + length]
            at += length
        batches: list[tuple[Numbers, Numbers]] = []
        for count in head["batches"]:
            both = np.frombuffer(content[at : at + 16 * count], np.int64)
            batches.append((both[:count], both[count:]))
            at += 16 * count
        return cls(
            records=head["records"],
            hits=[(place, position) for place, position in head["hits"]],
            raws=raws,
            bad=[(place, why) for place, why in head["bad"]],
            batches=batches,
            failed=dict(head["failed"]),
        )
