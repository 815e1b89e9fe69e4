"""What the pages share: layout, session, the choice of the model, jobs in the background."""
