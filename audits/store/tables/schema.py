"""The metadata that all tables of the audits plane in the main database stand on."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

metadata: Final = MetaData()
