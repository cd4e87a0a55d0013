"""The mailbox of a demonstration: a titular reads there what everybody would have been sent."""

from __future__ import annotations

from typing import Final

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from scheduler.core.deliveries import Channel
from scheduler.core.permissions import Action, Subject, require
from scheduler.notify import keeping, mail
from scheduler.notify.models import KeptLetter
from scheduler.notify.sms import short_text
from web.database import session, settings
from web.identity import actor, practice, practice_blueprint

blueprint = practice_blueprint("mailbox", __name__)

CHANNEL_NAMES: Final = {
    Channel.EMAIL: _l("Mail"),
    Channel.SMS: _l("SMS"),
    Channel.PUSH: _l("Push"),
}
# A letter's own styles, and nothing else: no script, no picture, no other site.
LETTER_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)


@blueprint.before_request
def only_in_a_demonstration() -> None:
    """A real installation keeps no letter and has no such page."""
    if not keeping.keeps_letters(session(), settings()):
        abort(404)
    require(actor(), Action.MAILBOX_VIEW, Subject(practice().id))


@blueprint.get("/mailbox/")
def index() -> ResponseReturnValue:
    """What was sent to the members of the practice, newest first."""
    page = max(1, request.args.get("page", 1, type=int))
    letters, pages = keeping.page_of_letters(session(), practice().id, page)
    if not letters and page > 1:
        abort(404)

    def at(number: int) -> str | None:
        return url_for("mailbox.index", page=number) if 1 <= number <= pages else None

    return render_template(
        "mailbox/index.html",
        letters=letters,
        channels=CHANNEL_NAMES,
        page=page,
        pages=pages,
        newer=at(page - 1),
        older=at(page + 1),
    )


@blueprint.get("/mailbox/<int:letter_id>")
def show(letter_id: int) -> ResponseReturnValue:
    """One letter, as its reader sees it."""
    kept = keeping.kept_letter(session(), practice().id, letter_id)
    return render_template(
        "mailbox/show.html",
        kept=kept,
        channel=CHANNEL_NAMES[kept.channel],
        is_email=kept.channel is Channel.EMAIL,
        text=_text(kept),
    )


@blueprint.get("/mailbox/<int:letter_id>/body")
def body(letter_id: int) -> ResponseReturnValue:
    """The HTML of an e-mail, for the frame on its page."""
    kept = keeping.kept_letter(session(), practice().id, letter_id)
    letter = keeping.as_letter(kept, settings().base_url)
    response = Response(mail.html(letter), mimetype="text/html")
    response.headers["Content-Security-Policy"] = LETTER_POLICY
    return response


def _text(kept: KeptLetter) -> str:
    letter = keeping.as_letter(kept, settings().base_url)
    return mail.plain(letter) if kept.channel is Channel.EMAIL else short_text(letter)
