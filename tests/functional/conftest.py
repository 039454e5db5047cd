"""One demo home for all functional tests that need a whole house."""

from __future__ import annotations

import pytest

from tests.fakes.demo_site import DemoSite, open_demo_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> DemoSite:
    """A demo home behind its WSGI application, without sockets."""
    return open_demo_site(tmp_path_factory.mktemp("site") / "home")
