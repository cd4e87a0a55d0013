"""The devices of a doctor that speak CalDAV: their passwords, and how each is set up."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.calendars import devices
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Subject, require
from web.database import session, settings
from web.devices import once, presenter
from web.devices.forms import DeviceForm
from web.devices.presenter import Account, Client
from web.devices.profile import MEDIA_TYPE, profile
from web.extensions import limiter
from web.identity import actor, identity

blueprint = Blueprint("devices", __name__, url_prefix="/calendars/devices")


@blueprint.before_request
def only_doctors() -> None:
    require(actor(), Action.CALENDAR_DEVICE, Subject(None, actor().user_id))


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """The reader's devices, and how to add one."""
    return _page(DeviceForm(data={"name": presenter.machine(request.user_agent.string)}))


@blueprint.post("/")
@limiter.limit("20 per hour", key_func=lambda: f"user:{actor().user_id}")
def add() -> ResponseReturnValue:
    """Make a password for a device; the page that follows shows it."""
    form = DeviceForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        device, password = devices.add(session(), actor(), form.name.data)
    except InvalidInput as error:
        form.refuse(error)
        return _page(form), 422
    once.put(device.id, password)
    return redirect(url_for("devices.added", device_id=device.id), 303)


@blueprint.get("/<int:device_id>/password")
def added(device_id: int) -> ResponseReturnValue:
    """The password that was made a moment ago, this one time."""
    password = once.take(device_id)
    if password is None:
        flash(_("The password of a device is shown once. If it is lost, make another one."), "info")
        return redirect(url_for("devices.index"))
    device = devices.fresh(session(), actor(), device_id, password)
    return render_template(
        "devices/added.html",
        device=device,
        password=password,
        account=_account(),
        clients=_clients(),
    )


@blueprint.post("/<int:device_id>/profile")
def apple_profile(device_id: int) -> ResponseReturnValue:
    """The profile for an iPhone, iPad or Mac, for who holds the password that was just made."""
    password = request.form.get("password", "")
    device = devices.fresh(session(), actor(), device_id, password)
    response = Response(profile(_account(), device.id, password), mimetype=MEDIA_TYPE)
    response.headers["Content-Disposition"] = 'attachment; filename="relais.mobileconfig"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/<int:device_id>/revoke")
def revoke(device_id: int) -> ResponseReturnValue:
    """Shut a device out."""
    device = devices.revoke(session(), actor(), device_id)
    flash(_("%(device)s can no longer read your calendars.", device=device.name), "success")
    return redirect(url_for("devices.index"))


@blueprint.get("/setup/<client>")
def setup(client: str) -> ResponseReturnValue:
    """How one programme is set up, with the very values to type."""
    if client not in list(Client):
        raise NotFound("not_found")
    found = Client(client)
    return render_template(
        "devices/setup.html",
        client=found,
        title=presenter.client_name(found),
        account=_account(),
        clients=_clients(),
    )


def _page(form: DeviceForm) -> str:
    return render_template(
        "devices/index.html",
        form=form,
        devices=devices.devices_of(session(), actor().user_id or 0),
        account=_account(),
        clients=_clients(),
    )


def _account() -> Account:
    who = identity()
    number = who.actor.user_id or 0
    return presenter.account(settings().base_url, number, who.email, who.locale)


def _clients() -> list[tuple[Client, str]]:
    return [(client, presenter.client_name(client)) for client in Client]
