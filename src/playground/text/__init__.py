"""Plain text: sentences, numbers, quantities, dates, and patterns that cannot hang."""
