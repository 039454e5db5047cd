"""The detectors' stores over the database."""
