"""The story of a disk that fills up, told on a small tmpfs; prints what happened as JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from secops.adapters.database.engine import database_url, make_engine
from secops.adapters.spine import Spine
from secops.kernel.actors import system_actor
from secops.kernel.errors import SecopsError
from secops.kernel.jobs import Task
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction
from secops.migrations import upgrade
from tests.functional.spine_process import hot_act, open_process, state_change
from tests.functional.test_faults_spine import at_the_doors, states, targets

THREADS = 4


class Story:
    def __init__(self, home: Path, *, answer_first: bool) -> None:
        self.home = home
        self.answer_first = answer_first
        self.acked: set[str] = set()
        self.codes: set[str] = set()
        self.refused = 0

    def fill(self, spine: Spine) -> None:
        """Write through both doors until each thread was refused ten times."""
        threads = [threading.Thread(target=self._write, args=(spine, i)) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _write(self, spine: Spine, thread: int) -> None:
        refusals = 0
        for number in range(100_000):
            identifier = f"{thread}-{number}-{'x' * 400}"
            if self.answer_first:
                self.acked.add(identifier)
            try:
                (state_change if number % 2 else hot_act)(spine, identifier)
                self.acked.add(identifier)
            except SecopsError as error:
                self.codes.add(error.code)
                self.refused += 1
                refusals += 1
            if refusals == 10:
                return


def refusal(act: Any) -> str:
    try:
        act()
    except SecopsError as error:
        return error.code
    return "granted"


def use_up(folder: Path) -> Path:
    """Take the last free block."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while stream.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return path


def tell(home: Path, mode: str) -> dict[str, Any]:
    engine = make_engine(database_url(home, None))
    upgrade(engine)
    engine.dispose()
    here, elsewhere = open_process(home, "gateway"), open_process(home, "gateway")
    elsewhere.revocations.is_revoked("session", "none")
    spare = home / "spare"  # what the operator deletes in the end
    spare.write_bytes(os.urandom(8 << 20))
    story = Story(home, answer_first=mode == "answer_first")
    story.fill(here)
    filler = use_up(home)
    found: dict[str, Any] = {
        "run_when_full": refusal(lambda: _until_refused(state_change, here)),
        "hot_when_full": refusal(lambda: _until_refused(hot_act, here)),
    }
    act = Act("iam.revoke_session", system_actor("test"), "session:s1")
    large = Task("large", "org_root", "large", "done", 0, 0, 0, "x" * (1 << 20))
    here.transactions.restrict(
        lambda tx: here.parts.tasks.create(tx, large), Restriction("session", "s1", act)
    )
    elsewhere.revocations.refresh()
    found["restricted_here"] = here.revocations.is_revoked("session", "s1")
    found["restricted_elsewhere"] = elsewhere.revocations.is_revoked("session", "s1")
    before = len(here.doors.read_after("database", 0, 1 << 30).records)
    filler.unlink()
    spare.unlink()
    hot_act(elsewhere, "after")
    state_change(here, "after-state")
    found["works_again"] = True
    leaves = here.doors.read_after("database", 0, 1 << 30).records[before:]
    found["first_after_recovery"] = json.loads(leaves[0])["action"]
    records = at_the_doors(here)
    changed = set(targets(records, b"test.state"))
    known = changed | set(targets(records, b"test.hot"))
    found |= {
        "acked": len(story.acked),
        "refused": story.refused,
        "codes": sorted(story.codes),
        "lost": len(story.acked - known),
        "without_record": len(states(here) ^ changed),
    }
    here.close()
    elsewhere.close()
    return found


def _until_refused(act: Callable[[Spine, str], None], spine: Spine) -> None:
    """Fill what is preallocated or can be used again: only then must it refuse."""
    for number in range(20_000):
        act(spine, f"fill-{number}-{'x' * 400}")


if __name__ == "__main__":
    print(json.dumps(tell(Path(sys.argv[1]), sys.argv[2])))
