"""Electronic seals: GB/T 38540-2020 (v4), GM/T 0031-2014 (v1) and GM/T 0031-2025 (v5).

``reading`` walks stored DER into ``structures``; ``verification`` judges them step by
step; ``writing`` makes v4 seals and signatures exactly.
"""
