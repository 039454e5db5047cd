"""Rules: read from folders, checked, tried on history, reported on, excepted."""
