"""Incidents: opened, judged, handled, reported, proved."""
