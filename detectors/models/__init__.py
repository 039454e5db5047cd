"""Values of the detectors plane."""

from detectors.models.options import DetectorsOptions

__all__ = ["DetectorsOptions"]
