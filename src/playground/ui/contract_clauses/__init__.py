"""The page of Scenario B: the contract flagger."""
