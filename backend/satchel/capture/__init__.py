"""What arrives: normalised, cleaned of our own blocks and of secrets, recognisable when it comes again."""
