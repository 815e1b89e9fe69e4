"""The article's limits and trends as experiments: what is claimed, what is measured, what was found."""
