"""kill -9 in the middle of a batch, again and again: no row is sealed twice, none is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from kms.service.ecertificates import running
from secops.app import open_house
from secops.kernel.pages import PageRequest
from tests.fakes.demo_site import make_demo_home

ROWS = 60
KILLS = 5
PATIENCE = 120.0
WORKER = """
import pathlib, sys
from kms.service.ecertificates import running
from secops.app import open_house
running.LEASE_SECONDS, running.PART = 0.4, 7
house = open_house(pathlib.Path(sys.argv[1]))
print("ready", flush=True)
while True:
    house.kms.ecertificates.runner.tick()
"""


@pytest.mark.deep
def test_a_batch_survives_kill_9_without_doubles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LEASE_SECONDS", 0.4)
    home = tmp_path / "home"
    make_demo_home(home)
    house = open_house(home)
    try:
        holder, here = house.act_as("seal-holder"), house.kms.ecertificates
        (template,) = here.templates.list_ecertificate_templates(holder, PageRequest()).items
        lines = [
            orjson.dumps({"holder": f"店{number}", "leader": "甲", "scope": "食品销售"})
            for number in range(ROWS)
        ]
        batch = here.batches.order_ecertificate_batch(
            holder, template.id, b"\n".join(lines), name="杀"
        )

        def issued() -> int:
            return here.batches.show_ecertificate_batch(holder, batch.id).counts["issued"]

        for kill in range(1, KILLS + 1):
            wanted = min(issued() + ROWS // (KILLS + 2), ROWS)
            with subprocess.Popen(
                [sys.executable, "-c", WORKER, str(home)], stdout=subprocess.PIPE
            ) as worker:
                deadline = time.monotonic() + PATIENCE
                while issued() < wanted and time.monotonic() < deadline:
                    pass
                worker.kill()
            assert issued() >= wanted, f"kill {kill}"
        deadline = time.monotonic() + PATIENCE
        while issued() < ROWS and time.monotonic() < deadline:
            here.runner.tick()

        page = PageRequest(200)
        rows = here.batches.list_ecertificate_rows(holder, batch.id, page).items
        found = [row.certificate_id for row in rows]
        records = here.registry.list_ecertificates(holder, page, {"batch_id": batch.id}).items
        uses = house.kms.seal_using.list_uses(holder, template.wish.seal_id, page).items
        # one use more: the demo's own licence
        assert (len(set(found)), len(records), len(uses)) == (ROWS, ROWS, ROWS + 1)
        assert {use.id for use in uses} >= {record.use_id for record in records}
        assert len({record.number for record in records}) == ROWS
    finally:
        house.close()
