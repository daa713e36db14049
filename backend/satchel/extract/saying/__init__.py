"""Statements, keys and tags, by rule and by the generator."""
