"""Scenario B: a law firm has the clauses of a contract flagged that create liability."""
