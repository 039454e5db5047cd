"""What an event is: canonical text, folding for comparison, identity.

``text`` turns values into canonical text and folds it, ``identity`` numbers equal lines and
makes event ids. Both log stores and the engine use these and nothing else to compare.
"""
