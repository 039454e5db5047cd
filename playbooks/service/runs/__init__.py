"""Runs: planned, approved, performed step by step, replayed."""
