"""Scanners' files, read within limits: SARIF 2.1.0 and CSV."""
