"""Turning outbox messages into letters, and getting the letters out of the house."""

from scheduler.notify.channels import channel
from scheduler.notify.composing import composer
from scheduler.notify.routing import router

__all__ = ["channel", "composer", "router"]
