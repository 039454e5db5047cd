"""What runs in each process: a gateway's WSGI application, the scheduler's jobs."""

from __future__ import annotations

import gc
import logging
import signal
import time
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from itertools import chain
from typing import Final

from detectors.adapters.ownlog import OwnLog, OwnLogHandler
from iam.models.factors import TERMINATOR_HEADER
from kms.service.self_tests import HourlySelfTests
from secops.adapters.gateway import GatewayOptions
from secops.adapters.scheduler import Scheduler, SchedulerOptions
from secops.adapters.spine import Spine, SpineOptions
from secops.bridges.house import House
from secops.bridges.surface import surface_routes
from secops.console.failures import error_pages
from secops.console.install import console_routes
from secops.console.parts import ConsoleParts
from secops.kernel.catalogue import Text
from secops.kernel.errors import SecopsError, Unavailable
from secops.migrations import current, heads
from secops.settings import Settings
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import FastLane, Lane, build_wsgi
from secops.web.routes import Route
from secops.web.server.client_certificates import Vouching
from secops.web.server.serving import Listening, serve
from secops.web.wsgi import Origins, RequestReader

_LOG: Final = logging.getLogger("secops.processes")
_POLL_SECONDS: Final = 0.2
_GARBAGE: Final = 20_000


class HomeMissing(Unavailable):
    """There is no home here, or it belongs to another release."""

    code = "home.missing"
    exit_code = 2
    title = Text("没有可用的主目录", "There is no usable home")
    remedy = Text("请先运行 secops init。", "Run `secops init` first.")


def smaller_journal(options: SpineOptions, size: int) -> SpineOptions:
    """Return ``options`` for a one-shot command: filling a large journal takes longer than it."""
    return replace(options, journal_bytes=size)


def check_home(settings: Settings, spine: Spine) -> None:
    """Raise ``HomeMissing`` unless the database is at the head of our history; then start."""
    if not settings.home.is_dir():
        raise HomeMissing(f"{settings.home} is not there")
    (head,) = heads()
    found = current(spine.engine)
    if found is None:
        raise HomeMissing(f"{settings.home} has no database yet")
    if found != head:
        raise HomeMissing(f"the database is at {found}, this release needs {head}")
    spine.start()


def all_routes(house: House) -> tuple[Route, ...]:
    """Return every route that is answered: the planes', the console's and the shell's."""
    console = console_routes(
        ConsoleParts(
            clock=house.parts.clock,
            demo=house.settings.demo,
            version=version("govsecops"),
            iam=house.iam,
            kms=house.kms,
            detectors=house.detectors,
            playbooks=house.playbooks,
            audits=house.audits,
        )
    )
    joined: list[Route] = [*chain.from_iterable(plane.routes for plane in house.planes), *console]
    joined.extend(surface_routes(house, version("govsecops"), lambda: joined))
    return tuple(joined)


def keep_own_log(house: House, role: str) -> None:
    """Write this process's log lines to home/log, one file a role and day, which is followed."""
    log = OwnLog(house.settings.home / "log", role, house.parts.clock)
    logging.getLogger().addHandler(OwnLogHandler(log, house.parts.clock))


def build_gateway(house: House) -> FastLane:
    """Return the WSGI application over an opened house, closed when the worker ends."""
    keep_own_log(house, "gateway")
    settings = house.settings
    verification = house.iam.verification
    guard = Guard(verification, house.parts.access, house.parts.clock, verification, verification)
    names = ("localhost", "127.0.0.1", "[::1]")
    hosts = frozenset(f"{name}:{settings.port}" for name in names)
    origins = Origins(
        settings.origin,
        hosts if not settings.public_url or settings.demo else frozenset(),
        settings.proxies,
        settings.tls,
    )
    reader = RequestReader(origins, house.parts.randomness)
    error_page = error_pages(settings.demo, version("govsecops"))
    lane = Lane(reader, Dispatcher(guard, house.parts.trail, error_page))
    return build_wsgi(lane, all_routes(house))


def serve_gateway(house: House, options: GatewayOptions) -> None:
    """Serve ``house`` until SIGTERM; then close it."""
    application = build_gateway(house)
    settle()
    listening = Listening(
        addresses=options.addresses,
        port=options.port,
        threads=options.threads,
        shared=options.workers > 1,
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        tls_client_ca=options.tls_client_ca,
        vouching=_vouching(house) if options.tls_client_ca else None,
    )
    tests = HourlySelfTests(house.kms.self_tests, house.spine.owner)
    tests.start()
    try:
        serve(application, house.spine.journal, listening)
    finally:
        tests.stop()
        house.close()


def _vouching(house: House) -> Vouching:
    return Vouching(TERMINATOR_HEADER, house.iam.certificates.vouch)


def settle() -> None:
    """Look for garbage seldom from now on, and never among what was loaded at the start.

    An answer leaves few cycles behind, and going through all objects every 700 new ones took an
    eighth of the loop's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE, 50, 100)


def run_scheduler(house: House) -> None:
    """Run every plane's jobs and the outbox until SIGTERM; then close the house."""
    keep_own_log(house, "scheduler")
    asked: list[int] = []  # appending is safe inside a signal handler, an Event's lock is not
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent passes SIGTERM on
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    subscriptions = list(chain.from_iterable(plane.subscriptions for plane in house.planes))
    jobs = [
        *chain.from_iterable(plane.jobs for plane in house.planes),
        house.spine.outbox(subscriptions).job,
    ]
    scheduler = Scheduler(
        jobs,
        house.parts.leases,
        owner=house.spine.owner,
        clock=house.parts.clock,
        options=SchedulerOptions(on_error=partial(_LOG.error, "job %s failed: %r")),
    )
    listening = house.detectors.listening
    try:
        listening.start_listeners()
    except SecopsError as error:  # the rest goes on; doctor and the log say what is missing
        _LOG.error("syslog is not heard: %s %s", error.code, error.detail)
    settle()
    tests = HourlySelfTests(house.kms.self_tests, house.spine.owner)
    tests.start()
    scheduler.start()
    while not asked:
        time.sleep(_POLL_SECONDS)
    tests.stop()
    listening.stop_listeners()
    scheduler.stop()
    house.close()
