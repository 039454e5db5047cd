"""OFD files (GB/T 33190-2016) as far as their signatures go: read, and judged.

``package`` opens the zip without trusting it, ``markup`` its XML; ``signatures`` finds what
was signed, ``reach`` what is shown; ``verification`` puts both beside each other.
"""
