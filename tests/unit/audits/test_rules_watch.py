"""What ships with the product is recorded when it changes, by kind and by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from audits.adapters.controls import PackagedCatalogues
from audits.adapters.shipped_rules import shipped_rules
from audits.core.gbt22239.catalogue import read_catalogue
from audits.ports.rules import ShippedRules
from audits.service.rules_watch import RulesWatch
from secops.kernel.trail import MAX_RECORD, encode_act
from tests.fakes.ledger_rig import LedgerRig, ledger_rig
from tests.fakes.parts import Fakes, fakes

ITEMS = "controls/gbt22239/items.json"


@dataclass
class Server:
    """A server whose rules a test changes; what is recorded enters a real ledger."""

    rig: LedgerRig
    fakes: Fakes = field(default_factory=fakes)
    release: str = "0.1.0"
    files: dict[str, str] = field(default_factory=lambda: {ITEMS: "aa", "sigma/web/x.yml": "bb"})

    def look(self) -> list[dict[str, Any]]:
        """Return the details of what this look recorded."""
        before = len(self.fakes.trail.acts)
        read = lambda: ShippedRules(self.release, dict(self.files))  # noqa: E731 - reads anew
        assert RulesWatch(self.fakes.parts, self.rig.store, read).watch() is False
        acts = self.fakes.trail.acts[before:]
        for act in acts:
            self.rig.doors.put("database", encode_act(act, self.rig.clock.now()))
        self.rig.sequencer.drain()
        return [dict(act.details) for act in acts]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    rig = ledger_rig(tmp_path / "home")
    yield Server(rig)
    rig.close()


def test_the_first_look_is_recorded_and_none_after_it(server: Server) -> None:
    (first,) = server.look()
    assert (first["kind"], first["files"], first["changed"]) == ("first", 2, 2)
    assert len(first["sha256"]) == 64
    assert server.look() == []


def test_who_edits_adds_or_removes_a_file_is_named_by_it(server: Server) -> None:
    server.look()
    server.files[ITEMS] = "cc"
    (edited,) = server.look()
    assert (edited["kind"], edited["names"]) == ("edited", [ITEMS])
    server.files["sigma/web/quiet.yml"] = "dd"
    del server.files["sigma/web/x.yml"]
    (more,) = server.look()
    assert more["names"] == ["sigma/web/quiet.yml", "sigma/web/x.yml"]
    server.files = {ITEMS: "aa", "sigma/web/x.yml": "bb"}
    (back,) = server.look()
    assert (back["kind"], back["changed"]) == ("edited", 3), "putting it back is a change, too"


def test_another_release_brings_other_rules(server: Server) -> None:
    server.look()
    server.release, server.files[ITEMS] = "0.2.0", "cc"
    (found,) = server.look()
    assert (found["kind"], found["release"], found["names"]) == ("release", "0.2.0", [ITEMS])


def test_a_list_that_is_gone_makes_every_file_a_change(server: Server) -> None:
    server.look()
    server.fakes.blobs.kept.clear()
    server.files[ITEMS] = "cc"
    (found,) = server.look()
    assert (found["kind"], found["changed"]) == ("edited", 2)


def test_a_flood_of_files_does_not_outgrow_a_record(server: Server) -> None:
    server.files |= {f"sigma/{'条' * 300}{number}": "ee" for number in range(5_000)}
    (found,) = server.look()
    assert (found["changed"], len(found["names"])) == (5_002, 50)
    assert len(encode_act(server.fakes.trail.acts[-1], 0)) < MAX_RECORD


def test_the_installed_rules_are_read_by_content(tmp_path: Path) -> None:
    (tmp_path / "controls").mkdir()
    (tmp_path / "controls" / "a.json").write_text("{}")
    (tmp_path / "controls" / "loop").symlink_to(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_bytes(b"x")
    empty_object = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert shipped_rules(tmp_path).files == {"controls/a.json": empty_object}
    real = shipped_rules()
    assert real.files[ITEMS] != ""
    assert len(real.files) > 500


def test_a_catalogue_says_by_what_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """One word in one file is another digest."""
    from audits.adapters import controls  # noqa: PLC0415 - its cache is emptied here

    packaged = PackagedCatalogues({"gbt22239": read_catalogue})
    before = packaged.read("gbt22239").digest
    data = controls.catalogue_data("gbt22239")
    data["items"][0]["paraphrase_en"] += "!"
    controls._read.cache_clear()
    try:
        monkeypatch.setattr(controls, "catalogue_data", lambda _: data)
        assert packaged.read("gbt22239").digest != before
    finally:
        controls._read.cache_clear()
    monkeypatch.undo()
    assert packaged.read("gbt22239").digest == before
