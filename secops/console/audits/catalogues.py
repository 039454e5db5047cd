"""What standards ask: the list of items, and one item with all it is connected with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.models.assessments import STATUSES
from audits.models.catalogue import ItemFilter
from audits.models.systems import ASSET_KINDS
from secops.console.parts import Desk, get_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import READ_CATALOGUES
from secops.web.messages import Request, Response
from secops.web.paging import wanted_page
from secops.web.routes import Route

STANDARDS: Final = {
    "gbt22239": Text("GB/T 22239-2019 等级保护", "GB/T 22239-2019 graded protection"),
    "gbt39786": Text("GB/T 39786-2021 密码应用", "GB/T 39786-2021 use of cryptography"),
}
EXTENSIONS: Final = {
    "cloud": Text("云计算", "Cloud"),
    "mobile": Text("移动互联", "Mobile"),
    "iot": Text("物联网", "Internet of things"),
    "ics": Text("工业控制", "Industrial control"),
}
ASSESS: Final = {
    "auto": Text("自动", "Automatic"),
    "semi": Text("半自动", "Half automatic"),
    "manual": Text("人工", "By people"),
}
STRENGTHS: Final = {
    each.zh: each for each in (Text("可", "may"), Text("宜", "should"), Text("应", "shall"))
}
_COLUMNS: Final = (
    Column("id", N_("编号")),
    Column("class", N_("类别")),
    Column("point", N_("控制点")),
    Column("requirement", N_("要求(释义)")),
    Column("levels", N_("级别")),
    Column("assess", N_("核查方式")),
)


@dataclass(frozen=True, slots=True)
class _Catalogues:
    desk: Desk

    def list_items(self, request: Request) -> Response:
        """Show a standard's items."""
        wanted, language = _wanted(request), request.language
        page = self.desk.parts.audits.catalogues.list_items(
            request.caller, wanted, wanted_page(request)
        )
        rows = [
            (
                Cell(item.id, href=f"/catalogues/{wanted.standard}/{item.id}"),
                Cell(item.class_title if language == "zh" else item.class_title_en),
                Cell(item.control_point.into(language)),
                Cell(item.requirement.into(language)),
                Cell(" ".join(str(level) for level in item.levels)),
                Cell(ASSESS[item.assess].into(language)),
            )
            for item in page.items
        ]
        table = Table(N_("控制项目录"), _COLUMNS, rows, page.next, ordered=True)
        return self.desk.list_page(
            request,
            "audits/catalogue.html",
            table,
            wanted=wanted,
            standards=STANDARDS,
            extensions=EXTENSIONS,
            ways=ASSESS,
        )

    def show_item(self, request: Request) -> Response:
        """Show one item with its evidence, rules, documents, cases and triggers."""
        view = self.desk.parts.audits.catalogues.show_item(
            request.caller, request.args["standard"], request.args["item_id"]
        )
        return self.desk.page(
            request,
            "audits/catalogue_item.html",
            view=view,
            ways=ASSESS,
            kinds=ASSET_KINDS,
            statuses=STATUSES,
            strengths=STRENGTHS,
        )


def _wanted(request: Request) -> ItemFilter:
    query = request.query
    level = query.get("level") or "0"
    if level not in ("0", "1", "2", "3", "4"):
        raise Invalid("a level is from 1 to 4")
    extension = query.get("extension", "")
    return ItemFilter(
        standard=query.get("standard") or "gbt22239",
        level=int(level),
        extensions=(extension,) if extension else (),
        assess=query.get("assess", ""),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the catalogues' pages."""
    here = _Catalogues(desk)
    return (
        get_page("/catalogues", "show_catalogues", READ_CATALOGUES, here.list_items),
        get_page(
            "/catalogues/<standard>/<item_id>",
            "show_catalogue_item",
            READ_CATALOGUES,
            here.show_item,
        ),
    )
