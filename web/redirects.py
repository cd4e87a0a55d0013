"""Where a form may send its reader back to: only ever to a page of this very site."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

LONGEST_TARGET: Final = 2000


def local_target(target: str | None, default: str) -> str:
    """`target` where it is a path of this site, else `default`.

    Browsers read ``//host`` and ``/\\host`` as another site and drop control characters before
    they look: an address with any of these is not followed.
    """
    if not target or len(target) > LONGEST_TARGET:
        return default
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return default
    if any(ord(letter) <= 0x20 or 0x7F <= ord(letter) <= 0xA0 for letter in target):
        return default
    try:
        parts = urlsplit(target)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else target
