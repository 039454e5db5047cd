"""Bundles over HTTP and on the command line: the same services, answers as documented."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from audits.api.collectors import collectors_routes
from audits.commands.collectors import (
    import_bundle,
    list_bundles,
    list_collections,
    show_bundle,
)
from audits.errors import AssetNotMatched, BundleRejected
from audits.models.collectors import MAX_BUNDLE_BYTES
from audits.models.systems import THIS_INSTANCE
from audits.service.collectors.collectors import CollectorService
from audits.store.collectors import DatabaseCollections
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, Invalid, LengthRequired
from secops.terminal.session import Session
from secops.web.messages import Request
from tests.fakes.bundles import bundle
from tests.fakes.collected_hosts import DEBIAN_12
from tests.fakes.register import KEEPER, READER, register_rig


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorService]:
    with register_rig(tmp_path_factory.mktemp("collectors")) as rig:
        for name in ("oa-web-01", "bare"):
            fields = {"name": name, "kind": "服务器与终端", "address": ""}
            rig.register.assets.add_asset(KEEPER, THIS_INSTANCE, fields)
        yield CollectorService(rig.spine.parts, DatabaseCollections(), rig.scopes.scope)


def ask(service: CollectorService, operation: str, query: str = "", **more: Any) -> Any:
    """Return the JSON that a route answers; ``args`` and ``body`` are of the request."""
    route = next(each for each in collectors_routes(service) if each.operation == operation)
    body = more.pop("body", b"")
    headers = {"content-length": str(len(body))}
    request = Request(
        route.method, route.path, query, headers, body, actor=more.pop("actor", KEEPER), **more
    )
    return orjson.loads(route.handler(request).body)


def test_a_bundle_goes_over_http_and_comes_back(service: CollectorService) -> None:
    (item,) = ask(service, "import_bundle", body=bundle(DEBIAN_12))["items"]
    shown = ask(service, "show_bundle", args={"bundle_id": item["id"]}, actor=READER)
    assert shown["sha256"] == item["sha256"]
    assert {each["kind"] for each in shown["readings"]} >= {"host.ssh", "host.pam"}
    listed = ask(service, "list_bundles", f"limit=1&asset={item['asset']}")["items"]
    assert [each["id"] for each in listed] == [item["id"]]
    rows = ask(service, "list_collections", "system=this")["items"]
    assert {row["name"]: row["newest"] is None for row in rows} == {
        "bare": True,
        "oa-web-01": False,
    }
    with pytest.raises(Forbidden):
        ask(service, "import_bundle", body=bundle(DEBIAN_12), actor=READER)
    with pytest.raises(BundleRejected):
        ask(service, "import_bundle", body=b"x")
    with pytest.raises(AssetNotMatched):
        ask(service, "import_bundle", "asset=ast_none", body=bundle(DEBIAN_12))


def test_a_body_without_a_length_is_not_read(service: CollectorService) -> None:
    route = collectors_routes(service)[0]
    with pytest.raises(LengthRequired):
        route.handler(Request("POST", route.path, body=b"x", actor=KEEPER))
    assert route.max_body == MAX_BUNDLE_BYTES


class CollectorSession(Session):
    """A session whose house has collectors only."""

    def __init__(self, service: CollectorService, home: Path) -> None:
        super().__init__(home, None, lambda _: pytest.fail("the house is opened"))
        self._collectors = service

    @property
    def actor(self) -> Actor:
        return KEEPER

    def services(self, kind: type) -> Any:
        del kind
        return SimpleNamespace(collectors=self._collectors)


@pytest.fixture
def run(service: CollectorService, tmp_path: Path) -> Any:
    def invoke(command: click.Command, *arguments: object) -> Result:
        session = CollectorSession(service, tmp_path)
        return CliRunner().invoke(command, [str(one) for one in arguments], obj=session)

    return invoke


def test_a_folder_of_bundles_is_imported_and_bad_ones_are_named(run: Any, tmp_path: Path) -> None:
    carried = tmp_path / "carried"
    carried.mkdir()
    (carried / "good.gsb").write_bytes(bundle(DEBIAN_12, uid="0", collector="1"))
    (carried / "packed.gsb.gz").write_bytes(gzip.compress(bundle(DEBIAN_12, uid="1000")))
    (carried / "bad.gsb").write_bytes(b"rubbish")
    (carried / "huge.gsb").write_bytes(b"\0" * (MAX_BUNDLE_BYTES + 10))
    (carried / "other.gsb").write_bytes(bundle(DEBIAN_12, host="nobody-knows"))
    (carried / "notes.txt").write_text("not a bundle")
    (carried / "loop.gsb").symlink_to("/dev/zero")
    os.mkfifo(carried / "pipe.gsb")
    done = run(import_bundle, carried, "--json")
    said = orjson.loads(done.stdout)
    assert done.exit_code == 0
    assert [each["file"] for each in said["imported"]] == ["good.gsb", "packed.gsb.gz"]
    assert {each["file"]: each["code"] for each in said["rejected"]} == {
        "bad.gsb": "audits.bundle_rejected",
        "huge.gsb": "audits.bundle_rejected",
        "loop.gsb": "kernel.invalid",
        "other.gsb": "audits.asset_not_matched",
        "pipe.gsb": "kernel.invalid",
    }


def test_nothing_importable_exits_2_and_says_why(run: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.gsb").write_bytes(b"\x1b[31mrubbish")
    done = run(import_bundle, tmp_path / "bad.gsb")
    assert done.exit_code == 2
    assert "bad.gsb: this is no bundle of collect_host.sh" in done.stderr
    (tmp_path / "empty").mkdir()
    assert isinstance(run(import_bundle, tmp_path / "empty").exception, Invalid)
    two = [tmp_path / "bad.gsb", tmp_path / "bad.gsb"]
    assert isinstance(run(import_bundle, *two, "--asset", "ast_x").exception, Invalid)


def test_a_file_that_vanishes_or_may_not_be_read_is_named(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gone.gsb"
    path.write_bytes(b"x")

    def gone(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", gone)
    done = run(import_bundle, path)
    assert done.exit_code == 2
    assert "gone.gsb: can't be read: Permission denied" in done.stderr


def test_bundles_and_collections_are_listed_and_shown(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.gsb").write_bytes(bundle(DEBIAN_12))
    assert run(import_bundle, tmp_path / "a.gsb").exit_code == 0
    items = orjson.loads(run(list_bundles, "--limit", 1, "--json").stdout)["items"]
    assert len(items) == 1
    shown = orjson.loads(run(show_bundle, items[0]["id"], "--json").stdout)
    assert {"contents", "readings", "unread"} <= set(shown)
    plain = run(show_bundle, items[0]["id"])
    assert "host.pam" in plain.stdout
    assert "oa-web-01" in run(list_bundles).stdout
    rows = orjson.loads(run(list_collections, "--json").stdout)["items"]
    assert [row["name"] for row in rows] == ["bare", "oa-web-01"]
