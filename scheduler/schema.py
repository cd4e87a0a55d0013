"""Every table of Relais, gathered for migrations and tests."""

from __future__ import annotations

import scheduler.calendars.models
import scheduler.core.audit
import scheduler.core.deliveries
import scheduler.core.installation
import scheduler.core.outbox
import scheduler.notify.models
import scheduler.oncall.models
import scheduler.people.models
import scheduler.roster.models  # noqa: F401 - importing a room's models declares its tables
from scheduler.core.database import Base

metadata = Base.metadata
