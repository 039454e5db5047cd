"""Backup of a living home into one file, and its restoration into an empty one.

``snapshot`` copies what belongs to one instant, ``archive`` is the file's form, ``service``
puts the two together and proves with the caller's facts (roots, key fingerprints) that
what comes back is what went in.
"""
