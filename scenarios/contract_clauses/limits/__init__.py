"""The experiments about the article's limits that train the contract flagger."""
