"""How a supplier's access is written as texts and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from audits.core.register.dates import date_text
from audits.core.register.fields import Field, dated, plain
from audits.errors import FieldRefused
from audits.models.systems import SupplierAccess
from secops.kernel.clock import DAY

ACCESS_FIELDS: Final[Mapping[str, Field]] = {
    field.name: field
    for field in (
        plain("supplier", "供应商", "Supplier", needed=True),
        plain("person", "人员", "Person", needed=True),
        plain("purpose", "用途", "Purpose", needed=True),
        plain("account", "账户", "Account"),
        plain("approved_by", "批准人", "Approved by"),
        dated("starts_at", "开始日期", "From"),
        dated("ends_at", "截止日期", "Until"),
    )
}


def access_of(
    values: Mapping[str, Any], access_id: str, org_id: str, system_id: str
) -> SupplierAccess:
    """Return the access; its last day counts whole. Raises ``FieldRefused`` if it ends first."""
    access = SupplierAccess(id=access_id, org_id=org_id, system_id=system_id, **values)
    if access.ends_at < access.starts_at:
        raise FieldRefused(
            "it ends before it begins",
            field="ends_at",
            because_zh="截止日期早于开始日期",
            because_en="it ends before it begins",
        )
    # up to the end of the last day in Beijing, of which the date is the beginning
    return replace(access, ends_at=access.ends_at + DAY)


def access_texts(access: SupplierAccess) -> dict[str, str]:
    """Return an access's fields as texts; its last day, and when it was ended."""
    texts = {name: field.write(getattr(access, name)) for name, field in ACCESS_FIELDS.items()}
    texts["ends_at"] = date_text(access.ends_at - 1)
    return texts | {"system_id": access.system_id, "ended_at": date_text(access.ended_at)}
