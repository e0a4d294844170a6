"""Who reported it stays apart from what happened (domain.md section 4.5, N3).

Free text is cut into sentences. A sentence that names or may name who reported, saw or heard becomes part of a
statement on the third party, which is an item of its own; so does a sentence that goes on about the same person. The
rule errs on that side: what is withheld in doubt can be asked for, what is disclosed cannot be called back. No text is
lost: every sentence stands in one statement or the other, in its order.

This is a filter of words, not of meaning. It does not find a source that is described without any word for one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

_SENTENCE_END = re.compile(r"[.!?;][\"')\]]?\s+")
_WORD = re.compile(r"[^\W\d_]+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|miss|mx|dr|prof|rev|st|no|nos|tel|pc|dc|ds|sgt|insp|approx|etc|e\.g|i\.e)|\b[a-z])\.$",
    re.IGNORECASE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LONGEST_ABBREVIATION = 8  # characters, with the one before it


_ALWAYS = _words(
    """anonymous anonymously caller callers crimestoppers informant informants neighbor neighbors neighbour neighbours
    neighbouring nextdoor passer passerby passersby witness witnesses witnessed bystander bystanders onlooker
    onlookers reporter overheard tipoff chis source sources informer hearsay landlord landlady housemate housemates
    flatmate flatmates lodger lodgers locals samaritans mop rp inft infmt informt inf wit"""
)
"""Words, and what police shorten them to, that by themselves say that somebody else is spoken of."""

_PERSONS = _words(
    """mother mum mam mom father dad stepmother stepfather parent parents sister brother siblings sibling aunt auntie
    uncle cousin niece nephew grandmother grandfather gran nan nanna nana grandad son daughter stepson stepdaughter
    child children kids kid boy girl friend friends colleague colleagues workmate manager employer boss teacher school
    headteacher nursery gp doctor nurse midwife hospital paramedic ambulance worker visitor social public member
    resident residents tenant somebody someone relative relatives family party professional agency housing
    woman man male female lady gentleman staff postman driver shopkeeper
    mummy mate mates mummies granddad grandma grandpa granny stepmum stepdad daughters sons girls boys paramedics
    people upstairs downstairs opposite anybody anyone aunty nana twin"""
)
_SPEAKS = _words(
    """say says said saying state states stated report reports reported reporting call calls called calling ring rang
    phoned phone telephoned contact contacted contacting tell told tells disclose disclosed discloses allege alleges
    alleged claim claims claimed inform informs informed advise advises advised heard hears saw sees seen described
    describes believes believed thinks suspects suspected mentioned confirmed explained noticed raised concerned
    concerns worried texted messaged emailed wrote dialled flagged referred
    rep rings shouted complained complains alerted alerts message messages watched filmed shared let"""
)
_STRANGERS = _words(
    """tenants vicar pastor priest imam minister rabbi hairdresser solicitor lawyer guard security operator cctv walker
    builder builders bank club charity council cleaner receptionist carer counsellor therapist coach instructor tutor
    pupil student volunteer customer customers shopper barman barmaid bouncer doorman plumber electrician surveyor
    caretaker warden porter dentist pharmacist chemist vet accountant bailiff interpreter barber beautician librarian
    babysitter childminder nanny employee boss manager employer teacher assistant headteacher tenant resident residents
    worker nurse midwife driver postman courier visitor solicitors agent church mosque temple gym workplace university
    someone somebody probation firefighter
    college refuge insurer insurers newsagent bakery takeaway hotel pub manageress foreman supervisor's"""
)
"""Those who have no part in what happened: whatever they do in a sentence, it is told by them or of them."""
_DOES = _words(
    """passed gave gives came comes come asked asks found stopped restrained let wants wanted refuses refused sent
    brought forwarded got gets wishes offered showed shows handed played recorded spotted knew knows remembers recalls
    noted notes visited attended intervened spoke"""
)
_PHRASES = re.compile(
    r"\b(?:report(?:ed|s)?|calls?|called|rang|information|intelligence|intel|received|told|informed|heard|learn(?:ed|t)|"
    r"seen|disclosure|referral|concerns?|according|details|tips?|recordings?|footage|letter|e-?mail|footage)\b[^.]{0,40}?"
    r"\b(?:by|from|via|through|to us|to police)\b(?! (?:him|herself|himself|(?:the )?(?:victim|suspect|aggrieved|ap))\b"
    r"(?!['\u2019]s| ?s\b))"
    r"|\baccording to\b|\bon the word of\b|"
    r"\bby (?:a|an|some|one|two|three|several|another|others|drinkers|people)\b|"
    r"\b(?:999|101) call\b|\bthird[ -]part(?:y|ies)\b|\bnext[ -]door\b|\btip(?:ped)?[ -]off\b"
    r"|\bintel(?:ligence)? (?:received|suggests|indicates|states|says)\b|\b(?:come|came|coming) forward\b"
    r"|\bwelfare check\b|\bfront (?:office|desk|counter)\b|\b(?:to|into|at) the (?:counter|police station)\b"
    r"|\bmembers? of (?:the )?public\b|\bm\.o\.p\b|\bw\d\b|\bflagged down\b"
    r"|\b(?:his|her) (?:ex|previous|former|last|new|current) ?-?(?:partner|wife|husband|girlfriend|boyfriend)\b"
    r"[^.]{0,20}\b(?:us|police|officers|says|states|told)\b|\bex-\w+['\u2019]s\b|\bfrom an? (?:unknown|withheld)\b"
)
_PHRASE_WORDS = _words(
    """by word from via us police according call third next tip through tipped intel intelligence come came coming
    welfare front counter station members member m w flagged ex partner wife husband girlfriend boyfriend"""
)
"""One of these is in every phrase above; looking for the phrase costs more."""

