"""Who speaks, sees and does in a sentence of known words, and whether each of them is of the case.

A person is looked for before each act: what is said, seen, called or done is theirs. It must be victim or suspect, or
officers for what they do and see; a child may be there and be hurt, and what it tells is not told. What is done to
somebody with no word for who did it (`was told`, `seen leaving`) was done by somebody else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from mappings.plainwords import wordset


@dataclass(frozen=True, slots=True)
class Cast:
    """The names of a record's people, casefolded, each part alone; a name that somebody else has is only theirs."""

    parties: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()


class Whose(IntEnum):
    """Whose account a text is at one point of it, and so whom a pronoun there may mean."""

    VICTIM = 0
    """The text is an answer or a wish of the victim's, who is the one that speaks where nobody is named."""
    CLEAR = 1
    """Victim or suspect has been named, and nobody else since."""
    START = 2
    """Nobody has been named."""
    OFFICERS = 3
    """Officers or victim spoke again after somebody else was spoken of: a pronoun may mean that one."""
    ELSE = 4
    """Somebody else was spoken of, or may have been."""


NOBODY = Cast()
POSSESSIVE = re.compile(r"['\u2019]s?$")

_NEGATIONS = wordset("no none not never nothing")
_FEELS = wordset("worried concerned known advised asked fear aware")
_OBSERVES = wordset("saw see noticed observed")
_HEARS = wordset("hear hears heard hearing listen listens listened listening overheard overhear")
_HEARSAY = wordset("that of about from it")
_OFFICERS_SAY = wordset("told tell advised explained asked informed spoke talked noted recorded called contacted")
_WITHOUT_OBJECT = wordset("noted recorded explained")
_PARTNER_SAYS = wordset("said says told called")
_PASSIVE = wordset(
    """reported heard told watched believed understood thought said seen alleged known observed noticed spotted
    witnessed"""
)
_AFTER_PASSIVE = wordset("by to as in at from outside drunk armed still back near over through leaving living")
_ACTIVE_ONLY = wordset("that he she it him her them they the a pain nothing no")
_TELLS_AS_CHILD = wordset(
    """showed shows gave gives want wants wanted handed answered answers let lets drew wrote pointed came"""
)
_HANDED = wordset("given shown handed sent met led let approached directed stopped pointed passed")
_STARTS_NOBODY = wordset(
    """want wants wanted would does doesn't lives works gave came went can could cannot can't upstairs downstairs"""
)
_SUSPECTS = wordset("suspect susp offender perpetrator perp accused defendant")
_OTHER_PARTNER = wordset("new previous former last current other another")
_SOMEBODYS = wordset("her his their another other")
_GOES_TO = wordset("to at in into outside inside of attend attended attends declined declines refused needs an")
_FETCHED = wordset("the an declined declines refused for by called")
_AFTER_PLACE = wordset(
    """order orders hearing date appearance mobile phone number place clothes bag shift card account benefit custody"""
)
_JOINS = wordset("and but so when as because after until where while that then before if")
_QUOTES = wordset("said says stated states saying told replied shouted texted called threatened wrote caution screamed")


_RULES = {
    "v": "_party",
    "V": "_partys",
    "h": "_he_or_she",
    "x": "_hers",
    "t": "_they",
    "o": "_officer",
    "m": "_me",
    "c": "_child",
    "f": "_partner",
    "w": "_who",
    "i": "_institution",
    "s": "_sound",
    "n": "_given",
    "u": "_never",
    "a": "_title",
    "d": "_does",
    "r": "_says",
    "e": "_says",
    "l": "_says",
}
"""The rule that each kind of word must hold to."""


