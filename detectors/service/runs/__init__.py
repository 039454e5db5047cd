"""Rules over events: live runs with their cursors, and whole sweeps of the store."""
