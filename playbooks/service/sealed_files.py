"""Files that people hand in: encrypted blobs, each bound to the row that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playbooks.service.surroundings import Surroundings
from secops.crypto.hashes import sm3
from secops.kernel.errors import Conflict, Forbidden, NotFound, Unavailable


@contextmanager
def sealed_file(s: Surroundings, owner: str, content: bytes) -> Iterator[str]:
    """Keep ``content`` for the row ``owner`` and give the blob's name; refused, it is dropped.

    After any other fault it stays: the row may be stored, and what was handed in is not lost.
    """
    blob = s.parts.blobs.put(s.ports.secret_box.seal(content, _binding(owner)))
    try:
        yield blob
    except (Conflict, Forbidden, NotFound):
        s.parts.blobs.drop(blob)
        raise


def open_file(s: Surroundings, owner: str, blob: str, digest: str) -> bytes:
    """Return the content kept for ``owner``; raise ``Unavailable`` unless its SM3 is ``digest``."""
    content = s.ports.secret_box.open(s.parts.blobs.get(blob), _binding(owner))
    if sm3(content).hex() != digest:
        msg = f"the content of {owner} is not what was kept"
        raise Unavailable(msg)
    return content


def _binding(owner: str) -> bytes:
    return f"file|{owner}".encode()
