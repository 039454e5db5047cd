"""Looking up what standards ask."""