_OWN = _words(
    """she he victim vic ap ip aggrieved complainant suspect susp offender perpetrator officers police injured they both
    we neither i ex partner husband wife boyfriend girlfriend"""
)
"""Who is spoken of anyway: what these tell us, victim, suspect and officers tell."""
_BEFORE = _words("the a an this then both later also today when after on as at in and but so while")
_NEUTRAL = _words(
    """it there no not this that dash dara risk grade body photographs injuries injury bail consent supervisor
    address door phone kitchen police safe please assault argument incident abuse attack blood bruising baby"""
)
"""What a sentence may begin with that is nobody: the incident, a thing, what was done about it."""
_YOUNG = _words("child children kid kids son daughter sons daughters boy boys girl girls upstairs downstairs")
"""Who was there and how they are is for the adviser to know; what they said or saw is not told by this page's rule."""
_OTHERS = (_PERSONS | _STRANGERS) - _YOUNG
_ONE, _WHICH = (["one"], ["a"], ["an"], ["the"], ["his"], ["her"]), frozenset({"who", "that"})
_PASSIVE = _words("was were been being be is are not never")
_ACTIVE = (_SPEAKS | _DOES | _words("made makes shared shares let lets reporting")) - {"phone"}

_GOES_ON = _words("he she they this that who which his her their it also further these those")
_TEXTS = (("assessments", "answers", "text"), ("consents", "", "reason"), ("criteria", "", "text"))


def split(text: str, names: Collection[str] = ()) -> tuple[str, str]:
    """What happened, and what says who reported or what third parties said, each in the order of the text.

    `names` are names of third parties. Sentences are joined by one space.
    """
    told = {part for name in names for part in _WORD.findall(name.casefold())}
    kept: list[str] = []
    apart: list[str] = []
    before = False
    for sentence in _sentences(text):
        words = _WORD.findall(sentence.casefold())
        before = _names_third_party(sentence, words, told) or (before and bool(words) and words[0] in _GOES_ON)
        (apart if before else kept).append(sentence)
    return " ".join(kept), " ".join(apart)


