"""The page that shows the article's limits and trends, measured."""
