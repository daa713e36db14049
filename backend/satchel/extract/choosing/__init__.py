"""Which clauses of a turn are worth remembering."""
