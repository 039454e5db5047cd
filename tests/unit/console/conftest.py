"""One demo house for all tests of the console; it closes when the process ends."""

from __future__ import annotations

import pytest

from tests.fakes.console_site import ConsoleSite, open_console_site


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> ConsoleSite:
    return open_console_site(tmp_path_factory.mktemp("console") / "home")
