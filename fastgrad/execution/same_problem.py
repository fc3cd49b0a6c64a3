"""Whether a checkpoint is of the problem that is checked now; where it is not, what differs, in words.

A problem is known by its identity, text or a hash by name, and by its contents: hashes by place of what its
functions and data consist of. `Checkpoint` keeps both.
"""

from __future__ import annotations

from collections.abc import Mapping

Contents = Mapping[str, Mapping[str, str]]
"""Hashes by part (the cost, its data, ...) and place."""

CHANGES = "changes"
"""Instead of a hash: the check itself changes what is there. A counter of calls says nothing of the cost."""

QUOTED = ("options", "fastgrad", "python")
"""Entries of an identity that are quoted where they differ: the others are hashes."""

PLACES_NAMED = 3
"""Places that a message names; the others are counted."""

_VERSIONS = {"fastgrad": "the fastgrad version", "python": "the version of Python"}

_PARTS = {
    "cost": "the cost's code or a value that it uses differs",
    "gradient": "the gradient's code or a value that it uses differs",
    "network": "the network differs",
    "data": "the data in args differ",
}


def differences(stored: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """In which entries two identities differ, in the user's words.

    Examples
    --------
    >>> differences({"seed": "0", "options": "a"}, {"seed": "1", "options": "b"})
    ['the seed differs', "the options differ ('a' there, 'b' now)"]
    """
    names = [name for name in {**now, **stored} if stored.get(name) != now.get(name)]
    return [_difference(name, stored.get(name), now.get(name)) for name in names]


def differences_within(stored: Contents, now: Contents) -> list[str]:
    """In which parts and places two problems differ, in the user's words; a place that changes does not.

    Examples
    --------
    >>> stored = {"cost": {"cost()": "5a", "SCALE": "2b", "CALLS": CHANGES}}
    >>> differences_within(stored, {"cost": {"cost()": "5a", "SCALE": "9f", "CALLS": "0c"}})
    ["the cost's code or a value that it uses differs (SCALE)"]
    """
    found = []
    for part in {**now, **stored}:
        places = [
            place
            for place in _other(stored.get(part, {}), now.get(part, {}))
            if not _is_free(stored, part, place)
        ]
        if places:
            more = f" and {len(places) - PLACES_NAMED} more" if len(places) > PLACES_NAMED else ""
            found.append(f"{_PARTS.get(part, part)} ({', '.join(places[:PLACES_NAMED])}{more})")
    return found


def with_changes(stored: Contents, before: Contents, after: Contents) -> Contents:
    """What is stored, with CHANGES wherever a problem did not stay the same during a check.

    Examples
    --------
    >>> before, after = {"cost": {"SCALE": "1", "CALLS": "2"}}, {"cost": {"SCALE": "1", "CALLS": "3"}}
    >>> with_changes(before, before, after)
    {'cost': {'SCALE': '1', 'CALLS': 'changes'}}
    """
    return {
        part: {**stored.get(part, {}), **dict.fromkeys(_other(before.get(part, {}), places), CHANGES)}
        for part, places in after.items()
    }


def _other(one: Mapping[str, str], two: Mapping[str, str]) -> list[str]:
    """The places that are not the same in both, or not in both."""
    return [place for place in {**one, **two} if one.get(place) != two.get(place)]


def _is_free(stored: Contents, part: str, place: str) -> bool:
    return stored.get(part, {}).get(place) == CHANGES


def _difference(name: str, stored: str | None, now: str | None) -> str:
    what = _VERSIONS.get(name, f"the {name}")
    verb = "differ" if name.endswith("s") else "differs"
    quoted = f" ({stored!r} there, {now!r} now)" if name in QUOTED else ""
    return f"{what} {verb}{quoted}"
