"""Values of the detectors plane."""
