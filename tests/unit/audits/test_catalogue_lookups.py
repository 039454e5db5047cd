"""Items are listed in the standard's order, page by page, and shown with what they link to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from audits.adapters.controls import PackagedCatalogues
from audits.api.catalogues import catalogue_routes
from audits.commands.catalogues import list_items, show_item
from audits.core.standards import READERS
from audits.errors import ItemNotFound, UnknownStandard
from audits.models.catalogue import ItemFilter
from audits.service.catalogues.catalogues import CatalogueService
from audits.service.catalogues.documents import item_view_document
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest, decode_cursor, every_item
from secops.terminal.session import Session
from secops.web.messages import Request, Response
from tests.fakes.access import FakeAccess

AUDITOR = Actor("account", "acc_auditor", ROOT_ORG, "审计员", frozenset({"auditor"}))
NOBODY = Actor("account", "acc_staff", ROOT_ORG, "职员", frozenset())
SERVICE = CatalogueService(FakeAccess(), PackagedCatalogues(READERS))


def listed(**wanted: Any) -> list[str]:
    filtered = ItemFilter(**{"standard": "gbt22239", **wanted})
    return [
        item.id for item in every_item(lambda page: SERVICE.list_items(AUDITOR, filtered, page))
    ]


def test_pages_hold_every_item_once_and_in_order() -> None:
    three = listed(level=3)
    assert len(three) == len(set(three)) == 211
    assert three[0] == "L3-PES1-01"
    first = SERVICE.list_items(AUDITOR, ItemFilter(standard="gbt22239"), PageRequest(5))
    assert [item.id for item in first.items] == listed()[:5]
    assert first.next is not None
    assert decode_cursor(first.next) == (4,)


def test_items_are_filtered() -> None:
    assert len(listed(level=3, assess="auto")) == 68
    assert len(listed(level=3, class_code="CES")) == 34
    assert len(listed(level=3, extensions=("cloud",))) == 211 + 46
    assert len(listed(standard="gbt39786", level=2)) == 27
    assert listed(class_code="XYZ") == []


def test_what_can_not_be_asked_is_refused() -> None:
    page = PageRequest()
    for wanted in (
        ItemFilter(standard="gbt22239", level=5),
        ItemFilter(standard="gbt22239", extensions=("sky",)),
    ):
        with pytest.raises(Invalid):
            SERVICE.list_items(AUDITOR, wanted, page)
    with pytest.raises(UnknownStandard):
        SERVICE.list_items(AUDITOR, ItemFilter(standard="../x"), page)
    with pytest.raises(Invalid):
        SERVICE.list_items(AUDITOR, ItemFilter(standard="gbt22239"), PageRequest(5, ("x",)))
    with pytest.raises(ItemNotFound):
        SERVICE.show_item(AUDITOR, "gbt22239", "L3-CES1-16")
    with pytest.raises(UnknownStandard):
        SERVICE.show_item(AUDITOR, "gbt1", "L3-CES1-01")


def test_who_holds_no_right_sees_nothing() -> None:
    with pytest.raises(Forbidden):
        SERVICE.list_items(NOBODY, ItemFilter(standard="gbt22239"), PageRequest())
    with pytest.raises(Forbidden):
        SERVICE.show_item(NOBODY, "gbt22239", "L3-CES1-01")


def test_an_item_is_shown_with_all_it_links_to() -> None:
    document = item_view_document(SERVICE.show_item(AUDITOR, "gbt22239", "L3-CES1-23"))
    assert document["checked"] is True
    assert [each["id"] for each in document["cases"]] == ["6.4.4.1"]
    assert document["cases"][0]["never_lowered_if"]["zh"] == "对象为 Windows 系统"
    assert [each["id"] for each in document["triggers"]] == ["A-23"]
    assert "windows_malware_found" in document["rules"]
    kinds = [each["kind"] for each in document["evidence"]]
    assert kinds[:2] == ["av.status", "edr.alert"]
    assert "host.antivirus" in kinds
    assert {each["object"] for each in document["asked"]} >= {"", "host"}
    assert document["levels"]["3"] == {
        "id": "L3-CES1-23",
        "official": True,
        "clause": "8.1.4.5",
        "differs": False,
        "weight": "1",
        "strength": None,
    }
    assert document["levels"]["2"]["official"] is False
    papers = item_view_document(SERVICE.show_item(AUDITOR, "gbt22239", "L3-CMS2-02"))
    assert [each["id"] for each in papers["documents"]] == ["cloud_agreements"]
    assert len(papers["doubts"]) > len(document["doubts"])


def test_a_unit_of_cryptography_is_shown_with_weight_and_strength() -> None:
    document = item_view_document(SERVICE.show_item(AUDITOR, "gbt39786", "MP-6.2.4"))
    assert document["levels"]["4"]["weight"] == "0.7"
    assert document["levels"]["4"]["strength"] == "应"
    assert document["class_title"]["zh"] == "网络和通信"


def ask(path: int, query: str, **args: str) -> Mapping[str, Any]:
    request = Request(method="GET", path="/", query_string=query, args=args, actor=AUDITOR)
    answer: Response = catalogue_routes(SERVICE)[path].handler(request)
    found: Mapping[str, Any] = orjson.loads(answer.body)
    return found


def test_the_same_over_http() -> None:
    page = ask(0, "level=3&class=SMC&extensions=cloud,ics&limit=3&standard=gbt22239")
    assert [item["id"] for item in page["items"]] == ["L3-SMC1-01", "L3-SMC1-02", "L3-SMC1-03"]
    assert page["next"]
    shown = ask(1, "", item_id="L3-SMC1-01")
    assert shown["edition"] == "GB/T 22239-2019"
    assert ask(1, "standard=gbt39786", item_id="MP-6.1.1")["edition"] == "GB/T 39786-2021"
    with pytest.raises(Invalid):
        ask(0, "level=9")


class Services:
    catalogues = SERVICE


class CatalogueSession(Session):
    def __init__(self) -> None:
        super().__init__(Path("nowhere"), None, self._no_house, lambda home: [home])

    @staticmethod
    def _no_house(home: Path) -> Any:
        msg = f"the house {home} is opened"
        raise AssertionError(msg)

    @property
    def actor(self) -> Actor:
        return AUDITOR

    def services(self, kind: type) -> Any:
        del kind
        return Services()


def test_the_same_on_the_command_line() -> None:
    runner, session = CliRunner(), CatalogueSession()
    table = runner.invoke(
        list_items, ["--level", "3", "--class", "SMC", "--limit", "2"], obj=session
    )
    assert table.exit_code == 0
    assert "L3-SMC1-02" in table.output
    assert "there are more" in table.output
    chosen = ["--assess", "auto", "--level", "3", "--limit", "200", "--json"]
    page = orjson.loads(runner.invoke(list_items, chosen, obj=session).output)
    assert len(page["items"]) == 68
    shown = runner.invoke(show_item, ["L3-CES1-01"], obj=session)
    assert "root_password_changed" in shown.output
    document = orjson.loads(runner.invoke(show_item, ["L3-CES1-01", "--json"], obj=session).output)
    assert document["id"] == "L3-CES1-01"
