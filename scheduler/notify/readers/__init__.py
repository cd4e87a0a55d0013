"""What each kind of message has to know: one file an area, one function a kind or a few.

A reader takes the session and the message, and returns what its templates need. ``path`` is the
page that the letter leads to, below the installation's address. It raises `DeliveryFailed`, for
good, where what the message speaks of is gone.
"""
