"""JSON web signatures of others: read behind a strict guard."""
