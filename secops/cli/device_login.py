"""``secops login`` by the device grant (RFC 8628): the browser signs in, the terminal waits."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Final

from iam.models.options import CLI_CLIENT
from secops.kernel.errors import Forbidden, Unavailable
from secops.terminal.output import say

_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_TIMEOUT_SECONDS: Final = 10.0
_SLOWER_SECONDS: Final = 5


def sign_in_by_browser(origin: str) -> str | None:
    """Return an access token once somebody approved in a browser; None if no service answers.

    Raises ``Forbidden`` for a refusal and ``Unavailable`` when it takes too long.
    """
    fields = {"client_id": CLI_CLIENT, "scope": "openid api"}
    started = _post(f"{origin}/oauth2/device_authorization", fields)
    if started is None or "device_code" not in started:
        return None
    say(f"open {started['verification_uri_complete']}")
    say(f"and compare the code {started['user_code']}")
    deadline = time.monotonic() + float(started["expires_in"])
    pause = float(started["interval"])
    asked = {"client_id": CLI_CLIENT, "grant_type": _GRANT, "device_code": started["device_code"]}
    while time.monotonic() < deadline:
        time.sleep(pause)
        answer = _post(f"{origin}/oauth2/token", asked)
        if answer is not None and "access_token" in answer:
            return str(answer["access_token"])
        error = "unavailable" if answer is None else answer.get("error")
        if error == "slow_down":
            pause += _SLOWER_SECONDS
        elif error not in ("authorization_pending", "unavailable", "temporarily_unavailable"):
            msg = f"sign-in was refused: {error}"
            raise Forbidden(msg)
    msg = "nobody approved in time; start again"
    raise Unavailable(msg)


def _post(url: str, fields: dict[str, str]) -> dict[str, Any] | None:
    """Return the JSON answer, a refusal's too; None where nothing of ours answers."""
    body = urllib.parse.urlencode(fields).encode()
    # the address is the home's own setting, http or https; nobody else chooses it
    request = urllib.request.Request(url, body, method="POST")  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            content = answer.read(1 << 16)
    except urllib.error.HTTPError as error:
        content = error.read(1 << 16)
    except (OSError, ValueError):
        return None
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
