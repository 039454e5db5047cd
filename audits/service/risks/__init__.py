"""The register of risks (GB/T 20984-2022): kept, filled, accepted; scanners' files."""
