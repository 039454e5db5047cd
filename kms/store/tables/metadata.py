"""The plane's one ``MetaData``; each family's file adds its tables to it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

metadata: Final = MetaData()
