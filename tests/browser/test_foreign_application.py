"""An application on another origin, in a real browser: there and back again, without scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from iam.core.rfc7636.pkce import challenge_of
from tests.browser.visitors import Visitors, run_secops

pytestmark = [pytest.mark.browser, pytest.mark.service, pytest.mark.network]


class Shop(BaseHTTPRequestHandler):
    """Whatever it is asked, it says hello."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        # an icon of its own: the browser would ask for one when this server is gone
        self.wfile.write(b'<link rel="icon" href="data:,"><h1>shop</h1>')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has
        """Keep the test's output clean."""


@pytest.fixture
def shop() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_browser_goes_on_to_another_origin_after_our_forms(visitors: Visitors, shop: str) -> None:
    """``form-action 'self'`` holds for redirects after a form: a page of ours lies between."""
    words = ("iam", "create-client", "shop", "--public", "--grant", "authorization_code")
    places = ("--redirect-uri", f"{shop}/cb", "--logout-uri", f"{shop}/bye", "--scope", "openid")
    made = run_secops(visitors.service.home, "--as", "system-admin", *words, *places)
    assert made.returncode == 0, made.stderr
    visitor = visitors.stranger(scripts=False)
    asked = {
        "response_type": "code",
        "client_id": "shop",
        "redirect_uri": f"{shop}/cb",
        "scope": "openid",
        "state": "s",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
    }
    visitor.page.goto(f"/oauth2/authorize?{urlencode(asked)}")
    account = visitors.service.accounts["auditor"]
    visitor.page.fill("input[name=name]", account.name)
    visitor.page.fill("input[name=password]", account.password)
    visitor.press("form[action='/login'] button")
    visitor.page.fill("input[name=code]", account.code())
    visitor.press("form[action='/login/factor'] button")
    assert visitor.heading() == "是否允许该应用?"
    visitor.press("form[action='/oauth2/consent'] button[value='allow']")
    visitor.page.wait_for_url(f"{shop}/cb?*")
    answer = parse_qs(urlsplit(visitor.page.url).query)
    assert (answer["state"], "code" in answer) == (["s"], True)
    out = {"client_id": "shop", "post_logout_redirect_uri": f"{shop}/bye"}
    visitor.page.goto(f"/oauth2/logout?{urlencode(out)}")
    assert visitor.heading() == "退出登录?"
    visitor.press("form[action='/oauth2/logout'] button")
    visitor.page.wait_for_url(f"{shop}/bye")
    assert visitor.complaints == []
