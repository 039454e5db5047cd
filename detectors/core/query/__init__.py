"""The search language: ``syntax`` reads it, ``evaluate`` answers it on batches of columns."""
