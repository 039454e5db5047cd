"""What the use cases of OpenPGP work with and ask alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.ports.openpgp import OpenPgp, OpenPgpStore
from kms.service.system_keys import SystemKeys
from secops.kernel.errors import Invalid
from secops.kernel.parts import Parts

BOX: Final = "openpgp"
MAX_NAME: Final = 100
_UNFIT: Final = frozenset('<>()"\\')
"""Signs that would end a name inside a user id (RFC 9580 §5.11, by RFC 5322)."""


@dataclass(frozen=True, slots=True)
class OpenPgpParts:
    """What the use cases of OpenPGP work with."""

    parts: Parts
    store: OpenPgpStore
    system_keys: SystemKeys
    openpgp: OpenPgp


def is_over(expires_at: int | None, now: int) -> bool:
    """Tell whether the time to ``expires_at`` has passed."""
    return expires_at is not None and expires_at <= now


def check_name(name: str) -> None:
    """Return if ``name`` can stand in a user id; raise ``Invalid``."""
    if not name.strip() or not name.isprintable() or len(name) > MAX_NAME or _UNFIT & set(name):
        msg = f"a name has 1 to {MAX_NAME} printable characters, without brackets and quotes"
        raise Invalid(msg)
