"""Anomalies: how unlikely is this for this account, and for its peers."""
