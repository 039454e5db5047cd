"""What applications demand of the people who open them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables import cas_services, clients
from secops.kernel.transactions import Transaction

_CAS: Final = "cas:"


class Demands:
    """Applications in ``iam_clients``, and ``cas:ID`` in ``iam_cas_services``."""

    def of_application(self, tx: Transaction, application: str) -> str | None:
        """Return the real-name level it demands, None where it is not registered."""
        if application.startswith(_CAS):
            service = application.removeprefix(_CAS)
            query = sa.select(cas_services.c.real_name_level).where(cas_services.c.id == service)
        else:
            query = sa.select(clients.c.real_name_level).where(clients.c.id == application)
        found = tx.execute(query).scalar()
        return None if found is None else str(found)
