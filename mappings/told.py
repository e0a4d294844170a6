"""Whether a sentence may be told to a recipient: only where who speaks in it is known (domain.md section 4.5, N3).

The world of a sentence is closed. It is told if every word of it is known to be harmless (`plainwords`), every person
in it is victim, suspect, child or officer, and whatever is said, seen, heard or called in it is said, seen, heard or
called by victim or suspect, or seen by officers themselves. A pronoun counts as long as nobody else has been spoken of.
Whatever is not understood so is withheld: a name, a trade, a relative, a typing error, another language.

It is a filter of words and their order. It does not know meaning: a source that is spoken of as victim, suspect or
officer, in known words only, is not found, and a pronoun before anybody is named is taken for victim or suspect.
"""

from __future__ import annotations

import re

from mappings import phrases
from mappings.plainwords import KINDS, wordset
from mappings.speakers import NOBODY, POSSESSIVE, Cast, Sentence, Whose

_TOKEN = re.compile(
    r"[^\W\d_][^\W_]*(?:['\u2019/&.-][^\W_]+)*"
    r"|£?\d+(?:[:./,-]\d+)*(?:%|cm|mm|m|st|nd|rd|th|hrs|am|pm|(?: ?[ap]\.m\.?))?(?![^\W_])"
    r"|[^\W_]+(?:['\u2019/&.-][^\W_]+)*|[\"\u201c\u201d]|(?<![^\W_])['\u2018](?=\w)"
)
_QUANTITY = re.compile(r"£?[\d:./,-]+ ?(?:%|cm|mm|m|st|nd|rd|th|hrs|am|pm|[ap]\.m\.?)?")
_LONGEST_QUANTITY = 5  # digits: more, or as many after a nought, are somebody's telephone
_FIELD = re.compile(
    r"(?:injur(?:y|ies)|mo|offences?|weapons?(?: used)?|bail|dash(?: grade)?|risk(?: grade)?|grade|outcome|action|q\d+|"
    r"vehicles?|victim|suspect|children present|summary of offence) ?:"
)
"""A field of the police system itself: what it says is no longer what the line before it went on about."""
_ANSWER = re.compile(r"[\w /-]{1,60}[:?] ?(?:yes|no)\b")
"""An answer to a question put to the victim, who is the one that speaks in it."""
_PEOPLE = frozenset("vVhxoctfm")
_KINDS = KINDS.get


def judge(sentence: str, cast: Cast = NOBODY, whose: Whose = Whose.START) -> tuple[bool, Whose]:
    """Whether a sentence may be told, in a text whose account so far is `whose`, and whose it is after the sentence."""
    folded = sentence.casefold().replace("injured party", "victim")
    if ":" in folded and _FIELD.match(folded):
        whose = min(whose, Whose.START)
    words = _TOKEN.findall(folded)
    kinds = _kinds(words, sentence, cast)
    unknown = [word for word, kind in zip(words, kinds, strict=True) if kind == "?"] if "?" in kinds else []
    told, after = (False, Whose.ELSE) if unknown else _read(folded, words, kinds, cast, whose)
    if not told and (less := phrases.plain(folded, words, unknown)) is not None:
        words = _TOKEN.findall(less)
        kinds = _kinds(words, sentence, cast)
        told, after = (False, Whose.ELSE) if "?" in kinds else _read(less, words, kinds, cast, whose)
    return told, after


def _kinds(words: list[str], sentence: str, cast: Cast) -> list[str]:
    """What sort of word each is (`plainwords`); `?` is one that is not known, or somebody else's name."""
    kinds = [_KINDS(word) or _rare(word, cast) for word in words]
    if "?" in kinds:
        _place_names(words, kinds, sentence)
    if not cast.others.isdisjoint(words):
        kinds = ["?" if word in cast.others else kind for word, kind in zip(words, kinds, strict=True)]
    return kinds


def _read(folded: str, words: list[str], kinds: list[str], cast: Cast, whose: Whose) -> tuple[bool, Whose]:
    """`judge`, of known words."""
    first = next((kind for kind in kinds if kind in _PEOPLE), "")
    answers = whose is Whose.VICTIM or (("yes" in words or "no" in words) and _ANSWER.match(folded))
    read = Sentence(words, kinds, cast, whose, person="h" if answers else "")
    whose_it_is = whose is not Whose.ELSE or first in {"v", "V", "o", "m"} or _is_negative(words, kinds)
    if not whose_it_is or not read.is_told() or phrases.suspect(folded, words):
        return False, Whose.OFFICERS if first == "v" else Whose.ELSE
    if first in {"v", "V"}:
        return True, min(whose, Whose.CLEAR)
    return True, Whose.OFFICERS if whose is Whose.ELSE and first else whose


def _is_negative(words: list[str], kinds: list[str]) -> bool:
    """`No injuries seen`: whoever says so, it tells nothing of them."""
    return words[:1] == ["no"] and set(kinds) <= set("pbe")


def _rare(word: str, cast: Cast) -> str:
    """What sort of word it is that is not in the list (`plainwords`); `?` is one that is not known."""
    if word in cast.parties:
        return "v"
    if word in cast.children:
        return "c"
    if word[0] in "\"'\u2018\u201c\u201d":
        return '"'
    if word[0].isdigit() or word[0] == "£":
        return _quantity(word)
    owner = POSSESSIVE.sub("", word)
    if owner == word or owner in cast.others:
        return "?"
    kind = "v" if owner in cast.parties else KINDS.get(owner, "c" if owner in cast.children else "?")
    return {"v": "V", "p": "p", "o": "p", "c": "p"}.get(kind, "?")


def _quantity(word: str) -> str:
    if word in {"999", "101"}:
        return "l"
    many = (
        sum(map(str.isdigit, word)) > _LONGEST_QUANTITY - word.startswith("0") and "/" not in word and "." not in word
    )
    return "p" if _QUANTITY.fullmatch(word) and not many else "?"


_ROADS = wordset("road street lane avenue close drive way crescent terrace place custody court")
_AFTER_TOWN = wordset("and on at to with where when since for after before until but")


def _place_names(words: list[str], kinds: list[str], sentence: str) -> None:
    """Let the names of roads and towns pass: `in Preston`, `Mill Lane`; in capitals nothing tells them from others."""
    if sentence.isupper():
        return
    for at, kind in enumerate(kinds):
        name, after = words[at].capitalize(), words[at + 1] if at + 1 < len(words) else ""
        if kind == "?" and name.isalpha() and name in sentence:
            road = after in _ROADS and (after == "custody" or f"{name} {after.capitalize()}" in sentence)
            lies = at > 1 and words[at - 1] == "in" and kinds[at - 2] != "r" and not words[at - 2].startswith("trust")
            within = lies and (not after or after in _AFTER_TOWN)
            if road or within:
                kinds[at] = "p"
