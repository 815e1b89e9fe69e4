"""Models that answer or embed: those bundled, those of the hub, and hosted ones."""
