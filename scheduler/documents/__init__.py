"""Papers: what leaves the house as PDF."""
