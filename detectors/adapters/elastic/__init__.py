"""The log store on an Elasticsearch 8 cluster: plain indices by day, one writer at a time.

``append`` or the spool → ``writer`` under a lease: known ids out, next numbers, ``create`` by
id, refresh, one conditional update of the state document → ``reader`` asks for a superset
(``dsl``) and the engine's evaluation decides on what comes back.
"""

from detectors.adapters.elastic.build import Elastic, open_elastic

__all__ = ["Elastic", "open_elastic"]
