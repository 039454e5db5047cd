"""What a mandate says: its one byte form, which is signed, and what it covers."""

from __future__ import annotations

from typing import Final

from iam.errors import InvalidRequest
from iam.models.accounts import LegalPerson, Mandate
from secops.kernel.canonical import canonical_record
from secops.kernel.clock import DAY

MAX_LIFE: Final = 1_096 * DAY
MAX_COVERED: Final = 100
_VERSION: Final = "secops-mandate/v1"


def mandate_text(mandate: Mandate, legal: LegalPerson) -> bytes:
    """Return the bytes that the key pool signs: everything but when it was revoked."""
    return canonical_record(
        {
            "v": _VERSION,
            "id": mandate.id,
            "org": mandate.org_id,
            "legal_person": legal.id,
            "credit_code": legal.credit_code,
            "agent": mandate.agent_id,
            "granter": mandate.granter_id,
            "scope": mandate.scope,
            "services": sorted(mandate.services),
            "seals": sorted(mandate.seals),
            "starts_at": mandate.starts_at,
            "ends_at": mandate.ends_at,
            "granted_at": mandate.granted_at,
        }
    )


def check_dates(now: int, starts_at: int, ends_at: int) -> None:
    """Raise ``InvalidRequest`` unless it ends in the future, after its start, within 3 years."""
    if not now < ends_at or not starts_at < ends_at:
        msg = "a mandate ends in the future and after it starts"
        raise InvalidRequest(msg)
    if ends_at - max(starts_at, now) > MAX_LIFE or ends_at - now > 2 * MAX_LIFE:
        msg = "a mandate lasts three years at most"
        raise InvalidRequest(msg)


def check_covered(services: tuple[str, ...], seals: tuple[str, ...]) -> None:
    """Raise ``InvalidRequest`` unless something is named, at most 100 things, none twice."""
    named = (*services, *seals)
    fits = 0 < len(named) <= MAX_COVERED and all(0 < len(name) <= 128 for name in named)  # noqa: PLR2004 - ids of ours are shorter
    if not fits or len(set(services)) != len(services) or len(set(seals)) != len(seals):
        msg = "a mandate names 1 to 100 services or seals, each once"
        raise InvalidRequest(msg)


def holds(mandate: Mandate, now: int) -> bool:
    """Tell whether it was not revoked and its time has come and is not over."""
    return mandate.revoked_at is None and mandate.starts_at <= now < mandate.ends_at


def covers(mandate: Mandate, kind: str, identifier: str) -> bool:
    """Tell whether it covers the ``service`` or ``seal`` of this id."""
    named = {"service": mandate.services, "seal": mandate.seals}.get(kind, ())
    return identifier in named
