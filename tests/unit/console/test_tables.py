from __future__ import annotations

from secops.console.tables import Cell, Column, Table, export_table, view_table
from secops.web.messages import Request

TABLE = Table(
    "告警",
    (Column("name", "名称"), Column("count", "数量")),
    ((Cell("b"), Cell("2", sort=2)), (Cell("a"), Cell("10", sort=10))),
    next="CUR",
)


def names(request: Request) -> list[str]:
    return [row[0].text for row in view_table(request, TABLE).rows]


def test_rows_keep_their_order_until_a_column_is_chosen() -> None:
    assert names(Request("GET", "/")) == ["b", "a"]
    assert names(Request("GET", "/", "sort=name")) == ["a", "b"]
    assert names(Request("GET", "/", "sort=count&order=desc")) == ["a", "b"]
    assert names(Request("GET", "/", "sort=nonsense")) == ["b", "a"]


def test_headings_turn_the_order_around_and_say_which_it_is() -> None:
    view = view_table(Request("GET", "/", "sort=name"), TABLE)
    assert [heading.direction for heading in view.headings] == ["ascending", "none"]
    assert view.headings[0].href == "?sort=name&order=desc"
    assert view.next_href == "?sort=name&cursor=CUR"
    assert view.export_href == "?sort=name&format=csv"
    back = view_table(Request("GET", "/", "sort=name&order=desc"), TABLE)
    assert (back.headings[0].direction, back.headings[0].href) == (
        "descending",
        "?sort=name&order=asc",
    )


def test_an_export_computes_nothing() -> None:
    table = Table("x", (Column("a", "名称"),), ((Cell("=1+1"),), (Cell("@cmd"),), (Cell("张三"),)))
    answer = export_table(Request("GET", "/"), table, "list")
    assert answer.body.decode("utf-8-sig").splitlines() == ["名称", "'=1+1", "'@cmd", "张三"]
    assert answer.header("content-disposition") == 'attachment; filename="list.csv"'


def test_numbers_sort_as_numbers_and_times_as_times() -> None:
    assert Cell("10", sort=10).key > Cell("9", sort=9).key
    assert Cell("", instant=5).key < Cell("", instant=6).key
    assert Cell("x").key > Cell("", sort=10**20).key
