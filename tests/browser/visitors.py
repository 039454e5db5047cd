"""The demo service in processes of its own, and the people who visit it with a browser."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import pyotp
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

SECOPS: Final = str(Path(sys.executable).with_name("secops"))
STEP_SECONDS: Final = 30
_FRESH: Final = 180.0
SCREENSHOTS: Final = Path(__file__).resolve().parents[2] / ".screenshots"
_EXPECTED: Final = "Failed to load resource: the server responded with a status of 4"


def run_secops(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SECOPS, "--home", str(home), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Account:
    """A person's password and authenticator; a code is used once (RFC 6238 §5.2)."""

    name: str
    password: str
    secret: str
    last_step: int = 0

    def code(self) -> str:
        """Return a code that was never shown before, waiting for the next step if need be."""
        while (step := int(time.monotonic() - _SKEW) // STEP_SECONDS) <= self.last_step:
            time.sleep(0.2)
        self.last_step = step
        return pyotp.TOTP(self.secret).at(step * STEP_SECONDS)


# a monotonic reading of the wall clock, taken once (the service runs on this machine)
_SKEW: Final = time.monotonic() - float(
    subprocess.run(["date", "+%s"], capture_output=True, text=True, check=True).stdout
)


@dataclass(slots=True)
class DemoService:
    """A demo home with its samples, served on a free loopback port."""

    home: Path
    port: int
    accounts: dict[str, Account] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        for words in (("init", "--demo"), ("demo-data",)):
            done = run_secops(self.home, *words)
            assert done.returncode == 0, done.stderr
        for line in (self.home / "demo-accounts.txt").read_text().splitlines():
            words = line.split()
            if len(words) == 3 and len(words[2]) == 32:
                self.accounts[words[0]] = Account(*words)
        log = (self.home.parent / "service.log").open("wb")
        self.process = subprocess.Popen(
            [SECOPS, "--home", str(self.home), "serve", "--port", str(self.port)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer,  # noqa: S310 - ours
            ):
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise AssertionError((self.home.parent / "service.log").read_text())

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(30)


@dataclass(slots=True)
class Visitor:
    """A browser context with one page; what its console complains about is kept."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> int:
        answer = self.page.goto(path)
        assert answer is not None
        return answer.status

    def heading(self) -> str:
        return self.page.locator("h1").first.inner_text()

    def press(self, selector: str) -> None:
        self.page.click(selector)
        self.page.wait_for_load_state()

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=True)

    def try_sign_in(self, name: str, password: str) -> None:
        self.go("/")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", password)
        self.press("form[action='/login'] button")

    def sign_in(self, account: Account) -> None:
        self.try_sign_in(account.name, account.password)
        self.page.fill("input[name=code]", account.code())
        self.press("form[action='/login/factor'] button")

    def hear(self, message: ConsoleMessage) -> None:
        # a refused page is logged as a failed resource; that refusal is what the test asks for
        if message.type in ("error", "warning") and not message.text.startswith(_EXPECTED):
            self.complaints.append(f"{message.text} ({message.location['url']})")


@dataclass(slots=True)
class Visitors:
    """Opens contexts, and remembers who is signed in: a second sign-in costs a TOTP step."""

    browser: Browser
    service: DemoService
    known: dict[str, Visitor] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    all: list[Visitor] = field(default_factory=list)

    def stranger(
        self,
        *,
        scripts: bool = True,
        locale: str = "zh-CN",
        scheme: Literal["light", "dark"] = "light",
        signed_in_as: Visitor | None = None,
    ) -> Visitor:
        context = self.browser.new_context(
            base_url=self.service.url,
            java_script_enabled=scripts,
            locale=locale,
            color_scheme=scheme,
            accept_downloads=True,
            storage_state=signed_in_as.context.storage_state() if signed_in_as else None,
            viewport={"width": 1366, "height": 900},
        )
        visitor = Visitor(context, context.new_page())
        visitor.page.on("console", lambda message: visitor.hear(message))  # noqa: PLW0108 - a bound method of slots is refused
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        self.all.append(visitor)
        return visitor

    def signed_in(self, name: str) -> Visitor:
        # sealing and exporting take a sign-in of the last five minutes
        if time.monotonic() - self.since.get(name, -_FRESH) >= _FRESH:
            self.since[name] = time.monotonic()
            visitor = self.stranger()
            visitor.sign_in(self.service.accounts[name])
            assert visitor.heading() == "我的工作台"
            self.known[name] = visitor
        return self.known[name]
