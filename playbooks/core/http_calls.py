"""An ``http-api`` command of CACAO 2.0 §5.7 as the arguments of a call.

The host stands in the playbook's definitions and takes no variables: a value from a log can
lead a call nowhere else. Secrets in clear are refused, for plans and journals are read by many.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from playbooks.core.cacao20.variables import references
from playbooks.core.cacao20.vocabulary import HTTP_START_LINE
from playbooks.errors import NotYetRunnable
from secops.kernel.errors import Invalid

HTTP_API: Final = "http-api"
DEFAULT_TIMEOUT_MS: Final = 10_000
MAX_BODY: Final = 65_536
_METHODS: Final = ("GET", "POST")
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"}
)
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def http_arguments(
    step: Mapping[str, Any], path: str, document: Mapping[str, Any]
) -> dict[str, str]:
    """Return method, base (scheme and host), path, header:NAME… and body, still templates.

    Raises ``NotYetRunnable`` naming what this release doesn't call.
    """
    commands = step["commands"]
    command = commands[0]
    if len(commands) != 1:
        raise _refused(path, "a step with several commands")
    line = str(command["command"])
    if HTTP_START_LINE.fullmatch(line) is None:
        raise _refused(path, "a start line without method, path and HTTP version")
    method, target, _ = line.split(" ")
    if method not in _METHODS or not target.startswith("/"):
        raise _refused(path, f"{method} {target[:40]}")
    headers = {f"header:{name}": _header(name, values, path) for name, values in _headers(command)}
    body = str(command.get("content", ""))
    if "content_b64" in command:
        body = _decoded(str(command["content_b64"]), path)
    if len(body) > MAX_BODY or (method == "GET" and body):
        raise _refused(path, "a body on GET, or one larger than 64 KiB")
    if any(references(body)) and not _is_json(body):
        raise _refused(path, "a variable in a body that is no JSON with variables inside texts")
    base = _base(_definition(step, document), path)
    return {"method": method, "base": base, "path": target, "body": body, **headers}


def escaped(key: str, value: str) -> str:
    """Return ``value`` so that it stays one value where argument ``key`` puts it."""
    if key == "path":
        return quote(value, safe="")
    if key == "body":  # one with variables is JSON, with the variables inside texts
        return json.dumps(value, ensure_ascii=False)[1:-1]
    return _CONTROL.sub(" ", value) if key.startswith("header:") else value


def require_same_path(args: Mapping[str, str]) -> None:
    """Raise ``Invalid`` if a value in ``args`` makes the path climb: ``.`` can't be escaped."""
    way = args["path"].partition("?")[0]
    if any(unquote(segment) in (".", "..") for segment in way.split("/")):
        msg = "a value makes the call go to another path"
        raise Invalid(msg)


def _is_json(template: str) -> bool:
    """Tell whether ``template`` is JSON as it stands: then its variables are inside texts."""
    try:
        json.loads(template)
    except (ValueError, RecursionError):
        return False
    return True


def _headers(command: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    return sorted(command.get("headers", {}).items())


def _header(name: str, values: list[str], path: str) -> str:
    if _HEADER.fullmatch(name) is None or any(_CONTROL.search(value) for value in values):
        raise _refused(path, "a malformed header")
    if name.lower() in _SECRET_HEADERS:
        raise _refused(path, f"the secret in clear in header {name}")
    return ", ".join(values)


def _decoded(text: str, path: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _refused(path, "content_b64 that is no text") from error


def _definition(step: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    known = {**document.get("agent_definitions", {}), **document.get("target_definitions", {})}
    names = [*step.get("targets", ()), step["agent"]]
    found: Mapping[str, Any] = known[names[0]]
    return found


def _base(definition: Mapping[str, Any], path: str) -> str:
    """Return ``https://host[:port]``; http only where the definition's url says so."""
    if "authentication_info" in definition:
        raise _refused(path, "authentication_info: secrets of partners are not kept yet")
    address = definition.get("address", {})
    if any(references(address)):
        raise _refused(path, "a variable in an address")
    if "url" in address:
        return str(address["url"][0]).rstrip("/")
    hosts = [*address.get("dname", ()), *address.get("ipv4", ())]
    hosts += [f"[{one}]" for one in address.get("ipv6", ())]
    if not hosts:
        raise _refused(path, "a target without an address")
    port = definition.get("port")
    return f"https://{hosts[0]}:{port}" if port else f"https://{hosts[0]}"


def _refused(path: str, what: str) -> NotYetRunnable:
    return NotYetRunnable(f"{path}: {what} is not run", place=path)
