"""What several pages of the register share."""

from __future__ import annotations

from typing import Final

from audits.models.systems import Asset
from audits.service.systems.documents import asset_document
from audits.service.systems.forms import shown
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.pages import Page
from secops.web.messages import Request

STANDING_BADGES: Final = {"unknown": "warn", "good": "good", "soon": "warn", "late": "bad"}
ACCESS_BADGES: Final = {"coming": "", "current": "good", "expired": "bad", "ended": ""}
_COLUMNS: Final = (
    Column("name", N_("资产")),
    Column("kind", N_("类别")),
    Column("address", N_("地址")),
    Column("importance", N_("重要程度")),
    Column("department", N_("责任部门")),
    Column("place", N_("位置")),
    Column("grade", N_("数据级别")),
    Column("sources", N_("日志来源")),
)


def asset_table(request: Request, page: Page[Asset]) -> Table:
    """Return a page of assets as a table."""
    rows = [_row(request, asset) for asset in page.items]
    return Table(N_("资产"), _COLUMNS, rows, page.next, N_("还没有登记资产"))


def asset_texts(asset: Asset) -> dict[str, str]:
    """Return an asset's fields as texts."""
    return {name: str(text or "") for name, text in asset_document(asset).items()}


def _row(request: Request, asset: Asset) -> tuple[Cell, ...]:
    texts = shown(asset_texts(asset), request.language)
    return (
        Cell(asset.name, href=f"/systems/{asset.system_id}/assets/{asset.id}"),
        Cell(texts["kind"]),
        Cell(asset.address),
        Cell(texts["importance"], sort=asset.importance),
        Cell(asset.department),
        Cell(asset.place),
        Cell(texts["data_grade"], sort=asset.data_grade),
        Cell("、".join(asset.log_sources)),
    )
