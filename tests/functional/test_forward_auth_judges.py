"""nginx, Envoy and Apache protect a page, set up as the manual says."""

from __future__ import annotations

import http.client
import http.server
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from iam.models.clients import NewClient
from secops.app import open_house
from secops.cli.bench.served import free_port, serve
from secops.kernel.actors import ROOT_ORG, os_actor
from secops.kernel.clock import SystemClock
from tests.fakes.demo_site import make_demo_home, read_logins
from tests.services import envoy

pytestmark = pytest.mark.service
MANUAL = Path(__file__).resolve().parents[2] / "docs" / "manual" / "connect_an_application.md"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
APACHE = shutil.which("apache2") or "/usr/sbin/apache2"
APACHE_MODULES = Path("/usr/lib/apache2/modules")
REFERENCE = re.compile(r'name="reference" value="([^"]+)"')
WAIT_SECONDS = 60


def block(language: str) -> str:
    """The first block of the manual in ``language``."""
    return MANUAL.read_text().partition(f"```{language}\n")[2].partition("```")[0]


class _Application(http.server.BaseHTTPRequestHandler):
    """The application behind the proxy: says what it was told."""

    def do_GET(self) -> None:
        told = "\n".join(f"{k.lower()}: {v}" for k, v in self.headers.items())
        body = f"{self.path}\n{told}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def application() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Application) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running(port: int, *words: str) -> Iterator[None]:
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        ends = time.monotonic() + WAIT_SECONDS
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, words
            assert time.monotonic() < ends, words
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=WAIT_SECONDS)
        print(errors.decode(errors="replace")[-2_000:])


