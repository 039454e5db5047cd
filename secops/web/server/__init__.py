"""HTTP/1.1 over asyncio: fast routes answered on the loop, everything else in threads.

``heads`` reads and writes heads (pure), ``connection`` is one client's connection, ``commits``
waits for the journal without a thread a request, ``slow`` runs WSGI, ``serving`` holds the
loop, the listeners and the end.
"""
