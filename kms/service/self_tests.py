"""Known-answer tests of the engines in the very process that uses them, kept as evidence."""

from __future__ import annotations

import logging
import threading
from typing import Final

from kms.models.self_tests import SelfTestRecord
from kms.ports.self_tests import SelfTestStore
from secops.crypto.engines import repeat_self_test
from secops.kernel.actors import Actor, system_actor
from secops.kernel.errors import SecopsError
from secops.kernel.pages import MAX_LIMIT, Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_READ_ALL
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_LOG: Final = logging.getLogger("kms.self_tests")
HOUR_SECONDS: Final = 3_600.0


class SelfTests:
    """Tests engines. One that fails is refused in its process from then on (crypto.engines)."""

    def __init__(self, parts: Parts, store: SelfTestStore) -> None:
        self._parts = parts
        self._store = store

    def run_self_tests(self, process: str) -> SelfTestRecord:
        """Test every engine of this process; the outcome is a leaf and a row."""
        report = repeat_self_test()
        defects = {
            name: defect
            for name, defect in report.defects.items()
            if defect is not None and name not in report.absent
        }
        for name, defect in defects.items():
            _LOG.error("the engine %s is refused from now on: %s", name, defect)
        record = SelfTestRecord(
            id=self._parts.ids.new("kat"),
            at=self._parts.clock.now(),
            process=process,
            passed=len(report.defects) - len(defects) - len(report.absent),
            defects=defects,
        )
        details = {"passed": record.passed, "defects": defects, "absent": sorted(report.absent)}
        act = Act(
            "kms.self_test",
            system_actor("kms"),
            f"process:{process}",
            "failed" if defects else "done",
            details,
        )

        def work(transaction: Transaction) -> None:
            self._store.insert(transaction, record)
            transaction.record(act)

        self._parts.transactions.run(work)
        return record

    def refused_engines(self, actor: Actor, since: int) -> frozenset[str]:
        """Return the engines that any process refused since then, as far as a page reaches."""
        runs = self.list_self_tests(actor, PageRequest(MAX_LIMIT)).items
        return frozenset(name for run in runs if run.at >= since for name in run.defects)

    def list_self_tests(self, actor: Actor, request: PageRequest) -> Page[SelfTestRecord]:
        """Return the runs of all processes, newest first."""
        self._parts.access.require(actor, KEY_READ_ALL, "self_test:*")
        rows = self._parts.transactions.read(lambda tx: self._store.page(tx, request))
        return page_of(rows, request.limit, [(row.at, row.id) for row in rows])


class HourlySelfTests:
    """Runs the tests at once and every hour, in a thread of this process, until it is stopped."""

    def __init__(self, tests: SelfTests, process: str, every_seconds: float = HOUR_SECONDS) -> None:
        self._tests = tests
        self._process = process
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="self-tests", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for a run that is going on."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self._tests.run_self_tests(self._process)
            except SecopsError as error:
                # what failed is refused all the same; the next hour writes again
                _LOG.error("the outcome of the self-tests can't be kept: %s", error.code)
            if self._stopped.wait(self._every_seconds):
                return
