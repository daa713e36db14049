"""From a question to ranked memories and turns, and to context within a token budget."""
