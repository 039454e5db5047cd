"""The account list of a large home: 100,000 accounts in 10,000 organisations."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any, Final

from secops.adapters.database.engine import make_engine
from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.served import demo_home
from secops.settings import DATABASE_FILE

ORGANISATIONS: Final = 10_000
ACCOUNTS: Final = 100_000
_BAR: Final = Bar("<=", 150)
_PAGES: Final = 40
_MILLI: Final = 1_000
_FILL: Final = (
    """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    INSERT INTO iam_organisations (org_id, name, parent_id, created_at)
    SELECT 'org_b' || i, 'Office ' || i, 'org_root', i FROM n""",
    """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    INSERT INTO iam_organisation_paths (ancestor_id, descendant_id, depth)
    SELECT 'org_b' || i, 'org_b' || i, 0 FROM n
    UNION ALL SELECT 'org_root', 'org_b' || i, 1 FROM n""",
    """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO iam_accounts
        (id, org_id, name, name_key, kind, state, created_at, last_sign_in)
    SELECT printf('acc_b%07d', i), 'org_b' || (i % 10000 + 1), 'person' || i, 'person' || i,
        'person', 'active', i, i * 1000 FROM n""",
    "ANALYZE",
)


def people_figures() -> list[dict[str, Any]]:
    """Return how long pages of the list take, in each order and narrowed to one organisation."""
    from iam.models.accounts import AccountQuery  # noqa: PLC0415 - heavy
    from secops.app import open_house  # noqa: PLC0415

    asked = {
        "created": AccountQuery(),
        "name": AccountQuery(order="name"),
        "sign-in": AccountQuery(order="sign_in"),
        "one organisation": AccountQuery(organisation_id="org_b77"),
        "text": AccountQuery(text="person9999"),
    }
    with demo_home() as home:
        fill(home)
        house = open_house(home)
        try:
            actor = house.act_as("system-admin")
            return [
                _pages(house.iam.accounts.list_accounts, actor, name, query)
                for name, query in asked.items()
            ]
        finally:
            house.close()


def fill(home: Path) -> None:
    """Put the accounts and organisations into the database of ``home``."""
    engine = make_engine(f"sqlite:///{home / DATABASE_FILE}")
    with engine.begin() as connection:
        for statement in _FILL:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _pages(list_accounts: Any, actor: Any, name: str, query: Any) -> dict[str, Any]:
    from secops.kernel.pages import PageRequest, decode_cursor  # noqa: PLC0415 - heavy

    taken, spent = [], []
    after = None
    for _ in range(_PAGES):
        begun, cpu = time.perf_counter(), time.process_time()
        page, _roles = list_accounts(actor, PageRequest(50, after), query)
        taken.append((time.perf_counter() - begun) * _MILLI)
        spent.append((time.process_time() - cpu) * _MILLI)
        after = None if page.next is None else decode_cursor(page.next)
    return figure(
        f"account list by {name}, p95",
        statistics.quantiles(taken, n=20)[-1],
        "ms",
        f"{_PAGES} pages of 50 among {ACCOUNTS} accounts in {ORGANISATIONS} organisations,"
        f" median {statistics.median(taken):.1f} ms, {statistics.median(spent):.1f} ms of CPU",
        bar=_BAR,
    )
