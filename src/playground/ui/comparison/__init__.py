"""The page that compares techniques."""
