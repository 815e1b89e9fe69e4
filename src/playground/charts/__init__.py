"""What charts of several rooms share."""
