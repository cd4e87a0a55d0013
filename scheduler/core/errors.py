"""The named errors of Relais.

A service raises one of these and nothing else; the edge maps the class to what its user
understands (`web.errors` to an HTTP status and a sentence, `app.py` to one line and an exit
status). An error carries facts, not prose: `code` names the exact reason, `facts` holds the
values a sentence needs.
"""

from __future__ import annotations

from typing import Any, ClassVar


class RelaisError(Exception):
    """Base of every error that Relais raises on purpose.

    `code` is a stable identifier such as ``need_taken``; `facts` are plain values (names,
    dates, numbers) from which the edge builds a sentence in the reader's language.
    """

    default_code: ClassVar[str] = "error"

    def __init__(self, code: str | None = None, **facts: Any) -> None:
        self.code = code or self.default_code
        self.facts = facts
        super().__init__(self.code, facts)

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value}" for key, value in self.facts.items())
        return f"{self.code} ({details})" if details else self.code


class InvalidInput(RelaisError):
    """What was given cannot be meant: `facts["field"]` says where."""

    default_code = "invalid_input"


class Malformed(InvalidInput):
    """A file is not what it says it is.

    `path` names the place inside the file (``needs[12].room``), `reason` what is wrong there.
    """

    default_code = "malformed"

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(path=path, reason=reason)

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class NotSignedIn(RelaisError):
    """The act needs a signed-in user, or the credentials given are wrong."""

    default_code = "not_signed_in"


class Forbidden(RelaisError):
    """The actor may not do this: `facts["action"]` says what was asked."""

    default_code = "forbidden"


class NotFound(RelaisError):
    """No such thing, or none that the actor may know of."""

    default_code = "not_found"


class Conflict(RelaisError):
    """Somebody or something was first; `facts` say who and what."""

    default_code = "conflict"


class RuleBroken(RelaisError):
    """A rule of the law, of the practice or of the doctor forbids it; `code` names the rule."""

    default_code = "rule_broken"


class TooMany(RelaisError):
    """Asked too often; `facts["retry_after"]` is a number of seconds."""

    default_code = "too_many"


class BadSettings(RelaisError):
    """The installation is configured in a way Relais cannot run with."""

    default_code = "bad_settings"
