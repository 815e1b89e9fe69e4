"""A contract's text -> its clauses: where they begin, their headings and kinds, and whether it is a contract."""
