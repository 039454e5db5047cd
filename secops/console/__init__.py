"""The web console: server-rendered pages over the planes' services; works without JavaScript.

``render`` makes pages, ``tables`` shows lists (sortable, exportable), ``texts`` translates.
A folder per plane holds its pages; ``signin/`` holds sign-in and enrolment.
"""
