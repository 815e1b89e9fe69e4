"""The experiments about the article's limits that ask the return-policy bot."""
