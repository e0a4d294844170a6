"""Whether two are one person: what was compared, what came of it, and what PDS answered.

Source: domain.md section 4.7.
"""

from __future__ import annotations

from collections.abc import Mapping

IDENTITY: Mapping[str, Mapping[str, str]] = {
    "compared": {
        "family": "Family name",
        "given": "Given name",
        "birth": "Birth",
        "sex": "Sex",
        "nhs-number": "NHS number",
        "number": "Another number",
        "postcode": "Postcode",
        "place": "Address line",
        "town": "Town",
        "phone": "Telephone",
        "email": "Email",
    },
    "agreement": {
        "exact": "The same",
        "alias": "The same as another name",
        "similar": "Much alike",
        "near": "Somewhat alike",
        "swapped": "The same, changed about",
        "nickname": "A short form of the other",
        "slip": "The same but for a slip",
        "initial": "The same initial",
        "other": "Different",
        "apart": "Two known and different names",
        "year": "The same but for the year",
        "close": "Close to each other",
        "default": "Both the day that is typed where nobody knows",
        "decade": "The same but for ten years",
        "years": "The age fits",
        "far": "A generation apart",
        "sector": "Near each other",
        "district": "In one district",
    },
    "match": {
        "linked": "Taken for one person without a human",
        "same": "Somebody said that they are one person",
        "different": "Somebody said that they are two people",
    },
    "not-one": {
        "relatives": "They are relatives",
        "shared-home": "They share a home",
        "shared-number": "They share a telephone, or a number that was copied",
        "told": "The victim, or somebody who knows the victim, says so",
        "mistake": "Whoever said that they are one was wrong",
        "other": "Another reason",
    },
    "trace": {
        "waiting": "PDS is asked again",
        "refused": "The agreement lets nobody ask",
        "verified": "The number stands",
        "review": "Somebody was found: is it the same person?",
        "confirmed": "It is the same person, and PDS has not verified the number",
        "different": "Somebody else was found",
        "unmatched": "Nobody was found, or several",
        "failed": "PDS did not answer, or not with anything that can be used",
        "erased": "Erased",
        "unaskable": "Too little is known, or may leave, to ask",
        "gone": "The record names the child no more",
    },
    "child-trace": {
        "waiting": "PDS is being asked",
        "refused": "The agreement lets nobody ask",
        "verified": "Traced: the number is verified",
        "review": "Under review: somebody was found, and a person decides",
        "confirmed": "Under review: it is the child, and PDS has not verified the number",
        "different": "Not found: PDS found somebody else",
        "unmatched": "Not found",
        "failed": "Not found: PDS did not answer, or not with anything that can be used",
        "erased": "Erased",
        "unaskable": "Not looked for: too little is known, or may leave",
        "gone": "The record names the child no more",
    },
    "trace-word": {
        "same": "It is the same person",
        "different": "It is somebody else",
        "again": "Ask PDS once more",
        "noted": "Noted: traced by other means, or not at all",
    },
}
"""Of each kind of code, its words."""
