"""What doctors' calendars answer, on both databases."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from scheduler.calendars.invitations import addresses, sending
from scheduler.calendars.invitations.answering import Outcome, Result
from scheduler.calendars.models import Answer, CalendarInvitation, Ending
from scheduler.core.clock import FixedClock
from scheduler.core.errors import Conflict
from scheduler.core.permissions import Role
from scheduler.people.models import ClaimPolicy, HoldOutcome, Practice, Room, User
from scheduler.roster import claiming, history, holding, needs, releasing
from scheduler.roster.history import EventKind
from scheduler.roster.models import Need
from scheduler.roster.rules import AssignmentSource, AssignmentState
from tests.calendars.invitations.support import CLIENTS, MAILBOX, Post, event_of
from tests.factories import House
from tests.support import at_once, audited

THURSDAY = dt.date(2026, 11, 26)
MINUTE = dt.timedelta(minutes=1)


def result(outcome: Outcome) -> tuple[Result, str | None]:
    return outcome.result, outcome.why


def test_an_invitation_is_a_request_that_only_the_doctor_can_answer(
    post: Post, invited: CalendarInvitation, practice: Practice, doctor: User
) -> None:
    (letter,) = post.letters(doctor)
    method, event = event_of(letter)
    assert method == "REQUEST"
    assert event["ORGANIZER"] == f"mailto:{post.address(invited)}"
    assert event["ATTENDEE"] == f"mailto:{doctor.email}"
    assert event["ATTENDEE"].params["RSVP"] == "TRUE"
    assert event["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION"
    assert (event["SEQUENCE"], event["STATUS"]) == (0, "CONFIRMED")
    assert event["DTSTART"].dt.isoformat() == "2026-11-26T08:30:00+01:00"
    assert str(event["SUMMARY"]) == practice.name
    assert letter.calendar is not None
    assert letter.calendar.reply_to == post.address(invited)
    assert [file.name for file in letter.attachments] == ["invitation.ics"]


@pytest.mark.parametrize("client", CLIENTS)
def test_yes_claims_the_day_and_cancels_it_for_the_others(
    post: Post,
    invited: CalendarInvitation,
    need: Need,
    doctor: User,
    other: User,
    titular: User,
    client: str,
) -> None:
    assert post.answer(invited, client=client).result is Result.ACCEPTED
    holder = post.holder(need)
    assert holder is not None
    assert (holder.doctor_id, holder.source) == (doctor.id, AssignmentSource.INVITATION)
    assert holder.state is AssignmentState.CONFIRMED
    theirs = post.invitation(need, other)
    assert (theirs.ending, theirs.sequence) == (Ending.TAKEN, 1)
    (letter,) = post.letters(other, "invitation.ended")
    method, event = event_of(letter)
    assert (method, event["SEQUENCE"], event["STATUS"]) == ("CANCEL", 1, "CANCELLED")
    assert post.told(titular) == ["invitation.answered"]
    assert post.told(doctor) == ["invitation.sent"]


@pytest.mark.parametrize("client", CLIENTS)
def test_no_is_noted_and_changes_nothing(
    post: Post,
    invited: CalendarInvitation,
    need: Need,
    doctor: User,
    titular: User,
    practice: Practice,
    client: str,
) -> None:
    assert post.answer(invited, "DECLINED", client=client).result is Result.DECLINED
    assert post.holder(need) is None
    assert post.invitation(need, doctor).answer is Answer.DECLINED
    assert post.told(titular) == ["invitation.answered"]
    with post.house.database.session() as session:
        kinds = [event.kind for event in history.events_of(session, practice, need.id)]
    assert kinds == [
        EventKind.PUBLISHED,
        EventKind.INVITED,
        EventKind.INVITED,
        EventKind.INVITATION_DECLINED,
    ]


@pytest.mark.parametrize("client", CLIENTS)
def test_maybe_holds_the_day_and_a_later_yes_claims_it(
    post: Post, invited: CalendarInvitation, need: Need, doctor: User, other: User, client: str
) -> None:
    assert post.answer(invited, "TENTATIVE", client=client).result is Result.TENTATIVE
    holder = post.holder(need)
    assert holder is not None
    assert (holder.state, holder.tentative) == (AssignmentState.HELD, True)
    # Nobody else's event is cancelled for a maybe.
    assert post.invitation(need, other).ended_at is None
    assert post.told(doctor) == ["invitation.sent", "invitation.held"]
    assert post.answer(invited, client=client, after=MINUTE).result is Result.ACCEPTED
    holder = post.holder(need)
    assert holder is not None
    assert (holder.state, holder.tentative) == (AssignmentState.CONFIRMED, False)
    assert post.invitation(need, other).ending is Ending.TAKEN


def test_no_after_maybe_lets_the_day_go(
    post: Post, invited: CalendarInvitation, need: Need
) -> None:
    post.answer(invited, "TENTATIVE")
    assert post.answer(invited, "DECLINED", after=MINUTE).result is Result.DECLINED
    assert post.holder(need) is None


def test_a_maybe_that_nobody_confirms_ends_and_can_still_become_a_yes(
    post: Post, invited: CalendarInvitation, need: Need, doctor: User, clock: FixedClock
) -> None:
    post.answer(invited, "TENTATIVE")
    clock.advance(dt.timedelta(hours=25))
    with post.house.database.transaction() as session:
        assert holding.expire_held(session) == 1
    post.keep_up()
    assert post.told(doctor)[-1] == "hold.ended"
    assert post.invitation(need, doctor).ended_at is None
    assert result(post.answer(invited, "TENTATIVE")) == (Result.NOTED, "hold_over")
    assert post.holder(need) is None
    assert post.answer(invited, after=MINUTE).result is Result.ACCEPTED


def test_a_yes_is_held_for_a_titular_where_the_practice_wants_it(house: House, post: Post) -> None:
    practice = house.practice(claim_policy=ClaimPolicy.HELD, hold_outcome=HoldOutcome.FREE)
    titular = house.member(practice, Role.TITULAR)
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    post.invite(titular, practice, (need, doctor))
    assert post.answer(post.invitation(need, doctor)).result is Result.HELD
    (letter,) = post.letters(doctor, "invitation.held")
    assert "titulaire" in letter.text


def test_the_same_answer_again_changes_nothing(
    post: Post, invited: CalendarInvitation, need: Need
) -> None:
    mail = post.reply(invited)
    assert post.receive(mail).result is Result.ACCEPTED
    before = audited(post.house.database)
    assert post.receive(mail).result is Result.REPEATED
    assert audited(post.house.database) == before


def test_an_older_answer_that_comes_late_changes_nothing(
    post: Post, invited: CalendarInvitation, need: Need, doctor: User
) -> None:
    earlier = post.reply(invited, "DECLINED")
    assert post.answer(invited, after=MINUTE).result is Result.ACCEPTED
    assert post.receive(earlier).result is Result.REPEATED
    holder = post.holder(need)
    assert holder is not None
    assert holder.doctor_id == doctor.id


def test_an_answer_from_a_time_to_come_does_not_silence_the_later_ones(
    post: Post, invited: CalendarInvitation
) -> None:
    far = post.answer(invited, "DECLINED", after=dt.timedelta(days=400))
    assert result(far) == (Result.IGNORED, "no_moment")
    assert post.answer(invited).result is Result.ACCEPTED


def test_whoever_comes_second_is_told_who_cannot_have_it_and_their_event_is_cancelled(
    post: Post, invited: CalendarInvitation, need: Need, other: User
) -> None:
    theirs = post.invitation(need, other)
    late = post.reply(theirs, after=MINUTE)
    post.answer(invited)
    assert result(post.receive(late)) == (Result.REFUSED, "need_taken")
    (letter,) = post.letters(other, "invitation.refused")
    method, event = event_of(letter)
    assert (method, event["SEQUENCE"]) == ("CANCEL", 1)
    assert "pris" in letter.text
    # Saying so again and again sends nothing more.
    again = post.reply(theirs, after=2 * MINUTE)
    post.receive(again)
    assert post.told(other).count("invitation.refused") == 1


def test_two_answers_at_once_have_one_winner(
    post: Post, invited: CalendarInvitation, need: Need, other: User
) -> None:
    mails = [post.reply(invited), post.reply(post.invitation(need, other))]
    outcomes: list[Result] = []
    problems = at_once(
        *(lambda mail=mail: outcomes.append(post.receive(mail).result) for mail in mails)
    )
    assert problems == [None, None]
    assert sorted(outcomes) == [Result.ACCEPTED, Result.REFUSED]


def test_a_rule_that_stands_against_a_yes_is_told(
    house: House, post: Post, practice: Practice, titular: User, need: Need
) -> None:
    busy = house.member(practice, Role.REPLACEMENT)
    post.invite(titular, practice, (need, busy))
    elsewhere = house.practice()
    house.member(elsewhere, Role.REPLACEMENT, busy)
    house.assignment(house.need(elsewhere, THURSDAY), busy)
    found = post.invitation(need, busy)
    assert post.answer(found).result is Result.REFUSED
    assert post.invitation(need, busy).ending is Ending.REFUSED
    (letter,) = post.letters(busy, "invitation.refused")
    assert event_of(letter)[0] == "CANCEL"
    assert "déjà une autre journée" in letter.text


def test_a_doctor_who_has_left_takes_nothing(
    house: House,
    post: Post,
    invited: CalendarInvitation,
    doctor: User,
    need: Need,
    clock: FixedClock,
) -> None:
    with house.database.transaction() as session:
        session.get_one(User, doctor.id).disabled_at = clock.now()
    assert result(post.answer(invited)) == (Result.REFUSED, "invitation_not_found")
    assert post.holder(need) is None


def test_only_the_invited_attendee_counts(
    post: Post, invited: CalendarInvitation, need: Need, doctor: User
) -> None:
    mail = post.reply(invited, attendee="somebody@example.net")
    assert result(post.receive(mail)) == (Result.IGNORED, "other_attendee")
    assert post.holder(need) is None
    assert post.told(doctor) == ["invitation.sent", "invitation.elsewhere"]
    assert "somebody" not in post.letters(doctor, "invitation.elsewhere")[0].text
    post.receive(post.reply(invited, attendee="somebody@example.net", after=MINUTE))
    assert post.told(doctor).count("invitation.elsewhere") == 1


def test_the_token_of_another_invitation_does_not_count(
    post: Post, invited: CalendarInvitation, need: Need, other: User
) -> None:
    mail = post.reply(invited, to=post.address(post.invitation(need, other)))
    assert result(post.receive(mail)) == (Result.IGNORED, "other_address")
    assert post.holder(need) is None


def test_a_mail_to_another_invitees_address_is_refused_whoever_it_is_from(
    post: Post, invited: CalendarInvitation, need: Need, doctor: User, other: User
) -> None:
    theirs = post.invitation(need, other)
    for client in CLIENTS:
        mail = post.reply(invited, to=post.address(theirs), client=client)
        assert result(post.receive(mail)) == (Result.IGNORED, "other_address")
    assert post.holder(need) is None
    assert post.told(doctor) == post.told(other) == ["invitation.sent"]


def test_a_provider_that_drops_the_token_leaves_the_proof_in_the_uid(
    post: Post, invited: CalendarInvitation
) -> None:
    mail = post.reply(invited, to=MAILBOX, client="outlook")
    assert post.receive(mail).result is Result.ACCEPTED


def test_exchange_may_wrap_the_uid_into_one_of_its_own(
    post: Post, invited: CalendarInvitation
) -> None:
    uid = addresses.event_uid(MAILBOX, post.secret, invited.uid).encode()
    wrapped = (
        "040000008200E00074C5B7101A82E008"
        + "0" * 40
        + f"{len(uid) + 13:02X}000000"
        + (b"vCal-Uid\x01\0\0\0" + uid + b"\0").hex().upper()
    )
    mail = post.reply(invited, uid=wrapped, client="outlook")
    assert post.receive(mail).result is Result.ACCEPTED


@pytest.mark.parametrize("uid", ["", "made-up@example.org", "{uid}@example.org"])
def test_a_uid_without_its_proof_is_nobodys(
    post: Post, invited: CalendarInvitation, need: Need, uid: str
) -> None:
    mail = post.reply(invited, uid=uid.format(uid=invited.uid) or "x")
    assert result(post.receive(mail)) == (Result.IGNORED, "not_ours")
    assert post.holder(need) is None


@pytest.mark.parametrize(
    ("client", "why"), [("out_of_office", "automatic"), ("bounce", "automatic")]
)
def test_machines_are_not_answered(
    post: Post, invited: CalendarInvitation, doctor: User, client: str, why: str
) -> None:
    assert result(post.receive(post.reply(invited, client=client))) == (Result.IGNORED, why)
    assert post.told(doctor) == ["invitation.sent"]


def test_another_time_is_answered_with_words_once_a_day(
    post: Post, invited: CalendarInvitation, doctor: User, titular: User, need: Need
) -> None:
    for minutes in range(3):
        mail = post.reply(invited, client="counter", after=minutes * MINUTE)
        assert post.receive(mail).result is Result.COUNTERED
    (letter,) = post.letters(doctor, "invitation.countered")
    assert event_of(letter)[0] == "DECLINECOUNTER"
    assert post.told(titular) == ["invitation.answered"]
    assert post.answer(invited).result is Result.ACCEPTED


def test_a_calendar_that_asks_is_sent_the_event_again_once_a_day(
    post: Post, invited: CalendarInvitation, doctor: User
) -> None:
    for minutes in range(3):
        mail = post.reply(invited, client="refresh", after=minutes * MINUTE)
        assert post.receive(mail).result is Result.REFRESHED
    (letter,) = post.letters(doctor, "invitation.changed")
    method, event = event_of(letter)
    assert (method, event["SEQUENCE"]) == ("REQUEST", 0)


def test_no_after_yes_gives_the_day_back_where_it_is_early(
    post: Post, invited: CalendarInvitation, need: Need, titular: User, clock: FixedClock
) -> None:
    post.answer(invited)
    clock.advance(dt.timedelta(hours=1))
    assert post.answer(invited, "DECLINED").result is Result.RELEASED
    assert post.holder(need) is None
    assert "assignment.released" in post.told(titular)


def test_no_a_minute_after_yes_tells_the_inviter_that_the_day_is_open_again(
    post: Post,
    invited: CalendarInvitation,
    need: Need,
    titular: User,
    practice: Practice,
    other: User,
    clock: FixedClock,
) -> None:
    post.answer(invited)
    clock.advance(MINUTE)
    assert post.answer(invited, "DECLINED").result is Result.DECLINED
    assert post.holder(need) is None
    letter = post.letters(titular, "invitation.answered")[-1]
    assert "de nouveau à pourvoir" in letter.text
    assert "les inviter à nouveau" in letter.text
    # A no that gives nothing back says nothing of the kind.
    post.invite(titular, practice, (need, other))
    post.answer(post.invitation(need, other), "DECLINED")
    assert "de nouveau" not in post.letters(titular, "invitation.answered")[-1].text


def test_no_after_yes_asks_the_titulars_where_it_is_late(
    house: House, post: Post, clock: FixedClock
) -> None:
    practice = house.practice(lock_days=30)
    titular = house.member(practice, Role.TITULAR)
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    post.invite(titular, practice, (need, doctor))
    invitation = post.invitation(need, doctor)
    taken = post.answer(invitation)
    assert taken.result is Result.ACCEPTED
    clock.advance(dt.timedelta(hours=1))
    assert post.answer(invitation, "DECLINED").result is Result.RELEASE_REQUESTED
    holder = post.holder(need)
    assert holder is not None
    with house.database.session() as session:
        assert releasing.open_request_on(session, holder.id) is not None
    # They come after all.
    assert post.answer(invitation, after=MINUTE).result is Result.ACCEPTED
    with house.database.session() as session:
        assert releasing.open_request_on(session, holder.id) is None


def test_no_does_not_take_back_a_day_that_was_taken_through_another_door(
    post: Post, invited: CalendarInvitation, need: Need, doctor: User
) -> None:
    with post.house.database.transaction() as session:
        claiming.claim(session, post.house.actor(doctor), need.id)
    assert post.answer(invited, "DECLINED").result is Result.DECLINED
    assert post.holder(need) is not None


def test_a_day_taken_elsewhere_is_cancelled_for_all_invited(
    house: House,
    post: Post,
    invited: CalendarInvitation,
    practice: Practice,
    need: Need,
    doctor: User,
    other: User,
) -> None:
    third = house.member(practice, Role.REPLACEMENT)
    with house.database.transaction() as session:
        claiming.claim(session, house.actor(third), need.id)
    post.keep_up()
    for user in (doctor, other):
        (letter,) = post.letters(user, "invitation.ended")
        method, event = event_of(letter)
        assert (method, event["SEQUENCE"]) == ("CANCEL", 1)
    post.keep_up()
    assert post.told(doctor) == ["invitation.sent", "invitation.ended"]


def test_a_withdrawn_day_is_cancelled(
    house: House, post: Post, invited: CalendarInvitation, titular: User, need: Need, doctor: User
) -> None:
    with house.database.transaction() as session:
        needs.withdraw_need(session, house.actor(titular), need.id)
    post.keep_up()
    assert post.invitation(need, doctor).ending is Ending.NEED_WITHDRAWN
    (letter,) = post.letters(doctor, "invitation.ended")
    assert "n’est plus à pourvoir" in letter.text
    late = post.answer(invited)
    assert result(late) == (Result.REFUSED, "need_withdrawn")


def test_new_hours_are_told_with_a_higher_sequence_and_older_answers_are_outdated(
    house: House,
    post: Post,
    invited: CalendarInvitation,
    practice: Practice,
    need: Need,
    doctor: User,
) -> None:
    with house.database.transaction() as session:
        session.get_one(Practice, practice.id).am_start = dt.time(9)
    post.keep_up()
    (letter,) = post.letters(doctor, "invitation.changed")
    method, event = event_of(letter)
    assert (method, event["SEQUENCE"]) == ("REQUEST", 1)
    assert event["DTSTART"].dt.isoformat() == "2026-11-26T09:00:00+01:00"
    assert post.answer(invited).result is Result.OUTDATED
    assert post.answer(post.invitation(need, doctor), after=MINUTE).result is Result.ACCEPTED


def test_a_new_room_is_told_and_keeps_what_was_accepted(
    house: House,
    post: Post,
    invited: CalendarInvitation,
    practice: Practice,
    need: Need,
    doctor: User,
    other: User,
) -> None:
    post.answer(invited)
    with house.database.transaction() as session:
        session.get_one(Room, need.room_id).name = "Salle du fond"
    post.keep_up()
    (letter,) = post.letters(doctor, "invitation.changed")
    method, event = event_of(letter)
    assert (method, event["SEQUENCE"]) == ("REQUEST", 1)
    assert str(event["LOCATION"]).startswith("Salle du fond")
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert "reste à vous" in letter.text
    assert "invitation.changed" not in post.told(other)
    assert post.holder(need) is not None


def test_a_change_that_no_event_shows_is_told_to_nobody(
    house: House, post: Post, invited: CalendarInvitation, practice: Practice, doctor: User
) -> None:
    with house.database.transaction() as session:
        session.get_one(Practice, practice.id).lock_days = 3
    post.keep_up()
    assert post.told(doctor) == ["invitation.sent"]


def test_a_day_given_back_elsewhere_leaves_the_calendar(
    house: House,
    post: Post,
    invited: CalendarInvitation,
    need: Need,
    doctor: User,
    clock: FixedClock,
) -> None:
    post.answer(invited)
    clock.advance(dt.timedelta(hours=1))
    holder = post.holder(need)
    assert holder is not None
    with house.database.transaction() as session:
        releasing.release(session, house.actor(doctor), holder.id)
    post.keep_up()
    assert post.invitation(need, doctor).ending is Ending.GIVEN_BACK
    assert post.told(doctor)[-1] == "invitation.ended"


def test_a_day_that_is_over_ends_without_a_word(
    post: Post, invited: CalendarInvitation, need: Need, doctor: User, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(days=4))
    post.keep_up()
    assert post.invitation(need, doctor).ending is Ending.PAST
    assert post.told(doctor) == ["invitation.sent"]


def test_withdrawing_cancels_the_event_and_frees_a_held_day(
    house: House, post: Post, invited: CalendarInvitation, titular: User, need: Need, doctor: User
) -> None:
    post.answer(invited, "TENTATIVE")
    with house.database.transaction() as session:
        sending.withdraw(session, house.actor(titular), invited.id)
    assert post.holder(need) is None
    assert post.told(doctor)[-1] == "invitation.ended"
    # They can be invited again, as another event.
    with house.database.session() as session:
        practice = session.get_one(Practice, need.practice_id)
    post.invite(titular, practice, (need, doctor))
    assert post.invitation(need, doctor).uid != invited.uid


def test_an_accepted_invitation_cannot_be_withdrawn(
    house: House, post: Post, invited: CalendarInvitation, titular: User
) -> None:
    post.answer(invited)
    with (
        house.database.transaction() as session,
        pytest.raises(Conflict, match="invitation_accepted"),
    ):
        sending.withdraw(session, house.actor(titular), invited.id)


def test_whoever_could_not_come_or_is_invited_already_is_not_invited(
    house: House,
    post: Post,
    invited: CalendarInvitation,
    titular: User,
    practice: Practice,
    need: Need,
    doctor: User,
) -> None:
    without = house.member(practice, Role.REPLACEMENT, doctor={"qualified": False})
    sent = post.invite(titular, practice, (need, doctor), (need, without), (need, titular))
    assert sent.invited == []
    assert {row.error.code for row in sent.refused} == {"licence_missing", "invitation_oneself"}


def test_nothing_is_answered_where_invitations_are_not_set_up(
    post: Post, invited: CalendarInvitation
) -> None:
    closed = Post(post.house, replace(post.settings, reply_address=None))
    assert result(closed.receive(post.reply(invited))) == (Result.IGNORED, "not_set_up")
