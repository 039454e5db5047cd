"""SM2 signatures without a seal: SignedData of GM/T 0010 = GB/T 35275, and bare values.

``reading`` walks the stored DER, ``verification`` judges the steps that need no seal.
"""
