"""``secops kms`` for keys and the pool: answers, files, exit codes."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import click
import pytest
from click.testing import CliRunner, Result

from kms.commands import group
from kms.commands.bench import engine_figures, service_figures
from kms.commands.pool import ServiceNotRunning, UnlockRefused, _address
from kms.errors.keys import KeyNotGranted
from secops.kernel.errors import Forbidden, Invalid, NotFound, TooLarge
from secops.terminal.session import Session
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, OTHER, PASSPHRASE, USER, WHOLE, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService

ACCOUNTS = {"whole": WHOLE, "keeper": KEEPER, "user": USER, "other": OTHER}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path / "home", clock=clock) as opened:
        yield opened


class House:
    def __init__(self, pool: KeyPool) -> None:
        self.parts = pool.spine.parts
        self.services = (pool.services,)

    def act_as(self, account: str | None) -> Any:
        return ACCOUNTS[account or ""]

    def close(self) -> None:
        return None


def run(pool: KeyPool, account: str, *arguments: str, **options: Any) -> Result:
    session = Session(pool.spine.parts.home, account, lambda _: House(pool))  # type: ignore[arg-type,return-value] - a house in memory
    return CliRunner().invoke(group, list(arguments), obj=session, **options)


@pytest.mark.usefixtures("openssl_command")
def test_a_file_is_signed_verified_and_openssl_agrees(pool: KeyPool, tmp_path: Path) -> None:
    made = run(pool, "keeper", "create-key", "k", "--type", "sm2", "--grant", "acc_user", "--json")
    assert json.loads(made.stdout)["type"] == "sm2"
    message, signature, public = (tmp_path / name for name in ("m", "s", "p.pem"))
    message.write_bytes("公文".encode())
    assert run(pool, "user", "sign", "k", str(message), "-o", str(signature)).exit_code == 0
    checked = run(pool, "user", "verify", "k", str(message), str(signature))
    assert (checked.exit_code, checked.stdout) == (0, "good, by version 1\n")
    public.write_text(run(pool, "user", "export-public-key", "k").stdout)
    judged = subprocess.run(
        [
            *("openssl", "dgst", "-sm3", "-verify", "p.pem", "-signature", "s"),
            *("-sigopt", "distid:1234567812345678", "m"),
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert judged.stdout == b"Verified OK\n"
    message.write_bytes("公文!".encode())
    wrong = run(pool, "user", "verify", "k", str(message), str(signature))
    assert (wrong.exit_code, wrong.stdout) == (1, "wrong\n")
    signature.write_bytes(b"rubbish")
    assert run(pool, "user", "verify", "k", str(message), str(signature)).exit_code == 1


def test_signing_on_the_command_line_leaves_a_leaf_before_the_file(
    pool: KeyPool, tmp_path: Path
) -> None:
    pool.create("k", "ed25519", USER)
    (tmp_path / "m").write_bytes(b"m")
    seen: list[str] = []
    trail = pool.spine.journal
    append = trail.append

    def watched(acts: Any) -> Any:
        seen.extend(act.action for act in acts)
        assert not (tmp_path / "s").exists()
        return append(acts)

    trail.append = watched  # type: ignore[method-assign] - to see what comes first
    done = run(pool, "user", "sign", "k", str(tmp_path / "m"), "-o", str(tmp_path / "s"))
    assert done.exit_code == 0
    assert seen == ["kms.sign"]


def test_an_old_signature_verifies_after_rotation_and_names_its_version(
    pool: KeyPool, tmp_path: Path, clock: FakeClock
) -> None:
    pool.create("k", "ecdsa-p256", USER)
    (tmp_path / "m").write_bytes(b"m")
    run(pool, "user", "sign", "k", str(tmp_path / "m"), "-o", str(tmp_path / "s"))
    assert "version 2" in run(pool, "keeper", "rotate-key", "k").stdout
    clock.advance(2_000_000)
    checked = run(pool, "user", "verify", "k", str(tmp_path / "m"), str(tmp_path / "s"))
    assert checked.stdout == "good, by version 1\n"
    raised = run(pool, "keeper", "configure-key", "k", "--min-decryption-version", "2", "--json")
    assert json.loads(raised.stdout)["min_decryption_version"] == 2
    clock.advance(2_000_000)
    refused = run(pool, "user", "verify", "k", str(tmp_path / "m"), str(tmp_path / "s"))
    assert refused.exit_code == 1


def test_roles_hold_on_the_command_line_too(pool: KeyPool, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"m")
    created = run(pool, "user", "create-key", "k", "--type", "sm2")
    assert isinstance(created.exception, Forbidden)
    run(pool, "keeper", "create-key", "k", "--type", "sm2")
    used = run(pool, "keeper", "sign", "k", str(tmp_path / "m"), "-o", str(tmp_path / "s"))
    assert isinstance(used.exception, Forbidden)
    other = run(pool, "other", "sign", "k", str(tmp_path / "m"), "-o", str(tmp_path / "s"))
    assert isinstance(other.exception, KeyNotGranted)
    assert not (tmp_path / "s").exists()


def test_grants_suspension_and_destruction(pool: KeyPool, tmp_path: Path, clock: FakeClock) -> None:
    pool.create("k", "ed25519")
    (tmp_path / "m").write_bytes(b"m")
    sign = ("sign", "k", str(tmp_path / "m"), "-o", str(tmp_path / "s"))
    assert run(pool, "keeper", "grant-key", "k", "acc_user").exit_code == 0
    assert run(pool, "user", *sign).exit_code == 0
    assert run(pool, "keeper", "suspend-key", "k", "--reason", "risk").exit_code == 0
    assert run(pool, "user", *sign).exit_code != 0
    assert run(pool, "keeper", "resume-key", "k").exit_code == 0
    assert run(pool, "user", *sign).exit_code == 0
    assert run(pool, "keeper", "revoke-key-grant", "k", "acc_user").exit_code == 0
    clock.advance(2_000_000)
    assert run(pool, "user", *sign).exit_code != 0
    again = run(pool, "keeper", "revoke-key-grant", "k", "acc_user")
    assert isinstance(again.exception, NotFound)
    assert run(pool, "keeper", "destroy-key", "k", "--yes").exit_code != 0
    assert run(pool, "keeper", "configure-key", "k", "--deletion-allowed").exit_code == 0
    assert run(pool, "keeper", "destroy-key", "k", input="n\n").exit_code == 1
    assert run(pool, "keeper", "destroy-key", "k", "--yes").exit_code == 0
    listed = json.loads(run(pool, "keeper", "list-keys", "--json").stdout)
    assert [(row["name"], row["state"]) for row in listed["items"]] == [
        ("k", "pending_destruction")
    ]
    assert "pending" in run(pool, "keeper", "list-keys").stdout


def test_a_huge_file_is_refused(pool: KeyPool, tmp_path: Path) -> None:
    pool.create("k", "ed25519", USER)
    with (tmp_path / "m").open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    done = run(pool, "user", "sign", "k", str(tmp_path / "m"), "-o", str(tmp_path / "s"))
    assert isinstance(done.exception, TooLarge)


def test_every_command_has_an_example_in_its_help(pool: KeyPool) -> None:
    for name, command in group.commands.items():
        assert "Example: secops" in (command.help or ""), name


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        return None


@pytest.fixture
def url(pool: KeyPool) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, lambda _, __: [], handler_class=_Quiet)
    server.set_app(VaultService(pool, f"localhost:{server.server_port}").wsgi)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.network
def test_the_pool_of_a_running_service_is_locked_and_unlocked(
    pool: KeyPool, url: str, tmp_path: Path, clock: FakeClock
) -> None:
    status = run(pool, "keeper", "status", "--url", url)
    assert (status.exit_code, status.stdout.split()[0]) == (0, "unlocked")
    assert run(pool, "whole", "lock", "--url", url).exit_code == 0
    locked = run(pool, "keeper", "status", "--url", url, "--json")
    assert (locked.exit_code, json.loads(locked.stdout)["state"]) == (1, "locked")
    wrong = run(pool, "keeper", "unlock", "--url", url, input="wrong\n")
    assert isinstance(wrong.exception, UnlockRefused)
    clock.advance(2_000_000)
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    arguments = ("unlock", "--url", url, "--passphrase-file", str(tmp_path / "passphrase"))
    assert run(pool, "keeper", *arguments).exit_code == 0
    assert run(pool, "keeper", "status", "--url", url).exit_code == 0


@pytest.mark.network
def test_the_address_comes_from_the_homes_settings(pool: KeyPool, url: str) -> None:
    settings = pool.spine.parts.home / "settings.toml"
    settings.write_text(f'listen = "{url.removeprefix("http://")}"\n')
    assert run(pool, "keeper", "status").exit_code == 0
    settings.write_text('listen = "localhost:1"\n')
    assert "localhost:1" in str(run(pool, "keeper", "status").exception)
    settings.write_text("broken = ")
    session = Session(pool.spine.parts.home, None, lambda _: House(pool))  # type: ignore[arg-type,return-value] - a house in memory
    assert _address(click.Context(group, obj=session), None) == "http://localhost:8080"


@pytest.mark.network
def test_a_service_that_does_not_run_is_said_so(pool: KeyPool) -> None:
    for command in ("status", "unlock"):
        done = run(pool, "keeper", command, "--url", "http://localhost:1", input="x\n")
        assert isinstance(done.exception, ServiceNotRunning)
        assert done.exception.exit_code == 3
    locked = run(pool, "whole", "lock", "--url", "http://localhost:1")
    assert (locked.exit_code, "no service answers" in locked.stderr) == (0, True)
    bad = run(pool, "keeper", "status", "--url", "ftp://localhost")
    assert isinstance(bad.exception, Invalid)


def test_the_benchmark_prints_figures_with_circumstances(
    pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms.commands.bench._SECONDS", 0.0)
    figures = engine_figures() + service_figures(pool.services, KEEPER, USER)
    assert len(figures) == 17
    for figure in figures:
        assert set(figure) == {"name", "value", "unit", "per_cpu_second", "circumstances"}
