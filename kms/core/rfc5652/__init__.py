"""CMS SignedData (RFC 5652) with one signer and signed attributes, as CAdES and PAdES want it."""
