"""The detectors plane."""
