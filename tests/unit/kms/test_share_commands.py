"""The ceremony and unlocking by shares on the command line."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner, Result

from kms.commands import group
from kms.commands.pool import UnlockRefused
from kms.service import KmsServices
from secops.kernel.errors import Conflict
from secops.terminal.session import Session
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import PASSPHRASE, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService
from tests.unit.kms.test_key_pool import another_process
from tests.unit.kms.test_unlocking import APPROVES, ASKS

ACCOUNTS = {"asks": ASKS, "approves": APPROVES}
CEREMONY = ("init-shares", "--shares", "3", "--threshold", "2")


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path / "home", clock=FakeClock()) as opened:
        yield opened


class House:
    def __init__(self, pool: KeyPool, services: KmsServices) -> None:
        self.parts = pool.spine.parts
        self.services = (services,)

    def act_as(self, account: str | None) -> Any:
        return ACCOUNTS[account or ""]

    def close(self) -> None:
        return None


def run(
    pool: KeyPool,
    account: str,
    *arguments: str,
    services: KmsServices | None = None,
    typed: str = "",
) -> Result:
    house = House(pool, services or pool.services)
    session = Session(pool.spine.parts.home, account, lambda _: house)  # type: ignore[arg-type,return-value]  # a house in memory
    return CliRunner().invoke(group, list(arguments), obj=session, input=typed)


def approve(pool: KeyPool, *arguments: str) -> str:
    asked = json.loads(run(pool, "asks", *arguments, "--json").stdout)
    assert asked["state"] == "pending"
    decided = run(pool, "approves", "decide-rekey", asked["approval"], "--grant", "--reason", "yes")
    assert " approved: pool: " in decided.stdout
    return str(asked["approval"])


def test_shares_are_written_into_files_that_only_their_owner_reads(
    pool: KeyPool, tmp_path: Path
) -> None:
    folder = tmp_path / "shares"
    names = ("--holder", "甲", "--holder", "乙", "--holder", "丙")
    approval = approve(pool, *CEREMONY, *names)
    done = run(pool, "asks", *CEREMONY, *names, "--approval", approval, "-o", str(folder))
    assert (done.exit_code, done.stdout) == (0, "")
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["share-1.txt", "share-2.txt", "share-3.txt"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert "乙" in done.stderr
    process = another_process(pool)
    for file in files[1:]:
        process.unlocking.unlock_pool(ASKS, file.read_text())
    assert process.pool.status().state == "unlocked"
    again = run(pool, "asks", *CEREMONY, *names, "--approval", approval, "-o", str(folder))
    assert isinstance(again.exception, Conflict)


def test_shares_are_printed_once_and_a_passphrase_takes_their_place(pool: KeyPool) -> None:
    approval = approve(pool, *CEREMONY)
    done = run(pool, "asks", *CEREMONY, "--approval", approval)
    lines = [line.split(": ") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["1 holder-1", "2 holder-2", "3 holder-3"]
    # another process, which holds no root key, is asked for shares
    process = another_process(pool)
    approval = approve(pool, "change-passphrase")
    new = "a new long passphrase"
    typed = f"{lines[0][1]}\n{lines[2][1]}\n{new}\n{new}\n"
    changed = run(
        pool, "asks", "change-passphrase", "--approval", approval, services=process, typed=typed
    )
    assert changed.exit_code == 0
    assert "1 of 2" in changed.stderr
    assert all(line[1] not in changed.stdout + changed.stderr for line in lines)
    assert another_process(pool, unlock_passphrase=new).pool.status().state == "unlocked"


def test_shares_as_json_name_their_holders(pool: KeyPool) -> None:
    done = run(pool, "asks", *CEREMONY, "--approval", approve(pool, *CEREMONY), "--json")
    assert [share["index"] for share in json.loads(done.stdout)] == [1, 2, 3]


def test_each_share_has_a_holder(pool: KeyPool) -> None:
    assert run(pool, "asks", *CEREMONY, "--holder", "甲").exit_code == 2


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        return None


@pytest.mark.network
def test_the_running_service_says_how_many_shares_were_given(pool: KeyPool, tmp_path: Path) -> None:
    approval = approve(pool, *CEREMONY)
    done = run(pool, "asks", *CEREMONY, "--approval", approval, "--json")
    shares = [share["share"] for share in json.loads(done.stdout)]
    pool.services.pool.lock(ASKS)
    server = make_server("localhost", 0, VaultService(pool).wsgi, handler_class=Quiet)
    host = f"localhost:{server.server_port}"
    server.set_app(VaultService(pool, host).wsgi)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = ("--url", f"http://{host}")
        first = run(pool, "asks", "unlock", "--share", *url, typed=shares[0] + "\n")
        assert (first.exit_code, "1 of 2 shares were given" in first.stderr) == (0, True)
        status = run(pool, "asks", "status", *url)
        assert (status.exit_code, status.stdout.splitlines()[1]) == (
            1,
            "opened by 2 of 3 shares, given: 1",
        )
        wrong = run(pool, "asks", "unlock", "--share", *url, typed=PASSPHRASE + "\n")
        assert isinstance(wrong.exception, UnlockRefused)
        assert run(pool, "asks", "unlock", "--reset", *url).exit_code == 0
        told = json.loads(run(pool, "asks", "status", "--json", *url).stdout)
        assert told["shares"] == {"t": 2, "n": 3, "progress": 0}
        file = tmp_path / "share"
        for text in shares[1:]:
            file.write_text(text + "\n")
            last = run(pool, "asks", "unlock", "--share-file", str(file), *url)
        assert "the pool is unlocked" in last.stderr
        assert run(pool, "asks", "status", *url).exit_code == 0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
