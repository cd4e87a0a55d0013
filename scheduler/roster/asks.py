"""Asking a doctor to come: the question, and the doctor's own answer.

Only the doctor concerned says yes, and only a yes puts anybody on a day: no limit that doctors
set for themselves is passed without it, and then for that one day. The database decides between
two who say yes.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload

from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import User
from scheduler.roster import assignments
from scheduler.roster.ask_endings import end, note, tell_asked, tell_asker
from scheduler.roster.ask_rules import LONGEST_MESSAGE, LONGEST_NOTE, lift, raise_for
from scheduler.roster.models import Ask, Assignment, Need, Proposal
from scheduler.roster.problem import doctor_key, need_key
from scheduler.roster.rules import AskCode, AskState, AssignmentSource, NeedState


@dataclass(frozen=True, slots=True)
class Question:
    """What a doctor would be asked: to come, and up to which limit in days where one stands
    against it."""

    need: Need
    doctor: User
    code: AskCode
    limit_to: float | None


def prepare(
    session: UnitOfWork,
    actor: Actor,
    need_id: int,
    doctor_id: int,
    proposal_id: int | None = None,
) -> Question:
    """The question that a doctor may be asked about a need.

    It is what the proposal suggested, where there is one, and more where more stands against it
    by now. Raises `Conflict` when the need is filled or withdrawn, `InvalidInput` for asking
    oneself, and `RuleBroken` naming a rule that no yes of the doctor would lift.
    """
    need = _askable(session, actor, need_id)
    doctor = session.get(User, doctor_id)
    if doctor is None:
        raise NotFound("doctor_not_found")
    if doctor.id == actor.user_id:
        raise InvalidInput("ask_oneself", field="doctor")
    _require_fillable(session, need)
    code, to = _suggested(session, need, doctor.id, proposal_id) or (AskCode.ASK, None)
    lifts = [lift(code, to)]
    refusals = assignments.refusals(session, need, doctor.id, [one for one in lifts if one])
    if refusals:
        raised = raise_for(assignments.refusals(session, need, doctor.id))
        if raised is None:
            raise refusals[0].as_error()
        code, to = raised
    return Question(need, doctor, code, to)


def ask(
    session: UnitOfWork,
    actor: Actor,
    need_id: int,
    doctor_id: int,
    *,
    message: str = "",
    proposal_id: int | None = None,
) -> Ask:
    """Ask a doctor to come, with a few words; the doctor is told.

    Raises what `prepare` raises, `InvalidInput` for words too long, and `Conflict` while the
    same question to the same doctor is open.
    """
    practice_id = _askable(session, actor, need_id).practice_id
    message = message.replace("\r\n", "\n").strip()
    if len(message) > LONGEST_MESSAGE:
        raise InvalidInput("ask_message_too_long", field="message", most=LONGEST_MESSAGE)
    assignments.hold(session, practice_id, [doctor_id])
    question = prepare(session, actor, need_id, doctor_id, proposal_id)
    asked = _insert(session, actor, question, message, proposal_id)
    note(session, actor, "ask.sent", asked, code=asked.code.value, to=asked.limit_to)
    tell_asked(session, asked, "ask.sent")
    return asked


def accept(session: UnitOfWork, actor: Actor, ask_id: int, words: str = "") -> Assignment:
    """Say yes: the day is the doctor's, every other rule asked again.

    Saying yes twice changes nothing. Raises `Conflict` when somebody was first or the question
    has ended, and `RuleBroken` naming the rule that forbids it.
    """
    asked = _own(session, actor, ask_id)
    words = _note(words)
    doctor = session.get_one(User, asked.doctor_id)
    assignments.hold(session, asked.practice_id, [doctor.id])
    session.refresh(asked, ["state"], with_for_update=True)
    if asked.state is not AskState.OPEN:
        standing = assignments.holder_of(session, asked.need_id)
        if asked.state is AskState.ACCEPTED and standing and standing.doctor_id == doctor.id:
            return standing
        raise _over(session, asked)
    need = session.get_one(Need, asked.need_id)
    assignment = assignments.place(
        session, actor, need, doctor, source=AssignmentSource.ASK, answering=asked
    )
    asked.answer_note = words or None
    asked.assignment_id = assignment.id
    session.flush()
    return assignment


def decline(session: UnitOfWork, actor: Actor, ask_id: int, words: str = "") -> Ask:
    """Say no, with a word or without; whoever asked is told. Saying it twice changes nothing."""
    asked = _own(session, actor, ask_id)
    words = _note(words)
    assignments.hold(session, asked.practice_id, [])
    session.refresh(asked, ["state"], with_for_update=True)
    if asked.state is AskState.DECLINED:
        return asked
    if asked.state is not AskState.OPEN:
        raise _over(session, asked)
    asked.answer_note = words or None
    end(session, actor, asked, AskState.DECLINED)
    tell_asker(session, asked)
    return asked


def withdraw(session: UnitOfWork, actor: Actor, ask_id: int) -> Ask:
    """Take an open question back; the doctor is told. What has ended stays as it is."""
    asked = _visible(session, actor, ask_id)
    require(actor, Action.NEED_ASK, Subject(asked.practice_id))
    assignments.hold(session, asked.practice_id, [])
    session.refresh(asked, ["state"], with_for_update=True)
    if asked.state is AskState.OPEN:
        end(session, actor, asked, AskState.WITHDRAWN)
        tell_asked(session, asked, "ask.ended")
    return asked


def _askable(session: UnitOfWork, actor: Actor, need_id: int) -> Need:
    """A need about which the actor may ask, as it stands now."""
    need = session.scalars(
        sa.select(Need)
        .where(Need.id == need_id)
        .options(joinedload(Need.practice), joinedload(Need.room))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if need is None or not (actor.is_system or actor.roles_in(need.practice_id)):
        raise NotFound("need_not_found")
    require(actor, Action.NEED_ASK, Subject(need.practice_id))
    return need


def _require_fillable(session: UnitOfWork, need: Need) -> None:
    if need.state is not NeedState.PUBLISHED:
        raise Conflict("need_withdrawn", date=need.date)
    if need.date < local_date(session.now(), need.practice.timezone):
        raise RuleBroken("need_past", date=need.date)
    first = assignments.holder_of(session, need.id)
    if first is not None:
        raise assignments.taken_error(first)


def _suggested(
    session: UnitOfWork, need: Need, doctor_id: int, proposal_id: int | None
) -> tuple[AskCode, float | None] | None:
    """What a proposal suggests about a doctor on a need that it leaves uncovered."""
    if proposal_id is None:
        return None
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or proposal.practice_id != need.practice_id:
        raise NotFound("proposal_not_found")
    for item in (proposal.solution or {}).get("uncovered", []):
        if item["need"] != need_key(need.id):
            continue
        for entry in item.get("suggestions", []):
            if entry["doctor"] == doctor_key(doctor_id) and entry["code"] in list(AskCode):
                return AskCode(entry["code"]), entry.get("to")
    return None


def _insert(
    session: UnitOfWork,
    actor: Actor,
    question: Question,
    message: str,
    proposal_id: int | None,
) -> Ask:
    """Write the question; the unique index decides between two who ask the same."""
    to = question.limit_to
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(Ask)
        .values(
            practice_id=question.need.practice_id,
            need_id=question.need.id,
            doctor_id=question.doctor.id,
            proposal_id=proposal_id,
            code=question.code,
            limit_half_days=None if to is None else round(2 * to),
            message=message,
            state=AskState.OPEN,
            asked_by=actor.user_id,
            asked_at=session.now(),
        )
        .on_conflict_do_nothing()
        .returning(Ask)
    )
    made = session.scalars(statement).one_or_none()
    if made is None:
        raise Conflict("ask_open", who=question.doctor.name, date=question.need.date)
    return made


def _visible(session: UnitOfWork, actor: Actor, ask_id: int) -> Ask:
    asked = session.get(Ask, ask_id)
    if asked is None or not (actor.is_system or actor.roles_in(asked.practice_id)):
        raise NotFound("ask_not_found")
    return asked


def _own(session: UnitOfWork, actor: Actor, ask_id: int) -> Ask:
    """A question that the actor may answer: only the doctor concerned does."""
    asked = _visible(session, actor, ask_id)
    require(actor, Action.NEED_CLAIM, Subject(asked.practice_id, asked.doctor_id))
    return asked


def _note(words: str) -> str:
    words = " ".join(words.split())
    if len(words) > LONGEST_NOTE:
        raise InvalidInput("ask_note_too_long", field="words", most=LONGEST_NOTE)
    return words


def _over(session: UnitOfWork, asked: Ask) -> RelaisError:
    """Why a question can no longer be answered: who was first, or how it ended."""
    need = session.scalars(
        sa.select(Need).where(Need.id == asked.need_id).options(joinedload(Need.practice))
    ).one()
    if asked.state is AskState.LAPSED:
        try:
            _require_fillable(session, need)
        except RelaisError as error:
            return error
    if asked.state is AskState.WITHDRAWN:
        return Conflict("ask_withdrawn", date=need.date)
    return Conflict("ask_answered" if asked.state is not AskState.LAPSED else "ask_ended")
