"""The hash chain over what a bulk action wrote: one value in the ledger for all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from secops.kernel.canonical import canonical_record


def extended_root(root: str, written: Iterable[tuple[str, int]]) -> str:
    """Return the chain behind ``root`` over (alert id, version after it), as hex.

    Each link is SHA-256(link before ‖ RFC 8785 of the pair); the first link before is empty.
    Whoever holds the items in their order can compute it again, however they were chunked.
    """
    for alert_id, version in written:
        record = canonical_record({"alert": alert_id, "version": version})
        root = hashlib.sha256(bytes.fromhex(root) + record).hexdigest()
    return root
