"""HTTP mechanics, once: messages, route tables, guard, problems, both lanes, OpenAPI."""
