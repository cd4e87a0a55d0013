"""How the reader is told: what of, by which channels, when; and the page that stops e-mails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.deliveries import Channel
from scheduler.core.errors import InvalidInput, TooMany
from scheduler.core.permissions import Action, Subject, can
from scheduler.notify import service
from scheduler.notify.channels import offered
from scheduler.notify.keeping import keeps_letters
from scheduler.notify.push import public_key
from scheduler.notify.rules import CHOSEN_GROUPS, Group, shown_number
from scheduler.notify.stopping import read_stop
from web.database import session, settings
from web.extensions import csrf, limiter
from web.identity import actor, home_practice, identity, public
from web.localisation import speak_to
from web.notifications.devices import device_name
from web.notifications.forms import (
    CHANNEL_NAMES,
    GROUP_HINTS,
    GROUP_NAMES,
    CodeForm,
    PhoneForm,
    PreferencesForm,
    box,
)

blueprint = Blueprint("notifications", __name__)

PAGE: Final = "/account/notifications"


def _user_key() -> str:
    return f"user:{actor().user_id}"


def _refused(response: Response) -> bool:
    return response.status_code == 422


@blueprint.get(PAGE)
def show() -> ResponseReturnValue:
    """What the reader is told of, and how: one page for all of it."""
    return _page()


@blueprint.post(PAGE)
def save() -> ResponseReturnValue:
    """Remember the reader's choices and hours."""
    form = PreferencesForm()
    if not form.validate():
        return _page(form=form), 422
    before = service.preferences(session(), actor())
    channels = offered(session(), settings())
    service.save(
        session(),
        actor(),
        form.hours(before.hours, channels),
        form.choices(before.choices, channels),
    )
    flash(_("Saved. This is how you will be told."), "success")
    return redirect(url_for("notifications.show"))


@blueprint.post(f"{PAGE}/phone")
@limiter.limit("10 per hour", key_func=_user_key)
def set_phone() -> ResponseReturnValue:
    """Note a number and send it a code."""
    form = PhoneForm()
    if not form.validate():
        return _page(phone_form=form), 422
    try:
        phone = service.set_phone(session(), actor(), form.phone.data)
    except (InvalidInput, TooMany) as error:
        form.refuse(error)
        return _page(phone_form=form), 422
    if phone.verified_at is None:
        flash(_("A code is on its way to %(number)s.", number=shown_number(phone.number)), "info")
    return redirect(url_for("notifications.show", _anchor="phone"))


@blueprint.post(f"{PAGE}/phone/code")
@limiter.limit("5 per minute; 20 per hour", key_func=_user_key, deduct_when=_refused)
def verify_phone() -> ResponseReturnValue:
    """Prove the number with the code."""
    form = CodeForm()
    if not form.validate():
        return _page(code_form=form), 422
    try:
        service.verify_phone(session(), actor(), form.code.data)
    except InvalidInput as error:
        form.refuse(error)
        return _page(code_form=form), 422
    flash(_("Your number is confirmed."), "success")
    return redirect(url_for("notifications.show", _anchor="phone"))


@blueprint.post(f"{PAGE}/phone/remove")
def remove_phone() -> ResponseReturnValue:
    service.remove_phone(session(), actor())
    flash(_("Relais has forgotten your number."), "success")
    return redirect(url_for("notifications.show", _anchor="phone"))


@blueprint.post(f"{PAGE}/devices")
@limiter.limit("20 per hour", key_func=_user_key)
def add_device() -> ResponseReturnValue:
    """Let the browser that asks show the reader's messages."""
    given = request.form
    service.add_device(
        session(),
        actor(),
        endpoint=given.get("endpoint", ""),
        p256dh=given.get("p256dh", ""),
        auth=given.get("auth", ""),
        name=device_name(request.user_agent.string),
    )
    flash(_("Messages will show on this device."), "success")
    return redirect(url_for("notifications.show", _anchor="devices"))


@blueprint.post(f"{PAGE}/devices/<int:device_id>/remove")
def remove_device(device_id: int) -> ResponseReturnValue:
    service.remove_device(session(), actor(), device_id)
    flash(_("That device shows no messages any more."), "success")
    return redirect(url_for("notifications.show", _anchor="devices"))


@blueprint.post(f"{PAGE}/test")
@limiter.limit("10 per hour", key_func=_user_key)
def send_test() -> ResponseReturnValue:
    """Send the reader a message by every way there is."""
    service.send_test(session(), actor())
    flash(_("A test message is on its way."), "success")
    return redirect(url_for("notifications.show"))


@blueprint.get("/notifications/stop/<token>")
@public
def stop(token: str) -> ResponseReturnValue:
    """What the signed address of an e-mail would stop: opening it changes nothing."""
    return _stop_page(token, *read_stop(settings(), token))


@blueprint.post("/notifications/stop/<token>")
@csrf.exempt
@public
def confirm_stop(token: str) -> ResponseReturnValue:
    """Stop these e-mails. The address is the proof: mail programmes post to it by themselves
    (RFC 8058), with no page and no token of ours."""
    user_id, groups = read_stop(settings(), token)
    service.stop_emails(session(), user_id, groups)
    return _stop_page(token, user_id, groups)


@blueprint.get("/sw.js")
@public
def service_worker() -> ResponseReturnValue:
    """The script that shows push messages: at the root, since it answers for the whole site."""
    script = (Path(current_app.static_folder or "static") / "js" / "sw.js").read_bytes()
    headers = {"Cache-Control": "no-cache"}
    return Response(script, mimetype="text/javascript", headers=headers)


@blueprint.app_context_processor
def mailbox() -> dict[str, object]:
    def mailbox_address() -> str | None:
        """The demonstration's mailbox, where there is one and the reader may read it."""
        home = home_practice(identity())
        if home is None or not can(actor(), Action.MAILBOX_VIEW, Subject(home.id)):
            return None
        if not keeps_letters(session(), settings()):
            return None
        return url_for("mailbox.index", slug=home.slug)

    return {"mailbox_address": mailbox_address}


def _stop_page(token: str, user_id: int, groups: Sequence[Group]) -> str:
    found = service.stopping(session(), user_id, groups)
    speak_to(found.locale)
    names = [GROUP_NAMES[group] for group in found.groups]
    return render_template("notifications/stop.html", found=found, names=names, token=token)


def _page(
    form: PreferencesForm | None = None,
    phone_form: PhoneForm | None = None,
    code_form: CodeForm | None = None,
) -> str:
    found = service.preferences(session(), actor())
    channels = offered(session(), settings())
    if form is None:
        form = PreferencesForm(formdata=None)
        form.show(found.hours, found.choices)
    key = settings().vapid_private_key
    return render_template(
        "notifications/show.html",
        form=form,
        phone_form=phone_form or PhoneForm(formdata=None),
        code_form=code_form or CodeForm(formdata=None),
        groups=[(group, GROUP_NAMES[group], GROUP_HINTS[group]) for group in CHOSEN_GROUPS],
        channels=[(channel, CHANNEL_NAMES[channel]) for channel in Channel if channel in channels],
        box=box,
        email=identity().email,
        phone=found.phone,
        number=shown_number(found.phone.number) if found.phone else None,
        devices=found.devices,
        push_key=public_key(key) if key else None,
        sms_offered=Channel.SMS in channels,
    )
