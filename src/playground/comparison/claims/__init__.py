"""What the article claims, held against what was measured."""
