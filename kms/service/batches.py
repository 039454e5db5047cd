"""``batch_input`` of a Transit request."""

from __future__ import annotations

from kms.core.transit import requests
from kms.service.transit import Fields


def read_batch(fields: Fields) -> list[Fields] | None:
    """Return the items of ``batch_input``; each inherits what the request says for all.

    None where the request is a single one.
    """
    batch = requests.batch_of(fields)
    if batch is None:
        return None
    shared = {name: value for name, value in fields.items() if name != "batch_input"}
    return [{**shared, **item} for item in batch]
