"""Correlations: sliding windows over the matches of other rules, exact by event time."""
