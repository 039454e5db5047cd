"""Past sign-ins and uses, read from the ledger's records in the log store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from typing import Final

from detectors.core.anomaly.features import LEVELS, from_texts, hour_of_week
from detectors.core.anomaly.learning import Login, Verdicts
from detectors.core.anomaly.usage import ACTIONS, Use
from detectors.core.events.text import texts_of
from detectors.core.formats.ledger import DATASET, SOURCE
from detectors.models.alerts import Alert, AlertFilter
from detectors.ports import AlertStore, ModelStore
from secops.kernel.actors import ROOT_ORG
from secops.kernel.logs import And, LogStore, Or, Query, StoredEvent, Term, Value, Window
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.transactions import Transaction, Transactions

ASSESSED: Final = "iam.assess_sign_in"
OPENED: Final = frozenset({"allow", "unjudged", "passed"})
"""Answers after which a session was opened."""
_PAGE: Final = 2_000
MAX_HISTORY: Final = 300_000
Fields = Mapping[str, Value]


def own_events(logs: LogStore, actions: Sequence[str], window: Window) -> Iterator[StoredEvent]:
    """Yield the ledger's records of ``actions``, newest first, at most 300,000.

    Only what the self-watch stored counts: nobody else may write to that source, or profiles
    could be poisoned with invented sign-ins.
    """
    terms: tuple[Query, ...] = tuple(Term("event.action", each, quoted=True) for each in actions)
    query = And((Term("event.dataset", DATASET, quoted=True), Or(terms)))
    before: tuple[int, int] | None = None
    for _ in range(MAX_HISTORY // _PAGE):
        found = logs.search(query, window, _PAGE, before)
        yield from (each for each in found if each.event.source == SOURCE)
        if len(found) < _PAGE:
            return
        before = (found[-1].event.at, found[-1].seq)


def text_of(fields: Fields, name: str) -> str:
    """Return a field's text, empty if there is none."""
    value = fields.get(name)
    return "" if value is None else texts_of(value)[0]


def login_of(fields: Fields, at: int) -> Login | None:
    """Return the sign-in of an event ``iam.assess_sign_in`` that opened a session."""
    if text_of(fields, "details.answer") not in OPENED:
        return None
    names = (*LEVELS, "hour", "peers")
    texts = {name: text_of(fields, f"details.{name}") for name in names}
    features = from_texts(text_of(fields, "user.id"), texts)
    session = text_of(fields, "target").removeprefix("session:")
    if features is None or not session:
        return None
    return Login(at, session, features, alerted=text_of(fields, "details.alert") == "true")


def read_logins(logs: LogStore, window: Window) -> list[Login]:
    """Return the sign-ins of ``window``, oldest first."""
    found = (
        login_of(each.event.fields, each.event.at) for each in own_events(logs, (ASSESSED,), window)
    )
    return sorted((each for each in found if each is not None), key=lambda each: each.at)


def use_of(event: StoredEvent, zone: tzinfo) -> Use | None:
    """Return a use of a key, seal or export that succeeded."""
    fields = event.event.fields
    action = ACTIONS.get(text_of(fields, "event.action"))
    account = text_of(fields, "user.id")
    if action is None or not account or text_of(fields, "event.outcome") != "success":
        return None
    return Use(
        at=event.event.at,
        account=account,
        peers=f"{text_of(fields, 'organization.id')}/{text_of(fields, 'user.kind')}",
        action=action,
        target=text_of(fields, "target"),
        hour=hour_of_week(event.event.at, zone),
        event_id=event.event.id,
    )


def read_uses(logs: LogStore, window: Window, zone: tzinfo) -> list[Use]:
    """Return the uses of ``window``, oldest first."""
    found = (use_of(each, zone) for each in own_events(logs, tuple(ACTIONS), window))
    return sorted((each for each in found if each is not None), key=lambda each: each.at)


def read_verdicts(transactions: Transactions, alerts: AlertStore, models: ModelStore) -> Verdicts:
    """Return what people and alerts say of sessions."""
    said = transactions.read(lambda tx: models.judgements(tx, ROOT_ORG))
    return Verdicts(
        good=frozenset(each.session_id for each in said if each.verdict == "good"),
        bad=frozenset(each.session_id for each in said if each.verdict == "bad"),
        alerted=frozenset(_alerted(transactions, alerts)),
    )


def _alerted(transactions: Transactions, alerts: AlertStore) -> Iterator[str]:
    page = PageRequest(MAX_LIMIT)
    while True:
        rows = transactions.read(partial(_page, alerts, page))
        for alert in rows[: page.limit]:
            if session := alert.subjects.get("session.id"):
                yield session
        if len(rows) <= page.limit:
            return
        edge = rows[page.limit - 1]
        page = PageRequest(MAX_LIMIT, (edge.last_at, edge.id))


def _page(alerts: AlertStore, page: PageRequest, tx: Transaction) -> Sequence[Alert]:
    return alerts.page(tx, ROOT_ORG, AlertFilter(), page)
