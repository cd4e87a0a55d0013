"""What each error says to its reader: the code of an error to a sentence, in one table."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.core.errors import RelaisError
from web.identity import today
from web.localisation import written

# Facts are interpolated by name; dates are shown as the reader's language writes them.
MESSAGES: Final[dict[str, Any]] = {
    "forbidden": _l("This is not for your role."),
    "not_found": _l("There is no such thing, or it is not yours to see."),
    "practice_not_found": _l("There is no such practice, or you are not a member of it."),
    "not_signed_in": _l("Sign in first."),
    "invalid_input": _l("This value cannot be meant."),
    "conflict": _l("Somebody else was first."),
    "too_many": _l("Too many attempts. Wait a minute and try again."),
    # People and signing in.
    "wrong_credentials": _l("This e-mail and this password do not go together."),
    "password_wrong": _l("This is not your current password."),
    "password_short": _l("A password has at least %(shortest)d characters."),
    "password_long": _l("A password has at most %(longest)d characters."),
    "password_personal": _l("Your name or e-mail makes up most of this password. Choose another."),
    "password_common": _l("This password is among the first that anybody would try."),
    "password_unchanged": _l("This is the password you have now."),
    "language_unknown": _l("Relais does not speak this language."),
    # Notifications.
    "phone_invalid": _l("This is no mobile number. Write it as 06 12 34 56 78, or with +."),
    "phone_not_found": _l("There is no number to confirm."),
    "code_just_sent": _l("A code was sent a moment ago. Wait a minute, then ask for another."),
    "code_wrong": _l("This is not the code. Look at the latest message."),
    "code_expired": _l("This code has run out. Ask for a new one."),
    "push_unknown": _l("Relais does not know the push service of this browser."),
    "device_not_found": _l("There is no such device."),
    "stop_address_unknown": _l("This address stops nothing: it is incomplete, or too old."),
    "letter_not_found": _l("There is no such letter."),
    # Taking days.
    "claim_repeated": _l(
        "This request was carried out before, and %(date)s has been given back since. Open the"
        " day again to take it anew."
    ),
    # Calendars read from outside.
    "calendar_source_not_found": _l("This calendar is no longer read."),
    "calendar_sources_many": _l("Relais reads %(most)d calendars for you. Remove one first."),
    "calendar_says_nothing": _l("Nothing in this calendar is about the coming months."),
    "calendar_all_aside": _l("Relais can count with none of the events of this calendar."),
    "calendar_is_a_file": _l("This one was a file. Give the new file instead."),
    "calendar_name": _l("A name has at most %(most)d characters."),
    "calendar_file_missing": _l("Choose a file first."),
    "calendar_draft_old": _l("This page is too old. Look at the calendar once more."),
    "calendar_address_unreadable": _l("This is no address of a calendar. Copy it whole."),
    "calendar_address_scheme": _l("Relais reads https addresses only."),
    "calendar_address_credentials": _l(
        "Take the name and the password out of the address: Relais keeps no passwords of others."
    ),
    "calendar_address_private": _l(
        "This address leads into a private network. Relais reads only what stands on the internet."
    ),
    "calendar_fetch_unreachable": _l("Nobody answers at this address."),
    "calendar_fetch_slow": _l("This address takes too long to answer."),
    "calendar_fetch_big": _l("What stands at this address is larger than 1 MB."),
    "calendar_fetch_status": _l("The server does not give this calendar (answer %(status)s)."),
    "calendar_fetch_type": _l(
        "This is the address of a web page, not of a calendar. Copy the link that ends in .ics."
    ),
    "calendar_fetch_redirects": _l("This address sends on and on."),
    # Calendars and holidays.
    "feed_empty": _l("Tick at least one thing to be shown."),
    "feed_not_found": _l("There is no calendar at this address."),
    "feed_too_many": _l("You have %(most)d subscriptions: close one before you open another."),
    "holiday_not_found": _l("There is no such date."),
    "holiday_name": _l("Give these dates a name of at most 80 characters."),
    "holiday_dates": _l("The last day comes before the first."),
    "holiday_out_of_range": _l("Choose dates from %(earliest)s to %(latest)s."),
    "holiday_too_long": _l("At most %(longest)d days at once."),
    # Devices, and what their calendars cannot have.
    "device_name": _l("Give the device a name of at most %(most)d characters."),
    "device_too_many": _l("You have %(most)d devices. Remove one that you no longer use."),
    "calendar_read_only": _l("This calendar can only be read."),
    "calendar_not_yours": _l("This calendar is not yours."),
    "calendar_control_characters": _l("This event has control characters, which text cannot have."),
    "calendar_event_broken": _l("Relais cannot read what your calendar sent."),
    "calendar_event_long": _l(
        "An event says at most %(most)d days in one stretch. For more, repeat it or add another."
    ),
    "calendar_event_elsewhen": _l(
        "The event stays in your calendar, but says nothing: it is over, or later than Relais"
        " plans."
    ),
    "calendar_cancelled_own": _l("To give the day back, delete the event: to cancel it does not."),
    "calendar_cancelled_new": _l("A cancelled event takes no day."),
    "calendar_day_in_halves": _l(
        "%(date)s is to be filled in two halves: you have both, and they are two events now."
    ),
    "calendar_morning_only": _l(
        "Of %(date)s you have the morning only: no afternoon that you can take goes with it."
    ),
    "calendar_afternoon_only": _l(
        "Of %(date)s you have the afternoon only: no morning that you can take goes with it."
    ),
    "calendar_fixed": _l("The calendars of Relais can be neither added nor removed."),
    "calendar_events_only": _l("Relais reads events, not tasks or notes."),
    "calendar_name_too_long": _l(
        "The identifier of this event is longer than %(most)d characters."
    ),
    "calendar_items_many": _l("This calendar has more than %(most)d events."),
    "calendar_move_unknown": _l(
        "An event cannot go from one calendar to another. Delete it here and add it there."
    ),
    "calendar_uid_known": _l("This event stands in the calendar already."),
    "calendar_changed_meanwhile": _l(
        "This event had changed in Relais before your calendar asked. Look at it again."
    ),
    "calendar_no_recurrence": _l(
        "A repeated event cannot take days. Add one event for each day you take."
    ),
    "calendar_several_days": _l("An event takes one day. Add one for each day you take."),
    "calendar_covers_nothing": _l(
        "The event covers no half-day of opening hours that is still to come."
    ),
    "calendar_event_idle": _l(
        "The event stays in your calendar, but says nothing: it covers no half-day of opening"
        " hours."
    ),
    "calendar_no_open_day": _l("There is no day to fill on %(date)s at these hours."),
    "calendar_day_is_yours": _l("You have a day on %(date)s already."),
    "calendar_said_otherwise": _l("Something else was said of these days at the same time."),
    "calendar_release_asked": _l(
        "%(date)s is too near to be given back freely: the titulars were asked. The day stays in"
        " your calendar until one of them agrees."
    ),
    # Availabilities.
    "availabilities_of_doctors": _l("Doctors say here when they can come. You are not one here."),
    "availability_unreadable": _l("This is no date, or no part of a day. Reload and try again."),
    "availability_no_day": _l("There is no such day in this time. Choose at least one."),
    "availability_past": _l("%(day)s is over. Choose today or a later day."),
    "availability_too_far": _l("Relais plans up to %(latest)s. Choose a day until then."),
    "availability_range_order": _l("The last day comes before the first, %(start)s."),
    "availability_range_long": _l("At most %(most)d days at once."),
    "availability_many_repetitions": _l("You have %(most)d repetitions. Remove one first."),
    "availability_note_too_long": _l("At most %(most)d characters."),
    "repetition_not_found": _l("This repetition is no longer there."),
    # Taking days and giving them back.
    "need_not_found": _l("There is no such day in this practice."),
    "doctor_not_found": _l("There is no such doctor."),
    "need_taken": _l("%(who)s was first: %(date)s is taken."),
    "need_withdrawn": _l("%(date)s is no longer to fill: the practice took it back."),
    "need_past": _l("%(date)s is over."),
    "doctor_taken": _l("The doctor has just been given another day on %(date)s."),
    "not_member_that_day": _l("On %(date)s the doctor is not a doctor of this practice."),
    "role_not_accepted": _l("%(date)s is open to other roles."),
    "licence_missing": _l("No licence to replace is on record, and %(date)s needs one."),
    "licence_ended": _l("The licence to replace ended on %(until)s."),
    "licence_ends": _l("The licence to replace ends on %(until)s, before %(date)s."),
    "already_working": _l("Already at work on %(date)s: %(place)s."),
    "elsewhere_that_day": _l("On %(date)s already in another practice: %(place)s."),
    "derogation_missing": _l(
        "%(who)s is replaced that month and has no derogation of the departmental council that "
        "covers %(date)s. A titular adds it on the page of the practice."
    ),
    "local_week_limit": _l(
        "The practice gives one doctor at most %(limit)s days a week. Choose another week."
    ),
    "local_month_limit": _l(
        "The practice gives one doctor at most %(limit)s days a month. Choose another month."
    ),
    "replacement_near_three_months": _l(
        "This is day %(days)d of replacing %(who)s. From three months on (%(most)d days), settling "
        "nearby is restricted for two years."
    ),
    "replacement_reached_three_months": _l(
        "This is day %(days)d of replacing %(who)s: three months are reached, and settling nearby "
        "is restricted for two years."
    ),
    "week_limit": _l("This would be more than the limit of %(limit)s days a week."),
    "month_limit": _l("This would be more than the limit of %(limit)s days a month."),
    "consecutive_limit": _l("This would be more than the limit of %(limit)s days in a row."),
    "assignment_not_found": _l("There is no such day taken in this practice."),
    "assignment_past": _l("%(date)s is over: it can no longer be given back."),
    "undo_too_late": _l("Taking %(date)s can no longer be undone. It can be given back."),
    "hold_over": _l("%(date)s cannot be held for you any more. Take it, or leave it."),
    "hold_tentative": _l("%(date)s is only held: the doctor has not said yes yet."),
    "not_held": _l("%(date)s is not held any more: somebody has decided."),
    "refused_already": _l(
        "%(date)s was refused already, with another reason: the doctor was told."
    ),
    "release_needs_titular": _l(
        "%(date)s is less than %(days)d days away: a titular must agree. Ask to be released, or "
        "offer the day to a colleague."
    ),
    "release_needs_nobody": _l("%(date)s can still be given back without asking anybody."),
    "release_reason_required": _l("Say why: the titular doctors will read it."),
    "release_requested_already": _l("The titular doctors have been asked about %(date)s already."),
    "release_request_not_found": _l("There is no such request."),
    "release_request_ended": _l("Somebody has decided on %(date)s already."),
    "on_behalf_required": _l("Say that the doctor asked for it."),
    "already_released": _l("%(date)s was given back already."),
    "reason_required": _l("Say why: the doctor will read it."),
    "reason_too_long": _l("At most %(most)d characters."),
    "board_nothing_ticked": _l("Tick at least one day."),
    "board_too_many": _l("Take at most %(most)d days at once."),
    # Presences, duties and the sheet on the door.
    "date_not_found": _l("There is no date %(date)s."),
    "member_not_found": _l("There is no such member in this practice."),
    "presence_not_found": _l("This presence is no longer there."),
    "presence_dates": _l("The last day comes before the first."),
    "presence_weekday": _l("Choose a day of the week."),
    "presence_many": _l("At most %(most)d repetitions. Remove one first."),
    "presence_date": _l("Choose a day from today to %(latest)s."),
    "presence_of_doctor": _l("Doctors are on the roster by their days."),
    "advice_too_long": _l("At most %(most)d characters."),
    "duty_date": _l("Choose a day from today to %(latest)s."),
    "duty_changed": _l("%(who)s has been put on call meanwhile. Look again."),
    "duty_doctor_there": _l(
        "%(who)s is there on %(date)s and reads the results: nobody is needed on call."
    ),
    "duty_cleared": _l("Nobody is on call any more on this day. Look again."),
    "public_page_not_found": _l("There is no such page."),
    # Days offered to colleagues, taken over, and doctors who do not come.
    "swap_not_found": _l("There is no such offer in this practice."),
    "swap_oneself": _l("Nobody can be offered a day of their own."),
    "swap_return": _l("Choose a coming day of the colleague to whom the day is offered."),
    "swap_message_too_long": _l("At most %(most)d characters."),
    "swap_open": _l("%(date)s is offered already. Take that offer back first."),
    "swap_taken": _l("%(who)s was first: %(date)s is taken."),
    "swap_withdrawn": _l("%(date)s is no longer offered: the offer was taken back."),
    "swap_ended": _l("%(date)s is no longer offered."),
    "swap_not_taken": _l("There is nothing to give back: this day did not change hands."),
    "swap_past": _l("%(date)s is over: it can no longer change hands."),
    "untake_too_late": _l(
        "%(date)s can no longer go back: %(hours)d hours have passed, or the day has begun."
    ),
    "untake_impossible": _l("%(who)s cannot have %(date)s back: %(why)s"),
    "take_over_own": _l("The doctor has this day already."),
    "take_over_too_early": _l("Only days of today and tomorrow are taken over. Offer to swap."),
    "absence_too_early": _l("Only absences of today and tomorrow are noted here."),
    "not_absent": _l("Nobody is marked absent on %(date)s."),
    # Questions to doctors.
    "ask_not_found": _l("There is no such question."),
    "ask_oneself": _l("You cannot ask yourself: take the day, or leave it."),
    "ask_open": _l("%(who)s has been asked about %(date)s already and has not answered yet."),
    "ask_answered": _l("This question has been answered already."),
    "ask_withdrawn": _l("The question about %(date)s was taken back."),
    "ask_ended": _l("This question has ended: the day was filled meanwhile."),
    "ask_message_too_long": _l("At most %(most)d characters."),
    "ask_note_too_long": _l("At most %(most)d characters."),
    # The page of a practice.
    "number_out_of_range": _l("From %(lowest)d to %(highest)d."),
    "text_too_long": _l("At most %(longest)d characters."),
    "supervisor_no_titular": _l("That is no titular doctor of the practice any more."),
    "replaced_no_titular": _l("That is no titular doctor of the practice in this month."),
    "derogation_no_titular": _l("That is no titular doctor of the practice on these days."),
    "derogation_reversed": _l("The last day comes before the first."),
    "derogation_too_long": _l("A derogation lasts at most %(years)d years. Check the dates."),
    "derogation_not_found": _l("There is no such derogation."),
    "public_address_missing": _l("Choose an address first: the page needs one to be read."),
    "public_address_malformed": _l(
        "From %(shortest)d to %(longest)d letters without accents, figures and single hyphens, "
        "such as cabinet-du-marais."
    ),
    "public_address_taken": _l("Another practice has this address. Choose another."),
    # Calls for volunteers.
    "call_not_found": _l("There is no such call in this practice."),
    "call_decided": _l("Somebody has decided on this call already."),
    "call_days_filled": _l("Every day of this call is filled or over."),
    "call_nobody": _l("Choose at least one doctor."),
    "call_message_too_long": _l("At most %(most)d characters."),
    "call_over": _l("This call is over."),
    "call_no_other_wave": _l("Everybody has been asked: there is no other wave."),
    "call_replaced": _l("This week has another call by now."),
    "calendar_invitation_not_found": _l("There is no such invitation in this practice."),
    "invitation_nobody": _l("Tick at least one doctor and one day."),
    "invitation_too_many": _l("At most %(most)d invitations at once."),
    "invitation_oneself": _l("You cannot invite yourself: take the day, or leave it."),
    "invitation_accepted": _l(
        "%(date)s is the doctor’s by now: the invitation is answered. Free the day itself."
    ),
    "invitation_not_set_up": _l("There is no address yet that invitations are answered at."),
    "invitation_not_found": _l("This link leads nowhere: it is incomplete, or no longer yours."),
    # Statistics.
    "statistics_dates": _l("Give a first and a last day."),
    "figure_not_found": _l("There is no such figure."),
    # Week patterns and publishing.
    "week_not_found": _l("There is no week %(week)s."),
    "month_not_found": _l("There is no month %(month)s."),
    "pattern_not_found": _l("There is no such week pattern."),
    "pattern_changed": _l("Somebody changed the week pattern “%(name)s” meanwhile."),
    "pattern_name_missing": _l("Give the week pattern a name."),
    "pattern_name_too_long": _l("At most %(most)d characters."),
    "pattern_name_taken": _l("There is already a week pattern named “%(name)s”."),
    "pattern_empty": _l("Choose at least one half-day to fill."),
    "slot_impossible": _l("This week pattern names a room or a day that does not exist."),
    "slots_overlap": _l("Two entries of this week pattern take the same half-day."),
    "period_past": _l("Only today and later days can be published."),
    "period_reversed": _l("The last day comes before the first."),
    "period_too_far": _l("Publish at most up to %(latest)s."),
    "period_too_long": _l("At most %(most)d months at once."),
    "need_assigned": _l("%(who)s has %(date)s: it must be given back first."),
    # Proposals.
    "proposal_not_found": _l("There is no such proposal in this practice."),
    "proposal_backwards": _l("The last day comes before the first."),
    "proposal_past": _l("Only days from tomorrow on can be planned."),
    "proposal_too_far": _l("Nothing can be published after %(latest)s. Choose earlier days."),
    "proposal_too_long": _l("At most %(months)d months at once."),
    "proposal_nothing_to_fill": _l("Nothing is to fill from %(start)s to %(end)s."),
    "proposal_at_work": _l("Another proposal is being computed. Wait for it, or cancel it."),
    "proposal_not_failed": _l("This proposal has not failed: there is nothing to try again."),
    "proposal_not_ready": _l("This proposal is not ready to be decided on."),
    "proposal_decided": _l("%(who)s has decided on this proposal already."),
    "proposal_days_decided": _l("%(who)s has decided on these days already."),
    "proposal_nothing_proposed": _l("This proposal has no day to accept."),
    "proposal_no_day_chosen": _l("Choose at least one day."),
    # Scenarios.
    "scenario_not_found": _l("There is no such scenario in this practice."),
    "scenario_nothing_to_compare": _l("This proposal has no roster to compare with."),
    "scenario_there_already": _l("This comparison is there already."),
    "scenario_too_many": _l("At most %(most)d at once. Delete one to try another."),
    "scenario_not_failed": _l("This scenario has not failed: there is nothing to try again."),
    "scenario_weekday": _l("Choose a day of the week."),
    "scenario_weekdays": _l("Choose a day of the week."),
    "scenario_no_such_day": _l("There is no such day in the period of this proposal."),
    "scenario_limit": _l("Give days and half-days, up to %(most)d."),
    "scenario_no_limit": _l("No such doctor has a limit of days a week in this proposal."),
    # Calendars of others: why a file cannot be read, then why an event in it says nothing.
    "calendar_empty": _l("This file is empty."),
    "calendar_too_large": _l("This file is larger than %(most)s KB."),
    "calendar_not_one": _l("This file is no calendar. Export one as .ics and choose that."),
    "calendar_cut_off": _l("This calendar breaks off before its end. Export it once more."),
    "calendar_broken": _l("This calendar is broken and cannot be read. Export it once more."),
    "calendar_too_many_parts": _l("This calendar has more than %(most)s events and other parts."),
    "calendar_too_deep": _l("This calendar has parts within parts, too deep to be read."),
    "calendar_not_gregorian": _l("Only calendars of the Gregorian scale can be read."),
    "calendar_too_full": _l("The events of this calendar repeat too often to be read."),
    "calendar_too_slow": _l("Reading this calendar takes too long."),
    "calendar_too_heavy": _l("Reading this calendar takes too much memory."),
    "calendar_not_now": _l("Calendars cannot be read just now. Try again in a moment."),
    "calendar_window_reversed": _l("The last day comes before the first."),
    "calendar_window_absurd": _l("These days are centuries away."),
    "calendar_window_too_long": _l("At most %(most)s days can be read at once."),
    "event_own": _l("This event comes from Relais itself."),
    "event_cancelled": _l("This event is cancelled."),
    "event_declined": _l("The owner of this calendar has declined this event."),
    "event_answer": _l("An answer to an invitation is no event of a calendar."),
    "event_replaced": _l("A newer version of this event takes its place."),
    "event_outside_dates": _l("This event is outside the days that are read."),
    "event_outside_hours": _l("This event is outside the opening hours."),
    "event_too_short": _l("This event covers less than half of the opening hours."),
    "event_no_duration": _l("This event ends when it begins."),
    "event_no_start": _l("This event has no beginning."),
    "event_date_broken": _l("A date of this event cannot be read."),
    "event_date_absurd": _l("A date of this event is centuries away."),
    "event_ends_first": _l("This event ends before it begins."),
    "event_duration_absurd": _l("This event lasts for years."),
    "event_zone_unknown": _l("Relais does not know the time zone “%(zone)s” of this event."),
    "event_rule_broken": _l("Relais cannot read when this event repeats."),
    "event_rule_sub_daily": _l("This event repeats more often than daily."),
    "event_rule_interval": _l("Relais cannot read when this event repeats."),
    "event_rule_count": _l("This event repeats more than %(most)s times."),
    "event_rule_too_many": _l("This event repeats too often to be read."),
    "event_rule_unsupported": _l("Relais cannot read when this event repeats."),
    "event_too_many_dates": _l("This event has more than %(most)s dates."),
    "event_too_slow": _l("Relais cannot read when this event repeats."),
    "event_broken": _l("This event cannot be read."),
    "part_says_nothing": _l("This says nothing of the opening hours of these days."),
    "part_not_an_event": _l("This is a task or a note, not an event (%(kind)s)."),
}


def message_for(error: RelaisError) -> str:
    """The sentence of an error; an unknown code falls back on that of its class."""
    code = error.code
    if code == "licence_ended" and error.facts["until"] >= today():
        code = "licence_ends"
    sentence = MESSAGES.get(code) or MESSAGES.get(error.default_code)
    if sentence is None:
        return _("This cannot be done.")
    return str(sentence) % {name: _shown(value) for name, value in error.facts.items()}


def _shown(value: object) -> object:
    if isinstance(value, dt.date):
        return written(value, "EEE d MMM y")
    if isinstance(value, RelaisError):
        return message_for(value)
    if isinstance(value, int):
        return _Number(value)
    return format_decimal(value) if isinstance(value, float) else value


class _Number(int):
    """A number that is written as the reader writes it where a sentence asks for a text (%s), and
    by its digits alone where it asks for a number (%d)."""

    def __str__(self) -> str:
        return str(format_decimal(int(self)))
