"""CMS SignedData (RFC 5652) with one signer and signed attributes, as CAdES and PAdES want it.

``schemes`` says how keys sign in it (SM2 in the words of GB/T 35275), ``writing`` writes it,
``reading`` walks the stored DER, ``verification`` checks the arithmetic.
"""
