"""The log store on a test's Elasticsearch, under index names of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from detectors.adapters.elastic import Elastic, open_elastic
from detectors.adapters.elastic.address import ElasticAddress, read_address
from detectors.adapters.elastic.build import Hearers, Judgement, Patience
from detectors.adapters.segments.spool import Spool
from detectors.core.anchors import indexing
from detectors.core.query import evaluator
from secops.kernel.leases import Leases
from tests.fakes.leases import FakeLeases
from tests.services.elasticsearch import ElasticsearchServer

USUAL = Patience()


def address_of(server: ElasticsearchServer, url: str = "", prefix: str = "") -> ElasticAddress:
    """Return where ``server`` is (``url``: by another way), with index names nobody has used."""
    chosen = f"{url or server.url}/{prefix or server.new_prefix()}"
    authority = str(server.authority) if "+https" in chosen else ""
    return read_address(chosen, Path("/"), authority=authority)


def open_store(
    address: ElasticAddress,
    folder: Path,
    leases: Leases | None = None,
    closed: Callable[..., None] = lambda name, details: None,
    patience: Patience = USUAL,
) -> Elastic:
    """Return the store at ``address`` with a spool under ``folder``."""
    numbers = itertools.count()
    return open_elastic(
        address,
        Spool(folder / "spool", "p1"),
        Judgement(evaluator, indexing),
        Hearers(closed, lambda batch: None),
        (leases or FakeLeases(), lambda: f"writer-{next(numbers)}"),
        patience=patience,
    )


def forget(server: ElasticsearchServer, address: ElasticAddress) -> None:
    """Remove the indices of ``address``."""
    _, listed = server.ask("GET", f"/_cat/indices/{address.prefix}*?format=json&h=index")
    for each in listed:
        server.ask("DELETE", f"/{each['index']}")
