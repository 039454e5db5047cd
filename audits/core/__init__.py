"""The domain of the audits plane, pure: no input or output, no clock."""
