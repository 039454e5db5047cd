"""The main commands on segments and on Elasticsearch: what they print is the same."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from secops.app import open_house
from secops.bridges.processes import all_routes, build_gateway
from secops.cli import main
from tests.fakes.console_site import Reader
from tests.fakes.demo_site import DemoSite, make_demo_home, read_logins
from tests.services.elasticsearch import ElasticsearchServer

pytestmark = pytest.mark.service
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
MOMENTS = {"ingested", "raised_at", "seconds", "rejects_file", "last_ingested", "closed_at"}
"""What is of the moment or the machine."""


def run(capsys: pytest.CaptureFixture[str], home: Path, *words: object) -> tuple[int, str]:
    """Return exit code and stdout of one command."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["--home", str(home), "--as", *[str(word) for word in words]])
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().out


def without_moments(value: Any) -> Any:
    """Return JSON without what differs from run to run."""
    if isinstance(value, dict):
        return {k: without_moments(v) for k, v in value.items() if k not in MOMENTS}
    if isinstance(value, list):
        return [without_moments(each) for each in value]
    return value


def documents(text: str) -> list[Any]:
    """Return the JSON documents in ``text``: one, or lines of them."""
    try:
        return [without_moments(json.loads(text))]
    except ValueError:
        return [without_moments(json.loads(line)) for line in text.splitlines()]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two homes of one origin: the same keys, the same accounts."""
    folder = tmp_path_factory.mktemp("stores")
    make_demo_home(folder / "segments")
    shutil.copytree(folder / "segments", folder / "elasticsearch")
    return {name: folder / name for name in ("segments", "elasticsearch")}


@pytest.fixture(scope="module")
def store_url(elasticsearch: ElasticsearchServer) -> str:
    """The log store's URL, with index names of this module's own."""
    return f"{elasticsearch.url}/{elasticsearch.new_prefix()}"


@pytest.fixture
def both(
    homes: dict[str, Path],
    store_url: str,
    elasticsearch: ElasticsearchServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Any]:
    """Run a command on both stores; return the answers of both."""
    monkeypatch.delenv("SECOPS_TOKEN", raising=False)

    def answers(*words: object) -> tuple[list[Any], list[Any]]:
        found = []
        for name in ("segments", "elasticsearch"):
            with monkeypatch.context() as patch:
                if name == "elasticsearch":
                    patch.setenv("SECOPS_LOGSTORE_URL", store_url)
                    patch.setenv("SECOPS_LOGSTORE_CA", str(elasticsearch.authority))
                code, out = run(capsys, homes[name], *words)
                found.append([code, *documents(out)])
        return found[0], found[1]

    return answers


INGEST = ("analyst", "logs", "ingest", SAMPLES, "--json")
COMMANDS: list[tuple[object, ...]] = [
    INGEST,
    INGEST,
    ("analyst", "logs", "search", "event.outcome:failure", "--limit", "50", "--json"),
    ("analyst", "logs", "search", "source.ip:127.0.0.0/26 AND NOT user.name:root", "--json"),
    ("analyst", "logs", "search", 'process.command_line:*shadow* OR "select"', "--json"),
    ("analyst", "logs", "search", "http.response.status_code:[400 TO 499]", "--json"),
    ("analyst", "logs", "search", "*", "--histogram", "--json"),
    ("analyst", "logs", "search", "event.outcome:failure", "--terms", "source.ip", "--json"),
    ("analyst", "logs", "search", "sshd", "--export", "-"),
    ("analyst", "logs", "sources", "--json"),
    ("analyst", "detectors", "run", "--json"),
    ("analyst", "detectors", "run", "--json"),
    ("analyst", "detectors", "list-alerts", "--json"),
    ("analyst", "detectors", "list-unscanned", "--json"),
]


def test_the_main_commands_print_the_same_on_both_stores(both: Any) -> None:
    lines = 0
    for command in COMMANDS:
        segments, elastic = both(*command)
        assert segments == elastic, command
        assert segments[0] == 0
        lines += len(segments) - 1
    print(f"two stores: {len(COMMANDS)} commands, {lines} documents, 0 different")
    assert lines > len(COMMANDS)


PAGES = (
    "/logs?q=event.outcome%3Afailure",
    "/logs?q=source.ip%3A127.0.0.0%2F26%20AND%20NOT%20user.name%3Aroot",
    "/logs?q=*&since=2000-01-01",
    "/alerts",
    "/log-sources",
    "/rules?state=on",
    "/coverage",
    "/entities",
)
_OF_THE_MOMENT = re.compile(
    r"<time\b[^>]*>.*?</time>|nonce=\"[^\"]*\"|请求编号 <code>[^<]*</code>", re.DOTALL
)


@contextmanager
def reading(home: Path) -> Iterator[Reader]:
    """Open a home as a gateway does, with the console and an analyst who signed in."""
    house = open_house(home, "gateway")
    try:
        site = DemoSite(house, all_routes(house), build_gateway(house), read_logins(home))
        reader = Reader(site)
        reader.sign_in("analyst")
        yield reader
    finally:
        house.close()


def pages_of(home: Path) -> dict[str, tuple[int, str]]:
    """Return every page's status and text, without what is of the moment."""
    with reading(home) as reader:
        listed = reader.get("/alerts").text
        ids = sorted(set(re.findall(r'href="(/alerts/alr_[0-9a-f]+)"', listed)))
        answers = {path: reader.get(path) for path in (*PAGES, *ids[:3])}
    return {
        path: (page.status, _OF_THE_MOMENT.sub("", page.text)) for path, page in answers.items()
    }


