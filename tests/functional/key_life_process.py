"""A process that makes, rotates, backs up, restores and destroys keys until it is killed.

It prints a line of JSON after each act that was answered: what stands there has to hold.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from kms.models.keys import KeyRequest
from kms.service.key_backup import RestoreRequest
from secops.kernel.clock import DAY, SystemClock
from tests.fakes.key_pool import KEEPER, OPERATIONS, USER, open_key_pool

SECOND = replace(KEEPER, id="acc_second", name="acc_second")
INPUT = {"input": "aGVsbG8="}
DAYS_A_RUN = 50


class LeapingClock(SystemClock):
    """The system's clock, some days ahead: destruction takes a day at least."""

    def __init__(self, days: int) -> None:
        self.days = days

    def now(self) -> int:
        return super().now() + self.days * DAY


def tell(act: str, **facts: Any) -> None:
    print(json.dumps({"act": act, **facts}), flush=True)


def live(home: Path, run: str) -> None:
    """Lead one key after another through its life."""
    clock = LeapingClock(DAYS_A_RUN * int(run))
    with open_key_pool(home, clock=clock) as pool:
        services = pool.services
        keys, control = services.keys, services.key_control
        tell("ready")
        for number in range(100_000):
            name = f"k{run}-{number}"
            wish = KeyRequest(name, "ed25519", exportable=True, allow_plaintext_backup=True)
            keys.create_key(KEEPER, wish)
            control.grant_key(KEEPER, name, USER.id, OPERATIONS)
            for version in (1, 2, 3):
                if version > 1:
                    keys.rotate_key(KEEPER, name)
                    tell("rotated", name=name, version=version)
                signature = services.transit.sign(USER, name, {**INPUT, "key_version": 0}).text
                tell("signed", name=name, signature=signature)
            backup = services.key_backups.backup_key(KEEPER, name).text
            tell("backed up", name=name, backup=backup)
            services.key_backups.restore_key(KEEPER, RestoreRequest(backup, f"{name}-copy"))
            tell("restored", name=f"{name}-copy", of=name)
            if number % 2:
                keys.configure_key(KEEPER, name, {"deletion_allowed": True})
                tell("to be destroyed", name=name)
                destruction = services.key_destruction
                asked = destruction.destroy_key(KEEPER, name, reason="end", delay_days=1)
                destruction.decide_destruction(SECOND, asked.id, grant=True, reason="end")
                clock.days += 2
                destruction.destroy_due_keys()
                tell("destroyed", name=name)


if __name__ == "__main__":
    live(Path(sys.argv[1]), sys.argv[2])