def separate(out: dict[str, Any]) -> None:
    """Set third-party sentences apart in a record under construction: in its summaries, answers and consents."""
    names = _third_party_names(out.get("people", ()))
    found: list[dict[str, Any]] = []
    for statement in out.get("statements", ()):
        if statement["topic"] == "summary" and "text" in statement:
            _move(statement, "text", names, found, statement.get("about", ()))
    for place, inner, leaf in _TEXTS:
        for part in out.get(place, ()):
            about = [part["subject"]] if "subject" in part else []
            for one in part.get(inner, ()) if inner else (part,):
                if leaf in one:
                    _move(one, leaf, names, found, about)
    if found:
        statements = [s for s in out.get("statements", ()) if "text" in s]
        out["statements"] = [*statements, *found]


def _move(
    part: dict[str, Any], leaf: str, names: Collection[str], found: list[dict[str, Any]], about: Collection[str]
) -> None:
    kept, apart = split(part[leaf], names)
    if not apart:
        return
    if kept:
        part[leaf] = kept
    else:
        del part[leaf]
    found.append({"topic": "third-party", "kind": part.get("kind", "allegation"), "about": list(about), "text": apart})


def _sentences(text: str) -> list[str]:
    """The sentences of a text; one that ends in an abbreviation or an initial goes on."""
    found: list[str] = []
    for line in text.splitlines():
        start = 0
        for end in _SENTENCE_END.finditer(line):
            tail = max(start, end.start() - _LONGEST_ABBREVIATION)  # the whole piece again each time would be quadratic
            if not _ABBREVIATION.search(line, tail, end.start() + 1):
                found.append(line[start : end.end()].strip())
                start = end.end()
        if rest := line[start:].strip():
            found.append(rest)
    return found


def _names_third_party(sentence: str, words: list[str], told: Collection[str]) -> bool:
    return (
        not _ALWAYS.isdisjoint(words)
        or (not _PERSONS.isdisjoint(words) and not _SPEAKS.isdisjoint(words))
        or (not _STRANGERS.isdisjoint(words) and not (_SPEAKS.isdisjoint(words) and _DOES.isdisjoint(words)))
        or any(word in told for word in words)
        or _somebody_else_acts(words)
        or (not _PHRASE_WORDS.isdisjoint(words) and _PHRASES.search(sentence.casefold()) is not None)
    )


def _somebody_else_acts(words: list[str]) -> bool:
    """Whether a sentence begins with somebody else, who is named by what they are, or says, sees, does or tells us."""
    at = next((at for at, word in enumerate(words) if word not in _BEFORE), 0)
    first, after = words[at : at + 1], words[at + 1 : at + 2]
    if not first or (first[0] in _OWN and after != ["s"] and _OTHERS.isdisjoint(after)):
        return False
    if "us" in words or (words[:2] == ["it", "was"] and words[2:3] in _ONE and not _WHICH.isdisjoint(words)):
        return True
    return first[0] not in _NEUTRAL and any(
        word in _OTHERS
        or (at > 0 and word in {"him", "her"})
        or (word in _ACTIVE and (at == 0 or words[at - 1] not in _PASSIVE))
        for at, word in enumerate(words)
    )


def _third_party_names(people: Collection[dict[str, Any]]) -> set[str]:
    """The names of those who reported or saw it, without any that a victim, suspect or child has as well."""
    own: set[str] = set()
    others: set[str] = set()
    for person in people:
        into = own if person["role"] in {"victim", "suspect", "child"} else others
        for name in person.get("names", ()):
            into.update(n for n in (name.get("family"), *name.get("given", ())) if n)
    parts = {p for name in own for p in _WORD.findall(name.casefold())}
    return {p for name in others for p in _WORD.findall(name.casefold()) if p not in parts and len(p) > 1}
