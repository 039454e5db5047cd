"""From a bundle of the collector script to facts: pure, bounded, never guessing."""
