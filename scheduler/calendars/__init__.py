"""Calendar feeds, and the French calendar of holidays."""
