"""The console over WSGI, without a browser: a demo home with its samples, and cookie jars."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from secops.app import open_house
from secops.bridges.processes import all_routes, build_gateway
from secops.cli import cli
from secops.kernel.clock import SECOND
from tests.fakes.demo_site import DemoSite, make_demo_home, read_logins

ORIGIN = "http://localhost:8080"
OURS = {"origin": ORIGIN, "sec_fetch_site": "same-origin"}
STEP = 30 * SECOND
BOUNDARY = "----a-boundary"


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    text: str
    body: bytes


def multipart(fields: dict[str, str], files: dict[str, bytes]) -> tuple[bytes, str]:
    """Return a multipart/form-data body and its content type."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="f.dat"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files.items()
    ]
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(repr=False)
class Reader:
    """A person's browser, as far as the console can see it."""

    site: DemoSite
    remote: str = "127.0.0.1"
    language: str = "zh"
    jar: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Page:
        return self._ask("GET", path, b"", "", {})

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Page:
        kind = "application/x-www-form-urlencoded"
        return self._ask("POST", path, urlencode(form or {}).encode(), kind, headers or OURS)

    def upload(self, path: str, fields: dict[str, str], files: dict[str, bytes]) -> Page:
        body, kind = multipart(fields, files)
        return self._ask("POST", path, body, kind, OURS)

    def sign_in(self, name: str, ahead: int = 0) -> Page:
        """Sign in with the code of the step ``ahead`` of the clock: a code works once."""
        login = self.site.logins[name]
        transaction = self._begin()
        asked = self.post(
            "/login", {"transaction": transaction, "name": name, "password": login.password}
        )
        reference = asked.text.partition('name="reference" value="')[2].partition('"')[0]
        code = login.code(self.site.house.parts.clock.now() + ahead * STEP)
        answer = self.post(
            "/login/factor", {"transaction": transaction, "reference": reference, "code": code}
        )
        while answer.status == 303 and "rp_session" not in self.jar:
            answer = self.get(_local(answer.headers["location"]))
        assert "rp_session" in self.jar, answer.text
        return answer

    def _begin(self) -> str:
        answer = self.get("/signin?next=/")
        while answer.status == 303:
            where = _local(answer.headers["location"])
            if where.startswith("/login"):
                return parse_qs(urlsplit(where).query)["transaction"][0]
            answer = self.get(where)
        raise AssertionError(answer.text)

    def _ask(self, method: str, path: str, body: bytes, kind: str, headers: dict[str, str]) -> Page:
        address, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": address,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.remote,
            "HTTP_HOST": "localhost:8080",
            "HTTP_ACCEPT_LANGUAGE": self.language,
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.jar.items()),
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
        }
        if method == "POST":
            environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind}
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        started: list[tuple[str, list[tuple[str, str]]]] = []
        content = b"".join(
            self.site.app(environ, lambda status, sent: started.append((status, sent)))
        )
        status, sent = started[0]
        for name, value in sent:
            if name.lower() == "set-cookie":
                self._keep(value)
        known = {name.lower(): value for name, value in sent}
        return Page(int(status.split()[0]), known, content.decode("utf-8", "replace"), content)

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        self.jar.pop(name, None)
        if value.strip('"'):
            self.jar[name] = value


def _local(address: str) -> str:
    parts = urlsplit(address)
    assert parts.netloc in ("", "localhost:8080")
    return parts.path + (f"?{parts.query}" if parts.query else "")


@dataclass(repr=False)
class ConsoleSite:
    """The site and one signed-in reader per role."""

    site: DemoSite
    readers: dict[str, Reader] = field(default_factory=dict)

    def reader(self, name: str) -> Reader:
        if name not in self.readers:
            reader = Reader(self.site)
            reader.sign_in(name)
            self.readers[name] = reader
        return self.readers[name]


def open_console_site(home: Path) -> ConsoleSite:
    """Make a demo home with its samples ingested and open it as a gateway does."""
    make_demo_home(home)
    cli.main(["--home", str(home), "demo-data"], standalone_mode=False)
    house = open_house(home, "gateway")
    return ConsoleSite(DemoSite(house, all_routes(house), build_gateway(house), read_logins(home)))