@dataclass(slots=True)
class Sentence:
    """One sentence of known words, read from left to right. `person` is who was last spoken of as doing something."""

    words: list[str]
    kinds: list[str]
    cast: Cast
    whose: Whose
    person: str = ""
    hers: bool = False
    tainted: bool = False
    quoted: bool = False

    def is_told(self) -> bool:
        """Whether everybody who speaks, sees or acts in it is of the case."""
        if self.words and self.whose > Whose.CLEAR and self.words[0] in _STARTS_NOBODY:
            return False
        self.tainted = self.whose >= Whose.OFFICERS
        for at, kind in enumerate(self.kinds):
            if kind == '"':
                if not self._quotes(at):
                    return False
            elif not self.quoted and kind not in "pb":
                if not getattr(self, _RULES[kind])(at):
                    return False
            elif kind == "p" and self.words[at] in _HANDED and self.person in {"o", "m"} and self._passive(at):
                return False
        return not self.quoted

    def _word(self, at: int) -> str:
        return self.words[at] if 0 <= at < len(self.words) else ""

    def _kind(self, at: int) -> str:
        return self.kinds[at] if 0 <= at < len(self.kinds) else ""

    def _passive(self, at: int) -> bool:
        return "b" in self.kinds[max(0, at - 2) : at]

    def _party_is_named(self, at: int) -> bool:
        """Whether a pronoun at a place of the sentence has victim or suspect to mean."""
        return self.whose <= Whose.CLEAR or "v" in self.kinds[:at]

    def _quotes(self, at: int) -> bool:
        """A quotation is told where victim or suspect said it."""
        if not self.quoted and (self.person not in {"v", "h", "f"} or _QUOTES.isdisjoint(self.words[:at])):
            return False
        self.quoted = not self.quoted and self.words[at] not in "'\u2018"
        return True

    def _party(self, at: int) -> bool:
        if self._word(at - 1) in _SOMEBODYS - {"her", "his"}:
            return False
        self.person, self.tainted, self.hers = "v", False, True
        return True

    def _partys(self, _: int) -> bool:
        self.tainted, self.hers = False, True
        return True

    def _he_or_she(self, _: int) -> bool:
        self.person = "h"
        return not self.tainted

    def _hers(self, _: int) -> bool:
        self.hers = True
        return not self.tainted

    def _they(self, at: int) -> bool:
        if self._word(at) in {"they", "couple"}:
            self.person = "t"
        return not self.tainted

    def _officer(self, at: int) -> bool:
        spoken_to = bool(self.person) and self._kind(at - 1) in {"r", "l", "d"}
        if not spoken_to:
            self.person = "o"
        unknown = self.person == "h" and not self._party_is_named(at)
        return self._word(at - 1) not in _SOMEBODYS and not (spoken_to and unknown)

    def _me(self, at: int) -> bool:
        if self._word(at) in {"i", "we"}:
            self.person = "m"
            return True
        return self._word(at) != "our" and self.person in {"v", "h"}

    def _child(self, _: int) -> bool:
        self.person = "c"
        return True

    def _partner(self, at: int) -> bool:
        """A partner is the other party, unless another's: his ex, the suspect's new wife."""
        before = self._word(at - 1)
        if before in _OTHER_PARTNER or POSSESSIVE.sub("", before) in _SUSPECTS or (self.tainted and not self.person):
            return False
        if before == "his" and (not self.person or self._word(at).startswith("ex")):
            return False
        if not self.person or self._kind(at - 1) in {"v", "f"}:
            self.person = "f"
        return True

    def _who(self, at: int) -> bool:
        return self._word(at) != "whom" and self._kind(at - 1) in {"v", "o", "c", "f"}

    def _institution(self, at: int) -> bool:
        """A place that can speak must be one that somebody is at or goes to."""
        if self._kind(at + 1) in {"r", "e", "l", "d"}:
            return False
        if self._word(at + 1) in _AFTER_PLACE:
            return True
        if self._word(at) == "ambulance" and self._word(at - 1) in _FETCHED:
            return True
        near = slice(max(0, at - 3), at)
        return not _GOES_TO.isdisjoint(self.words[near]) and not {"r", "l"} & set(self.kinds[near])

    def _sound(self, _: int) -> bool:
        """A sound is told where somebody of the case is there, and nobody else told of it before."""
        return (bool(self.person) or self.hers) and self.whose <= Whose.START

    def _given(self, at: int) -> bool:
        return self.person in {"v", "h"} or (not self.person and self.hers) or self._word(at - 1) in {"her", "his"}

    def _never(self, _: int) -> bool:
        return False

    def _title(self, at: int) -> bool:
        return self._word(at + 1) in self.cast.parties or self._word(at + 1) in self.cast.children

    def _does(self, at: int) -> bool:
        """What only a person does, somebody of the case must do; a child does not hand over what it knows."""
        if self._passive(at):
            return self.person not in {"o", "m"} or self._word(at) not in _HANDED
        if self._word(at - 1) == "to" or at == 0:
            return True
        if self._is_thing_that_acts(at):
            return False
        if self.person == "c":
            return self._word(at) not in _TELLS_AS_CHILD
        return bool(self.person) or self._word(at - 1) == "it"

    def _says(self, at: int) -> bool:
        word, after, kind = self._word(at), self._kind(at + 1), self.kinds[at]
        nothing_seen = kind == "e" and self.words[0] == "no" and not self.person
        if nothing_seen or (self._word(at - 1) in _NEGATIONS and kind != "l"):
            return True
        passive = self._passive(at) and word not in _FEELS and not word.endswith("ing")
        if passive or self._is_thing_that_acts(at):
            return False
        if self.person == "v":
            return not self._is_said_of(at)
        if self.person == "h":
            return kind == "r" or self._party_is_named(at) or after == "x"
        if self.person in {"o", "m"}:
            return self._officers_say(at)
        return self.person == "f" and word in _PARTNER_SAYS and not {"o", "m"} & set(self.kinds[at:])

    def _is_thing_that_acts(self, at: int) -> bool:
        """Whether a thing stands for those in it: `and the house called police`."""
        named = self._kind(at - 1) in {"p", "i"} and self._word(at - 2) in {"the", "a", "an"}
        return named and (at == 2 or self._word(at - 3) in _JOINS)  # noqa: PLR2004 - article, noun, verb

    def _is_said_of(self, at: int) -> bool:
        """Whether `suspect seen leaving` and the like: said or seen of victim or suspect, and so by somebody else."""
        word, after = self._word(at), self._word(at + 1)
        if word not in _PASSIVE or self._word(at - 1) in {"has", "had", "have"}:
            return False
        if after == "to" and self._kind(at + 2) in {"o", "x", "m"}:
            return False
        if word == "seen" or after in _AFTER_PASSIVE or not after:
            return True
        if word in {"told", "heard"}:
            return after in {"he", "she", "they", "that"} or (word == "heard" and self.kinds[at + 1] == "s")
        return (
            self._kind(at - 1) == "v"
            and word in {"believed", "thought", "understood", "alleged", "known"}
            and (after not in _ACTIVE_ONLY)
        )

    def _officers_say(self, at: int) -> bool:
        word, after = self._word(at), self._kind(at + 1)
        if self.kinds[at] == "e":
            if word in _HEARS:
                return self.person == "o" and self._word(at + 1) not in _HEARSAY
            return self.person == "o" or (word in _OBSERVES and not {"x", "t", "v"} & set(self.kinds[at + 1 : at + 3]))
        if word not in _OFFICERS_SAY:
            return False
        to_them = self._word(at + 1) in {"to", "with"} and bool({"x", "v"} & set(self.kinds[at + 2 : at + 4]))
        the_party = self._word(at + 1) == "the" and self._kind(at + 2) == "v"
        return after in {"x", "v"} or word in _WITHOUT_OBJECT or to_them or the_party
