"""Who edits the rules on the server is seen by the platform's own watch."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from audits.ports.rules import ShippedRules
from audits.service.rules_watch import RulesWatch
from secops.app import open_house
from secops.bridges.house import House
from tests.fakes.demo_site import make_demo_home
from tests.fakes.own_alerts import raised_by, watch_itself

EDITED = "platform_rules_edited"
ITEMS = "controls/gbt22239/items.json"


def watched(house: House, watch: RulesWatch) -> list[str]:
    watch.watch()
    watch_itself(house)
    return [alert.severity for alert in raised_by(house, EDITED)]


def test_an_edited_catalogue_is_an_alert_and_the_installed_one_is_not(tmp_path: Path) -> None:
    make_demo_home(tmp_path / "home")
    with closing(open_house(tmp_path / "home")) as house:
        watch = house.audits.rules_watch
        shipped = watch.read()
        edited = {**shipped.files, ITEMS: "00" * 32}
        bent = replace(watch, read=lambda: ShippedRules(shipped.release, edited))
        assert watched(house, watch) == []
        assert watched(house, watch) == []
        assert watched(house, bent) == ["high"]
        assert watched(house, bent) == ["high"]
