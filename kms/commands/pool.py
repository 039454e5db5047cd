"""``secops kms unlock``, ``lock`` and ``status``: the pool of the running service."""

from __future__ import annotations

import http.client
import json
import tomllib
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, Unavailable
from secops.terminal.output import json_option, print_json, say
from secops.terminal.session import session_of

_LISTEN: Final = "localhost:8080"
_URL: Final = f"http://{_LISTEN}"
_PATIENCE: Final = 10.0
_MAX_ANSWER: Final = 65_536
_OK: Final = 200

url_option = click.option("--url", help="The running service; default: as home/settings.toml says.")


class ServiceNotRunning(Unavailable):
    """Nothing answers at the service's address."""

    code = "kms.service_not_running"
    title = Text("服务未运行", "The service is not running")
    remedy = Text(
        "请先运行 secops serve,或用 --url 指定地址;一次性命令用 UNLOCK_FILE 自行解锁。",
        "Run `secops serve`, or name its address by --url. Commands unlock by UNLOCK_FILE.",
    )


class UnlockRefused(Invalid):
    """The service did not unlock its pool."""

    code = "kms.unlock_refused"
    exit_code = 4
    title = Text("解锁被拒绝", "The pool was not unlocked")
    remedy = Text("请核对解锁口令或份额。", "Check the passphrase or the share.")


@click.command("status")
@url_option
@json_option
@click.pass_context
def status(ctx: click.Context, *, url: str | None, as_json: bool) -> None:
    """Say whether the running service's key pool is unlocked; exit 3 if nothing runs.

    Example: secops kms status
    """
    found = _call(_address(ctx, url), "GET", "/v1/sys/seal-status")
    state = _state(found)
    if as_json:
        record = {name: found[name] for name in ("custody", "profile", "opened_by")}
        given = {name: found[name] for name in ("t", "n", "progress")}
        print_json({"state": state, **record, "shares": given})
    else:
        click.echo(f"{state} ({found['custody']} custody, profile {found['profile']})")
        if found["n"] > 1:
            click.echo(f"opened by {found['t']} of {found['n']} shares, given: {found['progress']}")
    if state != "unlocked":
        ctx.exit(1)


@click.command("unlock")
@url_option
@click.option("--share", is_flag=True, help="Give one share; you are asked for it.")
@click.option(
    "--passphrase-file",
    "--share-file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Else you are asked.",
)
@click.option("--reset", is_flag=True, help="Forget the shares given so far.")
@click.pass_context
def unlock(
    ctx: click.Context, *, url: str | None, share: bool, file: Path | None, reset: bool
) -> None:
    """Unlock the running service's key pool by its passphrase, or by one share after another.

    Example: secops kms unlock --share
    """
    address = _address(ctx, url)
    body: dict[str, Any] = {"reset": True}
    if not reset and file is None:
        name = "Share" if share else "Passphrase"
        body = {"key": click.prompt(name, hide_input=True, err=True)}
    elif not reset and file is not None:
        body = {"key": file.read_text(encoding="utf-8").rstrip("\r\n")}
    found = _call(address, "POST", "/v1/sys/unseal", body)
    if found["sealed"] and found["n"] > 1:
        say(f"{found['progress']} of {found['t']} shares were given")
    say(f"the pool is {_state(found)}")


@click.command("lock")
@url_option
@click.pass_context
def lock(ctx: click.Context, *, url: str | None) -> None:
    """Lock the key pool in every process of this home within a second.

    Example: secops --as security-admin kms lock
    """
    from kms.service import KmsServices  # noqa: PLC0415 - quick --help

    session, address = session_of(ctx), _address(ctx, url)
    session.services(KmsServices).pool.lock(session.actor)
    say("the pool is locked")
    try:
        _call(address, "GET", "/v1/sys/seal-status")
    except ServiceNotRunning:
        say(f"no service answers at {address}: it will start locked until `secops kms unlock`")


def _address(ctx: click.Context, url: str | None) -> str:
    """Return ``url``, or where the home's settings file says the service listens."""
    if url is not None:
        return url
    try:
        text = (session_of(ctx).home / "settings.toml").read_text(encoding="utf-8")
        settings = tomllib.loads(text)
    except (OSError, ValueError):
        return _URL
    scheme = "https" if settings.get("tls_cert") else "http"
    return f"{scheme}://{settings.get('listen', _LISTEN)}"


def _state(found: dict[str, Any]) -> str:
    if not found["initialized"]:
        return "uninitialised"
    return "locked" if found["sealed"] else "unlocked"


def _call(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the service's JSON answer; raise ``ServiceNotRunning`` or ``UnlockRefused``."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        msg = f"{url!r} is no address of a service"
        raise Invalid(msg)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=_PATIENCE)
    content = json.dumps(body or {}).encode()
    try:
        headers = {"content-type": "application/json"}
        connection.request(method, path, content if method == "POST" else None, headers)
        answer = connection.getresponse()
        text = answer.read(_MAX_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        msg = f"no service answers at {url}"
        raise ServiceNotRunning(msg) from error
    finally:
        connection.close()
    return _parse(answer.status, text)


def _parse(code: int, text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        msg = "the answer is not that of this service"
        raise ServiceNotRunning(msg) from error
    if code != _OK or not isinstance(found, dict):
        errors = found.get("errors") if isinstance(found, dict) else None
        raise UnlockRefused("; ".join(map(str, errors or [f"HTTP {code}"])))
    return found


COMMANDS: Final = (unlock, lock, status)
