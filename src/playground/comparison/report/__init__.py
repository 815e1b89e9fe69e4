"""A comparison as a file: HTML that needs no network, and tables."""
