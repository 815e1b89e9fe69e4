"""A document -> chunks -> the passages nearest to a question."""
