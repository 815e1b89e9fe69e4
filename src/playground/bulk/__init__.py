"""Ten thousand contracts: listed, judged once each, kept in a ledger that survives kill -9, written as Parquet."""
