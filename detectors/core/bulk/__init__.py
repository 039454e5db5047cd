"""Elasticsearch's bulk form: NDJSON pairs of an action and a document."""
