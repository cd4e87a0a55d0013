"""Feeds: calendars that other programmes fetch.

`subscribing` opens, changes and shuts them; `reading` finds what there is to tell and tells
cheaply whether that changed; `telling` makes events of it; `remembering` compares them with what
was told before; `answering` puts these together for whoever asks with an address.
"""
