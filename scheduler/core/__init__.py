"""Clock, errors, settings, database, audit, outbox and permissions."""
