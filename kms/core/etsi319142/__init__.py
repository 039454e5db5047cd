"""Signatures of a PDF (ISO 32000-2 §12.8; ETSI EN 319 142, PAdES), judged step by step."""
