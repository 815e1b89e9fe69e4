"""Rows of recorded runs -> figures that can be compared: accuracy, latency, tokens and cost of each technique."""
