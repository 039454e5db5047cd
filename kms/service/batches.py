"""``batch_input`` of a Transit request: many items, one question whether they may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.transit import requests
from kms.models.keys import DEFAULT_MOUNT
from kms.service.key_use import Fields, Used
from secops.kernel.errors import SecopsError
from secops.kernel.trail import Act

_PLAIN: Final = frozenset({"input", "reference"})


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be done with each item; ``shared`` is what the request says for all of them."""

    verb: str
    items: Sequence[Fields]
    shared: Fields
    mount: str = DEFAULT_MOUNT
    path_hash: str | None = None

    def whole(self, item: Fields) -> Fields:
        """Return ``item`` with what is said for all; its own word counts."""
        return {**self.shared, **item} if self.shared else item


@dataclass(frozen=True, slots=True)
class BatchUsed:
    """One outcome for each item, in order; ``act`` must be durable before any goes out."""

    outcomes: Sequence[Used | SecopsError]
    act: Act


def is_plain(item: Fields) -> bool:
    """Tell whether an item to be signed wishes nothing of its own."""
    return item.keys() <= _PLAIN


def read_batch(
    verb: str, fields: Fields, *, mount: str = DEFAULT_MOUNT, path_hash: str | None = None
) -> Batch | None:
    """Return the batch that the request asks for; None where it is a single one."""
    items = requests.batch_of(fields)
    if items is None:
        return None
    shared = {name: value for name, value in fields.items() if name != "batch_input"}
    return Batch(verb, items, shared, mount, path_hash)
