"""Satchel carries what your AIs know about you from chat to chat, and lives on your machine."""

__version__ = "0.1.0"
