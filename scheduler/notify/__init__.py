"""Turning outbox messages into letters, and getting the letters out of the house."""

from scheduler.notify.channels import channel
from scheduler.notify.composing import composer

__all__ = ["channel", "composer"]
