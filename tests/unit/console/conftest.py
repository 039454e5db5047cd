"""One demo house for all tests of the console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.console_site import ConsoleSite, open_console_site


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    opened = open_console_site(tmp_path_factory.mktemp("console") / "home")
    yield opened
    opened.site.house.close()
