"""Where the closed loop is tried."""

from __future__ import annotations

from dataclasses import dataclass

from secops.bridges.house import House
from tests.fakes.back_channels import BackChannels
from tests.fakes.demo_site import DemoSite


@dataclass
class LoopSite:
    """A gateway and a scheduler over one home whose accounts' risks are raised."""

    site: DemoSite
    scheduler: House
    partners: BackChannels
