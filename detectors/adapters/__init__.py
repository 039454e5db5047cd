"""Drivers of the detectors plane: log files, segments, tailing."""
