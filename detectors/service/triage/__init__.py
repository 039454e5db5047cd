"""Alerts and what is done with them: grouped, suppressed, scored, shown."""
