"""Use cases of the detectors plane."""
