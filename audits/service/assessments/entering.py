"""What named persons enter: an item's status, checked before it is stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from audits.core.texts import bounded
from audits.models.assessments import STATUSES, PersonEntry, Status
from audits.models.catalogue import Catalogue
from audits.models.evidence import WHOLE
from audits.models.systems import Scope
from secops.kernel.actors import Actor
from secops.kernel.blobs import Blobs
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid, NotFound

MAX_REASON: Final = 2_000
MAX_PERSON: Final = 100
MAX_DAYS: Final = 366
DAYS: Final = 180
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a named person enters for one item, valid for ``days`` (at most a year).

    ``object_id`` names one asset of the system; without it the item as such is judged.
    """

    item_id: str
    status: Status
    reason: str
    person: str
    evidence_digest: str = ""
    days: int = DAYS
    object_id: str = WHOLE


def checked(catalogue: Catalogue, scope: Scope, judgement: Judgement) -> Judgement:
    """Return the judgement with tidy texts; raise ``Invalid`` for one without sense."""
    check_item(catalogue, judgement.item_id)
    if judgement.status not in STATUSES or judgement.status == "unassessed":
        raise Invalid("the status is compliant, partial, noncompliant or not_applicable")
    check_object(scope, judgement.object_id)
    check_days(judgement.days)
    return replace(
        judgement,
        reason=bounded(judgement.reason, MAX_REASON, "reason"),
        person=bounded(judgement.person, MAX_PERSON, "name of the person who judged"),
    )


def check_item(catalogue: Catalogue, item_id: str) -> None:
    """Raise ``Invalid`` unless the standard, or an extension of it, has the item."""
    if item_id not in {item.id for item in catalogue.every}:
        raise Invalid(f"{catalogue.standard} has no item {item_id[:40]!r}")


def check_object(scope: Scope, object_id: str) -> None:
    """Raise ``Invalid`` unless it is the whole or an asset in scope."""
    if object_id != WHOLE and object_id not in {asset.id for asset in scope.assets}:
        raise Invalid(f"the system has no asset {object_id[:40]!r}")


def check_days(days: int) -> None:
    """Raise ``Invalid`` unless an entry may be valid for so long."""
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"an entry is valid for 1 to {MAX_DAYS} days")


def check_digest(digest: str) -> None:
    """Raise ``Invalid`` unless it is a SHA-256 in lower-case hex."""
    if not _DIGEST.fullmatch(digest):
        raise Invalid("evidence is named by its SHA-256 in hex")


def check_kept(blobs: Blobs, digests: Sequence[str]) -> None:
    """Raise ``Invalid`` unless each names a document that is kept here."""
    for digest in digests:
        check_digest(digest)
        try:
            blobs.get(digest)
        except NotFound as error:
            raise Invalid(f"there is no document {digest}: upload it first") from error


def entry_of(
    actor: Actor, judgement: Judgement, system_id: str, *, entry_id: str, now: int
) -> PersonEntry:
    """Return the entry that a judgement makes."""
    return PersonEntry(
        id=entry_id,
        org_id=actor.org_id,
        system_id=system_id,
        item_id=judgement.item_id,
        status=judgement.status,
        reason=judgement.reason,
        evidence_digest=judgement.evidence_digest,
        account_id=actor.id,
        person=judgement.person,
        at=now,
        expires_at=now + judgement.days * DAY,
        object_id=judgement.object_id,
    )
