"""Phrases that change how single words of a narrative are judged: some make them harmless, some make them suspect.

`plain` writes a sentence without what is harmless as a whole: who she lives with, who a child's father is.
`suspect` finds what a list of words cannot: where an account came from, and who lives near.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from mappings.plainwords import wordset

_LIVES = r"(?:live|stay|reside|move|return|bail|remain)(?:s|d|ed|ing)?|living|residing|moving|gone|went|going|safe"
_KIN = r"(?:mother|father|parent|mum|dad|sister|brother|grandparent|grandmother)s?(?:['\u2019]s?)?"
_ENDS = r"(?![\w'\u2019])"
_NEAREST = rf"(?:friends|family)(?: (?:and|or) (?:friends|family))?{_ENDS}"
_YOUNG = r"(?:child|children|kids|baby|youngest|eldest|sons?|daughters?)\b"
_HARMLESS = re.compile(
    rf"\b(?:{_LIVES}) (?:back )?(?:with|to|at|in) (?:(?:her|his|their) (?:own )?(?:{_KIN}|family)"
    rf"(?: (?:house|home|address|flat))?|family|friends){_ENDS}"
    r"|\b(?:is|are) (?:the )?(?:father|mother|parents?) (?:of|to)(?= (?:the |her |his |their |one |two |three |both )*"
    rf"(?:of )?(?:the |her |his |their )?{_YOUNG})"
    rf"|\b(?:isolat\w+ |cut (?:her |him )?off )(?:her |him )?from (?:her |his )?(?:own )?{_NEAREST}"
    rf"|\b(?:let|lets|allow|allows|allowed|from) (?:(?:her|him|to) )*(?:see|seeing) (?:her |his )?{_NEAREST}"
    r"|\b(?:checked|treated|seen|assessed|examined)(?: over)? by (?:the )?(?:paramedics|ambulance(?: crew)?)\b"
    r"|\bsocial media\b|\bpublic funds\b|\bvictim support\b|\bmental health (?:team|services)\b|\bdomestic abuse team\b"
    r"|\bon (?:my|our) (?:arrival|attendance)\b|^police were called(?= at \d|\W*$)"
    r"|\b(?:was|were) seen and spoken to\b|\bseen by (?:police|officers)\b|\bpassed out\b|\btook place\b"
    r"|\bsafe to (?:call|text|phone|contact)\b"
    r"|\bcontacted by (?:text|phone|e-?mail|post|an adviser|police|officers|(?:the )?domestic abuse team)\b"
    r"|\b(?:needs?|requires?|wants|with|via) an? (?:\w+ )?interpreter\b"
    r"|\bhearing (?:impairment|loss|aids?)\b|\b(?:lost|loss of) hearing\b"
    r"|\b(?:fe)?male(?= officers?\b)|\b(?:his|her) (?:phone )?calls\b(?! (?:to|from))|\boff work\b"
    r"|\bcase (?:was )?(?:last )?heard\b|\blast heard\b|\b(?:joint|bank|savings|e-?mail|his|her) accounts?\b"
    r"|(?<!told )(?<!reported )(?<!informed )(?<!said )(?<!seen )\bby (?:text|post|phone|e-?mail|letter)\b"
    r"|\bleave (?:a |any )?(?:voicemail|message)s?\b"
    r"|\bbody[- ]worn video\b|\bcounter[- ]?allegations?\b"
    # The titles of offences, which name a stranger as the law does.
    r"|\b(?:rape|sexual assault) (?:of|on) an? (?:fe)?male(?: (?:child|aged 1[36] (?:or|and) (?:over|under)))?(?=\W*$)"
    r"|\bassault(?:ing)? (?:on |of )?an? ?emergency worker(?=\W*$)|\bassault on emergency worker(?=\W*$)"
    r"|\bwitness intimidation\b|^public order (?:offence|act|s\d\w?)(?=\W*$)"
    r"|^sending letters with intent\b|^disclosing private sexual (?:photographs|images) with intent\b"
    r"|\bstalking involving fear of (?:serious )?(?:violence|alarm)(?: or distress)?(?=\W*$)"
)
_HARMLESS_WORDS = wordset(
    """account accounts allegation allegations ambulance arrival attendance brother brother's brothers by call called
    calls contact contacted crew dad dad's disclosing family father father's fathers female friends funds
    grandmother grandparent grandparents heard hearing interpreter letters male media message messages mother
    mother's mothers mum mum's out paramedics parent parents parents' party passed phone place public seen services
    stalking sister sister's sisters social spoken support team text video voicemail voicemails witness work worker"""
)
"""One of these is in every harmless phrase; looking for the phrase costs more."""

