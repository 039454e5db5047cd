"""Rule folders that come as a zip over HTTP: taken as from disk, refused for any doubt."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from detectors.adapters import rule_archives
from detectors.adapters.rule_archives import collect_archive
from detectors.adapters.rule_folders import LocalRuleFolders
from detectors.api.rule_folders import rule_folder_routes
from detectors.errors import RuleFolderRefused
from detectors.service.rules.rule_folders import RuleFolderService
from detectors.store.rule_folders import DatabaseRuleFolders
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, Invalid
from secops.web.messages import Request
from tests.fakes.clock import FakeClock
from tests.fakes.detection_house import ANALYST, SECURITY_ADMIN
from tests.fakes.parts import database_spine

RULE = (
    "title: Foreign\nid: 00000000-0000-4000-8000-000000000001\nstatus: stable\nlevel: high\n"
    "logsource: {product: windows}\ndetection: {sel: {A: 1}, condition: sel}\n"
)


def archive(
    *entries: tuple[str | zipfile.ZipInfo, str], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as made:
        for name, content in entries:
            made.writestr(name, content)
    return stream.getvalue()


def odd(name: str, kind: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (kind | 0o777) << 16
    return entry


@dataclass
class House:
    folders: RuleFolderService
    home: Path

    def send(self, body: bytes, caller: Actor = SECURITY_ADMIN, **query: str) -> Any:
        routes = rule_folder_routes(self.folders)
        (route,) = (each for each in routes if each.operation == "import_rule_archive")
        request = Request(
            method=route.method,
            path=route.path,
            args={"name": "sigma"},
            query_string=urlencode({"licence": "DRL-1.1", **query}),
            body=body,
            headers={"content-length": str(len(body))},
            actor=caller,
        )
        answer = route.handler(request)
        return answer.status, json.loads(answer.body)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    spine = database_spine(tmp_path, clock=FakeClock())
    folders = RuleFolderService(spine.parts, DatabaseRuleFolders(), LocalRuleFolders(tmp_path))
    yield House(folders, tmp_path)
    spine.close()


def test_a_sent_folder_is_taken_as_one_on_this_machine(house: House, tmp_path: Path) -> None:
    entries = [("sigma/rules/a.yml", RULE), ("sigma/LICENSE", "DRL 1.1"), ("sigma/x.py", "no")]
    folder = tmp_path / "there"
    for name, content in entries:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    status, sent = house.send(archive(("sigma/", ""), *entries, ("sigma/.git/b.yml", RULE)))

    assert (status, sent["rules"], sent["files"], sent["licence"]) == (201, 1, 1, "DRL-1.1")
    assert sent["would_enable"] == {"statuses": [], "levels": [], "rules": 0}
    assert collect_archive(archive(*entries)) == LocalRuleFolders(tmp_path).collect(folder)
    shown, notices = house.folders.show_folder(ANALYST, "sigma")
    assert (shown.imported_by, notices) == (SECURITY_ADMIN.id, {"sigma/LICENSE": "DRL 1.1"})


def test_only_who_may_import_sends_one_and_names_a_licence(house: House) -> None:
    with pytest.raises(Forbidden):
        house.send(archive(("a.yml", RULE)), ANALYST)
    with pytest.raises(Invalid):
        house.send(archive(("a.yml", RULE)), licence=" ")
    assert list(house.folders.list_folders(ANALYST)) == []


@pytest.mark.parametrize(
    "name",
    [
        "../a.yml",
        "x/../../a.yml",
        "/etc/a.yml",
        "..\\a.yml",
        "C:a.yml",
        "a\nb.yml",
        "d/" * 14 + "a.yml",
    ],
)
def test_a_name_that_leads_elsewhere_refuses_the_whole(house: House, name: str) -> None:
    before = sorted(house.home.rglob("*.yml"))

    with pytest.raises(RuleFolderRefused):
        house.send(archive(("good.yml", RULE), (name, RULE)))
    assert sorted(house.home.rglob("*.yml")) == before
    assert list(house.folders.list_folders(ANALYST)) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK])
def test_what_is_no_plain_file_refuses_the_whole(kind: int) -> None:
    with pytest.raises(RuleFolderRefused, match="no plain file"):
        collect_archive(archive((odd("a.yml", kind), "/etc/passwd")))


def test_names_that_are_there_twice_refuse_the_whole() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        content = archive(("a.yml", RULE), ("a.yml", RULE + "#"))

    with pytest.raises(RuleFolderRefused, match="twice"):
        collect_archive(content)


def test_bombs_are_refused_by_what_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = "#" * (1 << 20)
    with pytest.raises(RuleFolderRefused, match="larger than"):
        collect_archive(archive(("a.yml", zeros + "x")))
    monkeypatch.setattr(rule_archives, "MAX_UNPACKED", 2 << 20)
    with pytest.raises(RuleFolderRefused, match="in all"):
        collect_archive(archive(*((f"{n}.yml", zeros) for n in range(3))))
    monkeypatch.setattr(rule_archives, "MAX_ENTRIES", 4)
    with pytest.raises(RuleFolderRefused, match="lists more"):
        collect_archive(archive(*((f"{n}.txt", "") for n in range(5))))


def test_a_size_that_lies_does_not_make_room() -> None:
    content = archive(("a.yml", "#" * (2 << 20)))
    lying = content.replace((2 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))

    assert lying != content
    with pytest.raises(RuleFolderRefused):
        collect_archive(lying)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        archive(("a.yml", RULE))[:-30],
        archive(("a.yml", RULE), method=zipfile.ZIP_LZMA),
        archive(("a.yml", RULE), method=zipfile.ZIP_STORED).replace(b"title", b"tittle"),
        archive(("a.yml", RULE)).replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
        ),
    ],
)
def test_a_damaged_encrypted_or_foreign_archive_is_refused(content: bytes) -> None:
    with pytest.raises(RuleFolderRefused):
        collect_archive(content)


def test_an_archive_without_any_rule_is_refused(house: House) -> None:
    with pytest.raises(RuleFolderRefused, match="no rule"):
        house.send(archive(("readme.md", "x")), origin="https://example.invalid")
