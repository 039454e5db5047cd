"""A pytest plugin for hvac's suite: our gateway instead of a Vault, two tokens instead of root.

Imported by the suite's own process, never by ours.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import hvac
import requests
from requests.adapters import HTTPAdapter
from tests.utils import server_manager

GATEWAY = json.loads(Path("gateway.json").read_text())
URL = GATEWAY["url"]
_USE = re.compile(
    r"/v1/[^/]+/(encrypt|decrypt|rewrap|datakey|random|hash|hmac|sign|verify|export)(/|$)"
)
_MADE = re.compile(r"/v1/([^/]+)/(?:keys|restore)/([^/]+)$")
_OPERATIONS = ["sign", "verify", "encrypt", "decrypt", "hmac", "export"]


class TwoTokens(HTTPAdapter):
    """Sends what uses keys as one, all else as the other, and grants each new key to the first."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        path = request.path_url.partition("?")[0]
        uses = _USE.match(path)
        request.headers["X-Vault-Token"] = GATEWAY["user_token" if uses else "keeper_token"]
        answer = super().send(request, *args, **options)
        made = _MADE.fullmatch(path)
        if made and request.method == "POST" and answer.ok:
            self._grant(*made.groups())
        return answer

    def _grant(self, mount: str, name: str) -> None:
        requests.post(
            f"{URL}/api/v1/kms/keys/{name}/grants",
            params={"mount": mount},
            json={"subject": GATEWAY["user"], "operations": _OPERATIONS},
            headers={"Authorization": f"Bearer {GATEWAY['keeper_token']}"},
            timeout=30,
        ).raise_for_status()


class OurGateway:
    """Takes the place of the suite's ``ServerManager``: nothing is started or unsealed."""

    def __init__(self, *_: object, **__: object) -> None:
        session = requests.Session()
        session.mount("http://", TwoTokens())
        self.root_token = GATEWAY["keeper_token"]
        self.client = hvac.Client(url=URL, token=self.root_token, session=session)

    def start(self) -> None:
        """It runs already."""

    initialize = unseal = stop = start


server_manager.ServerManager = OurGateway