@dataclass
class Browser:
    """Follows redirects over two hosts, with a jar for each of them."""

    jars: dict[str, dict[str, str]] = field(default_factory=dict)
    place: str = ""

    def get(self, url: str, **headers: str) -> tuple[int, str]:
        return self._ask("GET", url, None, headers)

    def post(self, url: str, **form: str) -> tuple[int, str]:
        parts = urlsplit(url)
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": f"{parts.scheme}://{parts.netloc}",
        }
        return self._ask("POST", url, urlencode(form), headers)

    def _ask(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[int, str]:
        for _ in range(12):
            parts = urlsplit(url)
            jar = self.jars.setdefault(parts.netloc, {})
            cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
            sent = {"accept": "text/html,*/*;q=0.8", **headers}
            if cookie:
                sent["cookie"] = cookie
            connection = http.client.HTTPConnection(parts.netloc, timeout=WAIT_SECONDS)
            target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request(method, target, body, sent)
            answer = connection.getresponse()
            content = answer.read().decode()
            connection.close()
            for line in answer.headers.get_all("set-cookie") or []:
                name, _, value = line.partition(";")[0].partition("=")
                jar[name] = value
            self.place = url
            location = answer.headers.get("location")
            if location is None or answer.status not in (302, 303, 307):
                return answer.status, content
            base = f"{parts.scheme}://{parts.netloc}"
            url = location if location.startswith("http") else f"{base}{location}"
            method, body, headers = "GET", None, {}
        raise AssertionError(f"too many redirects, the last to {url}")

    def sign_in(self, home: Path, page: str, name: str = "analyst") -> tuple[int, str]:
        """Open ``page``, sign in where it leads, and return what is there in the end."""
        login = read_logins(home)[name]
        status, _ = self.get(page)
        assert (status, "/login" in self.place) == (200, True), self.place
        issuer = self.place.partition("/login")[0]
        transaction = self.place.partition("transaction=")[2]
        _, asked = self.post(
            f"{issuer}/login", transaction=transaction, name=name, password=login.password
        )
        found = REFERENCE.search(asked)
        assert found is not None, asked[:2_000]
        code = login.code(SystemClock().now())
        return self.post(
            f"{issuer}/login/factor", transaction=transaction, reference=found[1], code=code
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged") / "home"
    make_demo_home(folder)
    return folder


def register(home: Path, client_id: str, redirect_uri: str) -> str:
    house = open_house(home)
    try:
        grants = frozenset({"authorization_code"})
        new = NewClient(client_id, client_id, (redirect_uri,), grants)
        return house.iam.clients.make(os_actor("root"), new, ROOT_ORG).secret or ""
    finally:
        house.close()


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that a server which has dropped root's rights can read."""
    with tempfile.TemporaryDirectory(prefix="secops-judge-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def guards(home: Path, site: str, name: str) -> Browser:
    """What holds at every proxy: who is let in is named, and nothing else is believed."""
    browser = Browser()
    status, told = browser.sign_in(home, f"{site}/annual/2026?part=1", name)
    assert (status, told.splitlines()[0]) == (200, "/annual/2026?part=1")
    assert f"x-auth-user: {name}" in told
    assert "x-secops-identity: eyJ" in told
    lies = {"x-auth-user": "root", "x-auth-subject": "root", "x-secops-identity": "x"}
    _, told = browser.get(f"{site}/again", **lies)
    lies_told = [lie for lie in ("x-auth-user: root", "x-auth-subject: root") if lie in told]
    assert (f"x-auth-user: {name}" in told, lies_told) == (True, [])
    stranger = Browser()
    stranger.get(f"{site}/annual")
    assert "/login" in stranger.place
    return browser


@pytest.mark.skipif(not Path(NGINX).exists(), reason="nginx is not installed")
def test_nginx_protects_a_page_as_the_manual_says(home: Path) -> None:
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    register(home, "reports", f"{site}/_secops/callback")
    with (
        application() as behind,
        serve(home, trusted_proxies="127.0.0.1") as served,
        open_folder() as folder,
    ):
        locations = block("nginx").replace("127.0.0.1:8080", f"127.0.0.1:{served.port}")
        locations = locations.replace("127.0.0.1:9000", f"127.0.0.1:{behind}")
        (folder / "nginx.conf").write_text(
            f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {folder}/pid;\n"
            f"error_log stderr; events {{}}\nhttp {{ access_log off;\n"
            f"client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
            f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;\n"
            f"scgi_temp_path {folder}/s;\n"
            f"server {{ listen 127.0.0.1:{port};\n{locations}\n}} }}\n"
        )
        with running(port, NGINX, "-c", str(folder / "nginx.conf"), "-p", str(folder)):
            browser = guards(home, site, "analyst")
            refused = [f"{site}{path}" for path in ("/a/%2e%2e/b", "/a//b", "/a/..%2fb", "/a/%5cb")]
            assert [browser.get(url)[0] for url in refused] == [403] * 4
            spoof = {"x-original-uri": "/", "x-original-host": f"127.0.0.1:{port}"}
            assert Browser().get(f"{site}/_secops/check", **spoof)[0] == 404


@pytest.mark.skipif(bool(envoy.missing()), reason=envoy.missing() or "-")
def test_envoy_protects_a_page_as_the_manual_says(home: Path) -> None:
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    register(home, "archive", f"{site}/_secops/callback")
    with (
        application() as behind,
        serve(home, trusted_proxies="127.0.0.1") as served,
        open_folder() as folder,
    ):
        rules = block("yaml").replace("port_value: 8080", f"port_value: {served.port}")
        rules = rules.replace("port_value: 9000", f"port_value: {behind}")
        (folder / "envoy.yaml").write_text(rules.replace("port_value: 8092", f"port_value: {port}"))
        options = ("--disable-hot-restart", "--concurrency", "1", "--log-level", "warn")
        program = str(envoy.envoy_program())
        with running(port, program, "-c", str(folder / "envoy.yaml"), *options):
            browser = guards(home, site, "staff")
            passed = [browser.get(f"{site}{path}")[1] for path in ("/a//b", "/a/%2e%2e/b")]
            assert [told.splitlines()[0] for told in passed] == ["/a/b", "/b"]
            escaped = [browser.get(f"{site}{path}")[0] for path in ("/a/..%2fb", "/a/%5cb")]
            assert escaped == [400, 400]
            # what the client says of its request beside the request itself counts for nothing
            spoof = {"x-original-uri": "/", "x-original-host": "127.0.0.1:1", "accept": "*/*"}
            assert Browser().get(f"{site}/annual", **spoof)[0] == 401
            assert Browser().post(f"{site}/annual", a="b")[0] == 401


@pytest.mark.skipif(
    not (APACHE_MODULES / "mod_auth_openidc.so").exists(),
    reason="Apache with mod_auth_openidc is not installed",
)
def test_apache_protects_a_page_as_the_manual_says(home: Path) -> None:
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    secret = register(home, "wiki", f"{site}/oidc-callback")
    with serve(home) as served, open_folder() as folder:
        (folder / "page.html").write_text("the protected page")
        rules = block("apache").replace("localhost:8080", f"localhost:{served.port}")
        rules = rules.replace("127.0.0.1:8091", f"127.0.0.1:{port}")
        rules = rules.replace("SECRET", secret, 1).replace("PASSPHRASE", "a-passphrase-of-a-test")
        modules = ("mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc")
        loaded = "".join(f"LoadModule {m}_module {APACHE_MODULES}/mod_{m}.so\n" for m in modules)
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        (folder / "apache.conf").write_text(
            f"{loaded}ServerRoot {folder}\nPidFile {folder}/pid\nDefaultRuntimeDir {folder}\n"
            f"ServerName 127.0.0.1\nListen 127.0.0.1:{port}\n{user}ErrorLog {folder}/errors\n"
            f"LogLevel warn\nDocumentRoot {folder}\n{rules}"
        )
        words = (APACHE, "-DFOREGROUND", "-f", str(folder / "apache.conf"))
        with running(port, *words):
            try:
                browser = Browser()
                status, page = browser.sign_in(home, f"{site}/page.html", "audit-admin")
                assert (status, page) == (200, "the protected page")
                assert browser.get(f"{site}/page.html") == (200, "the protected page")
                stranger = Browser()
                stranger.get(f"{site}/page.html")
                assert "/login" in stranger.place
            finally:
                print((folder / "errors").read_text()[-3_000:])
