"""Where the ledger lies: its own file, or the database."""
