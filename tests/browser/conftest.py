"""One demo service and one browser for all browser tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.visitors import DemoService, Visitors, free_port


@pytest.fixture(scope="session")
def visitors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitors]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    service = DemoService(tmp_path_factory.mktemp("demo") / "home", free_port())
    service.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            yield Visitors(browser, service)
            browser.close()
    finally:
        service.stop()