_SENT_WORDS = wordset(
    """referral referrals referred report reports request requests contact contacts information disclosure disclosures
    allegation allegations concern concerns complaint complaints update updates evidence result results notification
    notifications query queries enquiry enquiries"""
)
_SUSPECT: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = tuple(
    (wordset(words), re.compile(pattern))
    for words, pattern in (
        (
            "contact",
            r"\b(?:made?|make) contact\b|\bmaking contact\b|\bcontact (?:was )?(?:made|received|from)\b",
        ),
        ("number no", r"\b(?:number|no\.?) \d"),
        (
            "flat house room door apartment",
            (
                r"(?<!at )(?<!in )(?<!to )(?<!of )(?<!into )(?<!inside )\b(?:flat|house|room|door|apartment) \d"
                r"|\bhouse to house\b|\bdoor to door\b"
            ),
        ),
        (
            "i we",
            (
                r"\b(?:i|we) (?!(?:have|had|could|then|also|saw|took|found|gave|went|spoke|told|made|left|put|brought|"
                r"did|\w+ed)\b)"
            ),
        ),
        ("said", r"\bsaid to (?:be|have|keep|own|hold|carry|live)\b"),
        ("seems appears looks sounds", r"\bit (?:seems|appears|looks|sounds)\b"),
        ("one silent open authority", r"\bone of\b|\bsilent solution\b|\bopen line\b|\bgood authority\b"),
        (
            "came comes come coming emerged arose surfaced",
            r"\b(?:it|this|that|these|which) (?:\w+ )?(?:came|comes|come|coming|emerged|arose|surfaced)\b",
        ),
        ("across", r"\bacross the (?:road|way|street|landing|hall|corridor|close)\b"),
        ("whole entire", r"\b(?:whole|entire) (?:street|road|block|village|close)\b"),
        ("through out", r"\bthrough the (?:walls?|ceiling|floor)\b|\bout of it\b"),
        ("end top bottom", r"\b(?:end|top|bottom) of the (?:road|street|lane|close|block)\b"),
        (
            " ".join(_SENT_WORDS),
            (
                rf"\b(?:{'|'.join(sorted(_SENT_WORDS))}) (?:was |were |made |received |sent |came )*"
                r"(?:from|by|via|through)\b"
                r"(?! (?:the )?(?:victim|ip|ap|agg|vic|aggrieved|suspect|police|officers)\b(?!['\u2019]))"
            ),
        ),
    )
)
"""Suspect phrases, each with words of which one is in it; looking for the phrase costs more."""
_SUSPECT_BY_WORD = {
    word: [phrase for hint, phrase in _SUSPECT if word in hint] for words, _ in _SUSPECT for word in words
}
_QUOTED = re.compile(r'"[^"]*"')


def plain(folded: str, words: Collection[str], unknown: Collection[str]) -> str | None:
    """A sentence in small letters, with a word that says nothing for each harmless phrase; none if it has none.

    Nor is it written if one of its `unknown` words is in no such phrase, and so would still be unknown.
    """
    if _HARMLESS_WORDS.isdisjoint(words) or not _HARMLESS_WORDS.issuperset(unknown):
        return None
    less, found = _HARMLESS.subn("then", folded)
    return less if found else None


def suspect(folded: str, words: Collection[str]) -> bool:
    """Whether a sentence says, outside its quotations, where an account came from or who lives near."""
    hints = _SUSPECT_BY_WORD.keys() & words
    if not hints:
        return False
    spoken = _QUOTED.sub("", folded) if '"' in folded else folded
    return any(phrase.search(spoken) for hint in hints for phrase in _SUSPECT_BY_WORD[hint])
