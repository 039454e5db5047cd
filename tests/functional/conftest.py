"""One demo home for all functional tests that need a whole house."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from secops.app import open_house
from secops.bridges import notices
from tests.fakes.back_channels import BackChannels
from tests.fakes.demo_site import DemoSite, open_demo_site
from tests.fakes.loop_site import LoopSite


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> DemoSite:
    """A demo home behind its WSGI application, without sockets."""
    return open_demo_site(tmp_path_factory.mktemp("site") / "home")


@pytest.fixture(scope="session")
def loop_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopSite]:
    """A home of their own for the tests of the closed loop; the wire outside is faked."""
    partners = BackChannels()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notices, "upstream", lambda settings: partners)
        site = open_demo_site(tmp_path_factory.mktemp("closed-loop") / "home")
        scheduler = open_house(site.house.settings.home, "scheduler")
    yield LoopSite(site, scheduler, partners)
    scheduler.close()
    site.house.close()
