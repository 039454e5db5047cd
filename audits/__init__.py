"""The audits plane."""
