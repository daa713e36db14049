"""Whether a statement says what its quote says, where the quote stands, when it speaks of."""
