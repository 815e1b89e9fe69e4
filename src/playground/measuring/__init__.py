"""Strategies x examples -> rows on disk, and the metrics that are computed from rows."""
