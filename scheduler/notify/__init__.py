"""Turning outbox messages into e-mail."""
