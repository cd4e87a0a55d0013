"""The devices of a doctor that speak CalDAV: their passwords, and how each is set up."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from scheduler.calendars import devices
from scheduler.core.permissions import Action, Subject, require
from web.database import session
from web.identity import actor

blueprint = Blueprint("devices", __name__, url_prefix="/calendars/devices")


@blueprint.before_request
def only_doctors() -> None:
    require(actor(), Action.CALENDAR_DEVICE, Subject(None, actor().user_id))


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """The reader's devices."""
    found = devices.devices_of(session(), actor().user_id or 0)
    return render_template("devices/index.html", devices=found)
