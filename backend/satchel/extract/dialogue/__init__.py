"""What needs more than one turn: choices, answers, pronouns, corrections."""