def test_the_consoles_pages_are_the_same_on_both_stores(
    both: Any,
    homes: dict[str, Path],
    store_url: str,
    elasticsearch: ElasticsearchServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for command in (INGEST, ("analyst", "detectors", "run", "--json")):
        both(*command)
    segments = pages_of(homes["segments"])
    monkeypatch.setenv("SECOPS_LOGSTORE_URL", store_url)
    monkeypatch.setenv("SECOPS_LOGSTORE_CA", str(elasticsearch.authority))
    elastic = pages_of(homes["elasticsearch"])

    assert segments.keys() == elastic.keys()
    assert len(segments) > len(PAGES), "alerts were there to be shown"
    assert {status for status, _ in segments.values()} == {200}
    different = [path for path in segments if segments[path] != elastic[path]]
    print(f"two stores: {len(segments)} pages of the console, {len(different)} different")
    for path in different:
        print("\n".join(unified_diff(*(each[path][1].split("\n") for each in (segments, elastic)))))
    assert different == []
    assert "sshd" in segments[PAGES[0]][1], "the control: something was found"


def test_an_audit_of_the_platform_says_the_same_on_both_stores(both: Any) -> None:
    words = ("audits", "assess", "--standard", "gbt22239", "--level", 3, "--json")
    segments, elastic = both("auditor", *words)

    statuses = [
        {item["id"]: item["status"] for item in each[1]["items"]} for each in (segments, elastic)
    ]
    assert (segments[0], elastic[0]) == (0, 0)
    assert statuses[0] == statuses[1]
    assert statuses[0]


def test_stored_logs_are_compared_with_the_ledger_on_both_stores(both: Any) -> None:
    segments, elastic = both("analyst", "logs", "verify", "--json")

    assert (segments[0], elastic[0]) == (0, 0)
    assert segments[1]["valid"] is elastic[1]["valid"] is True
    assert segments[1]["events"] == elastic[1]["events"] > 0


def test_a_cluster_that_is_down_is_named_with_a_remedy_and_exit_code_3(
    homes: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECOPS_LOGSTORE_URL", "elasticsearch+https://u:geheim@localhost:1")
    with pytest.raises(SystemExit) as ended:
        main(["--home", str(homes["elasticsearch"]), "--as", "analyst", "logs", "search", "x"])
    said = capsys.readouterr().err

    assert ended.value.code == 3
    assert "detectors.elasticsearch_unavailable" in said
    assert "geheim" not in said


def test_a_backup_knows_the_clusters_batches_and_a_restore_compares_them(  # noqa: PLR0917 - fixtures
    homes: dict[str, Path],
    store_url: str,
    elasticsearch: ElasticsearchServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SECOPS_LOGSTORE_URL", store_url)
    monkeypatch.setenv("SECOPS_LOGSTORE_CA", str(elasticsearch.authority))
    file, prefix = tmp_path / "backup.tar.gz", store_url.rpartition("/")[2]

    def command(home: Path, *words: object) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["--home", str(home), *map(str, words)])
        return int(str(ended.value.code))

    source = homes["elasticsearch"]
    assert command(source, "--as", "analyst", "logs", "ingest", SAMPLES) == 0
    assert command(source, "backup", file) == 0
    manifest = json.loads((source / "logstore.json").read_text())
    assert command(tmp_path / "good", "restore", file) == 0

    name = next(iter(manifest["batches"]))
    elasticsearch.ask("DELETE", f"/{prefix}.state/_doc/{name}?refresh=true")
    capsys.readouterr()
    assert command(tmp_path / "bad", "restore", file) == 1
    assert "log_batches_sha256" in capsys.readouterr().err
