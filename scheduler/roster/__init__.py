"""Needs, availabilities, assignments and proposals."""
