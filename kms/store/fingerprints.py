"""Fingerprints of every key version, read from a database alone: no custody is needed."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from kms.store.tables.keys import kms_key_versions
from secops.adapters.database.engine import make_engine


def key_fingerprints(database_url: str) -> dict[str, str]:
    """Return SHA-256 (hex) of each version's public and wrapped material, by ``key/version``."""
    engine = make_engine(database_url, read_only=True)
    table = kms_key_versions
    columns = (table.c.key_id, table.c.version, table.c.public_key, table.c.wrapped)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(*columns)).all()
    finally:
        engine.dispose()
    return {
        f"{row.key_id}/{row.version}": hashlib.sha256(row.public_key + row.wrapped).hexdigest()
        for row in rows
    }
