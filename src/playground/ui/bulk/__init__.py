"""The page that opens what `bulk flag` wrote."""
