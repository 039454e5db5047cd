"""What every change of the register has in common: bounds, versions, acts with differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.core.register.changes import changes
from audits.core.register.fields import Fault, Field, read_fields, strangers
from audits.errors import ChangedMeanwhile, FieldRefused, Retired
from audits.models.systems import RegisterKind, RegisterVersion, SupplierAccess
from audits.ports.systems import (
    ActiveAccounts,
    Assets,
    FilingPapers,
    KnownSources,
    RegisterHistory,
    Spreadsheets,
    SupplierAccesses,
    Systems,
)
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_SYSTEMS: Final = 500
MAX_ASSETS: Final = 20_000
MAX_ACCESSES: Final = 5_000
MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class RegisterStores:
    """Where the register is kept."""

    systems: Systems
    assets: Assets
    accesses: SupplierAccesses
    history: RegisterHistory


@dataclass(frozen=True, slots=True)
class RegisterParts:
    """What the services of the register share."""

    parts: Parts
    stores: RegisterStores
    log_sources: KnownSources
    accounts: ActiveAccounts
    spreadsheets: Spreadsheets
    filing_papers: FilingPapers


@dataclass(frozen=True, slots=True)
class Kept:
    """Something in the register as it is written down: before and after, as texts."""

    kind: RegisterKind
    object_id: str
    version: int
    before: Mapping[str, str]
    after: Mapping[str, str]


def read_written(
    fields: Sequence[Mapping[str, Field]], written: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the values of each family of ``fields``; raise ``FieldRefused`` for the first fault.

    A name that is none of the fields is refused too: nothing that was typed is dropped silently.
    """
    unknown = strangers(fields, written)
    if unknown:
        raise FieldRefused(f"there is no field {unknown[0][:60]!r}", field=unknown[0][:60])
    read = [read_fields(family, written) for family in fields]
    faults = [fault for _, found in read for fault in found]
    if faults:
        raise refused_field(faults[0], fields)
    return [values for values, _ in read]


def refused_field(fault: Fault, fields: Sequence[Mapping[str, Field]]) -> FieldRefused:
    """Return the refusal of one field, in both languages."""
    title = next(family[fault.field].title for family in fields if fault.field in family)
    zh, en = f"{title.zh}:{fault.what.zh}", f"{title.en}: {fault.what.en}"
    return FieldRefused(en, field=fault.field, because_zh=zh, because_en=en)


def needed(written: Mapping[str, str], names: Sequence[str], fields: Mapping[str, Field]) -> None:
    """Raise ``FieldRefused`` where one of ``names`` was not written at all."""
    for name in names:
        if not written.get(name, "").strip():
            title = fields[name].title
            raise FieldRefused(
                f"{title.en} is needed",
                field=name,
                because_zh=f"请填写{title.zh}",
                because_en=f"{title.en} is needed",
            )


def unchanged(seen: int, stored: int, retired_at: int) -> None:
    """Raise ``Retired``, or ``ChangedMeanwhile`` where ``stored`` is not the version ``seen``."""
    if retired_at:
        raise Retired
    if seen != stored:
        raise ChangedMeanwhile(f"version {stored} is stored, {seen} was read")


def active_accounts(
    register: RegisterParts, actor: Actor, accesses: Sequence[SupplierAccess]
) -> Mapping[str, bool]:
    """Return whether the accounts that ``accesses`` name may act; unknown ones are missing."""
    names = sorted({access.account for access in accesses if access.account})
    return register.accounts(actor.org_id, names) if names else {}


def keep_version(
    register: RegisterParts, tx: Transaction, actor: Actor, verb: str, kept: Kept
) -> None:
    """Keep a version as it stands now."""
    register.stores.history.add(
        tx,
        RegisterVersion(
            org_id=actor.org_id,
            kind=kept.kind,
            object_id=kept.object_id,
            version=kept.version,
            at=tx.now,
            by=actor.id,
            action=verb,
            content=dict(kept.after),
        ),
    )


def note(register: RegisterParts, tx: Transaction, actor: Actor, verb: str, kept: Kept) -> None:
    """Keep a version and record what changed."""
    keep_version(register, tx, actor, verb, kept)
    details = {"version": kept.version, "changes": changes(kept.before, kept.after)}
    tx.record(Act(f"audits.{verb}", actor, f"{kept.kind}:{kept.object_id}", details=details))
