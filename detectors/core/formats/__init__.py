"""Log formats: how the bytes of a source become fields. One module per format."""
