"""The outside world of the audits plane that is not a database of its own."""
