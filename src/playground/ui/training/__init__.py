"""The page that trains adapters."""
