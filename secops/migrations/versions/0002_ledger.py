"""The ledger's tables, where the ledger lies in this database.

With SQLite it is a file of its own (docs/decisions/0003-ledger-file.md), which makes its
tables itself: nothing is done here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_ledger"
down_revision = "0001_kernel"

_TABLES = (
    "ledger_keys",
    "ledger_positions",
    "ledger_checkpoints",
    "ledger_subtrees",
    "ledger_rows",
    "ledger_entries",
    "ledger_head",
)


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    _create_entries()
    _create_trees()
    op.create_table(
        "ledger_positions",
        sa.Column("door", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )


def _create_entries() -> None:
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("sm3", sa.LargeBinary, nullable=False),
    )
    op.create_index("ledger_entries_by_leaf", "ledger_entries", ["sha256"])
    op.create_table(
        "ledger_rows",
        sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
    )
    op.create_index("ledger_rows_by_action", "ledger_rows", ["action", "entry"])
    op.create_index("ledger_rows_by_actor", "ledger_rows", ["actor_id", "entry"])
    op.create_index("ledger_rows_by_target", "ledger_rows", ["target", "entry"])


def _create_trees() -> None:
    op.create_table(
        "ledger_subtrees",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("sm3", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("sha256_root", sa.LargeBinary, nullable=False),
        sa.Column("sm3_root", sa.LargeBinary, nullable=False),
        sa.Column("sha256_note", sa.Text, nullable=False),
        sa.Column("sm3_note", sa.Text, nullable=False),
    )
    op.create_table(
        "ledger_keys",
        sa.Column("vkey", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    for name in _TABLES:
        op.drop_table(name)
