"""The domain of detection and logs, pure: no I/O, no clock, no driver."""
