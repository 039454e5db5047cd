"""Self-assessments: evidence, verdicts, judgements of persons."""
