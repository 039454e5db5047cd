"""Correlations over hits: counts, values, sequences, absence, first sights."""
