"""The domain of response: pure, no input or output, no clock."""
