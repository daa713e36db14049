"""A new draft against what is known already."""
