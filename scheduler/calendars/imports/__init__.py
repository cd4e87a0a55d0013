"""Calendars that doctors let Relais read: files given once, and addresses looked at by the worker.

They say when a doctor can come or is busy elsewhere; they never take a day nor give one back.
"""
