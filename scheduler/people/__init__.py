"""Users, practices, members, their roles and what the roster needs to know of a doctor."""
