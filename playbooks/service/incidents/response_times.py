"""How quickly an organisation answers: MTTD, MTTA, MTTR of a period."""

from __future__ import annotations

from typing import Final

from playbooks.core.response_times import response_spans, spread_of
from playbooks.models.response_times import ResponseTimes
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import INCIDENT_READ
from secops.kernel.transactions import Transaction

MAX_PERIOD: Final = 400 * DAY
USUAL_PERIOD: Final = 30 * DAY


class ResponseTimeService:
    """Measures on the wall clock, by the time of closing."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def measure_response(
        self, actor: Actor, since: int | None = None, until: int | None = None
    ) -> ResponseTimes:
        """Return the figures of incidents closed from ``since`` to before ``until``.

        Defaults: the last 30 days up to now. Raises ``Invalid`` for more than 400 days.
        """
        self._s.parts.access.require(actor, INCIDENT_READ, "incident:*")

        def work(tx: Transaction) -> ResponseTimes:
            end = tx.now + 1 if until is None else until
            begin = end - USUAL_PERIOD if since is None else since
            if not 0 < end - begin <= MAX_PERIOD:
                msg = "a period ends after it begins, at most 400 days later"
                raise Invalid(msg)
            store = self._s.stores.times
            closed = tuple(store.closed(tx, actor.org_id, begin, end))
            still = store.open(tx, actor.org_id)
            return ResponseTimes(
                since=begin,
                until=end,
                seen_at=tx.now,
                spans=response_spans(closed),
                open_ages=spread_of(max(tx.now - one.opened_at, 0) for one in still),
                incidents=closed,
            )

        return self._s.parts.transactions.read(work)
