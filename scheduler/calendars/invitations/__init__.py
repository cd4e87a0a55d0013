"""Invitations by mail: days sent to chosen doctors, and what their calendars answer."""
