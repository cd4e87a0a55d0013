"""`app.py calendars reply`: one mail, carried out as if it had come to the mailbox."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Final

from scheduler.calendars.invitations.answering import Outcome, Result
from scheduler.calendars.invitations.polling import carry_out
from scheduler.calendars.reading import Unreadable, limits
from scheduler.calendars.reading.faults import Fault
from scheduler.calendars.reading.sentences import fault_sentence
from scheduler.core.database import Database
from scheduler.core.settings import Settings

OK, BAD_INPUT = 0, 2
_IGNORED: Final = {
    "not_set_up": "RELAIS_REPLY_ADDRESS is not set",
    "automatic": "an automatic answer",
    "no_answer": "no answer to an invitation",
    "not_ours": "no invitation of this installation",
    "other_address": "it was sent to the address of another invitation",
    "other_attendee": "the attendee is not who was invited",
    "no_moment": "it does not say when it was written, or says a time to come",
    "over": "the invitation has ended",
}


def reply_file(path: Path, database: Database, settings: Settings) -> int:
    """Carry out the mail in a file and print one line of what came of it.

    Returns 0, or 2 with one line on standard error for what cannot be read.
    """
    shown = " ".join(str(path).encode("utf-8", "replace").decode().split())
    try:
        # A pipe would be waited for, and a device has no end.
        if not stat.S_ISREG(path.stat().st_mode):
            return _refuse(shown, "not a file")
        with path.open("rb") as file:
            content = file.read(limits.MOST_BYTES + 1)
        outcome = carry_out(database, settings, content)
    except OSError as error:
        return _refuse(shown, f"cannot be read: {error.strerror}")
    except ValueError:
        return _refuse(shown, "no name of a file")
    except Unreadable as fault:
        if fault.code == Fault.NOT_ONE:
            return _refuse(shown, "no mail, or its calendar is none")
        return _refuse(shown, fault_sentence(fault.code, fault.facts))
    sys.stdout.write(_line(outcome) + "\n")
    return OK


def _line(outcome: Outcome) -> str:
    words = outcome.result.value.replace("_", " ")
    if outcome.result is Result.IGNORED:
        return f"{words}: {_IGNORED.get(outcome.why or '', outcome.why)}"
    why = f" ({outcome.why.replace('_', ' ')})" if outcome.why else ""
    return f"{words}: {outcome.doctor}, {outcome.date}{why}"


def _refuse(shown: str, sentence: str) -> int:
    sys.stderr.write(f"relais: {shown}: {sentence}\n")
    return BAD_INPUT
