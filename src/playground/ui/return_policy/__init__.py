"""The page of Scenario A: the return-policy bot."""
