"""The ledger: sequencing, reading, proving, verifying."""
