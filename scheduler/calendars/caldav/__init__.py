"""The calendars of a doctor, spoken by CalDAV: Radicale's protocol over Relais's own data.

`application` is the WSGI application; `storage`, `auth` and `rights` are what Radicale asks;
`open_days`, `my_days` and `availabilities` are the three calendars; `following` keeps what makes
synchronisation possible.
"""
