"""The log store on Parquet files: spool, one writer at a time, immutable segments by day.

``append`` or ``offer`` → ``spool`` (fsync) → ``writer`` under a file lock: known ids out
(``fingerprints``), next numbers, one Parquet file per UTC day (``parts``), one fsynced line
in the ``manifest`` → ``reader`` answers scans and searches from the same files.
"""

from detectors.adapters.segments.build import Segments, open_segments

__all__ = ["Segments", "open_segments"]
