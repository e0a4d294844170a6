"""What police systems call things: typical names of fields and parts, in words, for each leaf of the record.

How names are compared is said in `naming.py`. The
table is for proposing, never for reading: a profile says what it reads, and a person has finished it.

Source: domain.md sections 1.1 and 1.3 (typical source names), 1.6 (assessments), 4.6 (consent).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A leaf of the record and what it is called: target, transform, map, `required`, names.

    `gathers` says that several places make one row.
    """

    target: str
    transform: str
    names: tuple[str, ...]
    map: str = ""
    required: str = ""
    gathers: bool = False


def _w(target: str, transform: str, names: str, *more: str, gathers: bool = False) -> Word:
    """A word; `names` with semicolons between them, `more` are the map and whether it is required."""
    named, needed = (*more, "", "")[:2]
    return Word(target, transform, tuple(names.split("; ")), named, needed, gathers)


_WHEN = "when-present"
_ASSESSED = "completed date time; completed at; completed on; assessed on; assessed at; assessed date time; date"
_ASKED = "asked date time; asked at; asked on; obtained date time; date"

LEAVES: Mapping[str, tuple[Word, ...]] = {
    "Record": (
        _w("kind", "mapped", "record kind; change type; record type; event type; type", "record-kind", "true"),
        _w(
            "references[occurrence].value",
            "reference",
            "occurrence reference; occurrence number; occurrence urn; occurrence ref; occurrence; "
            "investigation reference; incident reference; incident number; rms id; case number; case reference; "
            "incident id; report number; activity id; activity identification; event number",
            "",
            "true",
        ),
        _w("references[document].value", "reference", "id; document id"),
        _w(
            "references[log].value",
            "reference",
            "log reference; log number; incident log; cad number; cad; fwin; cad event id; cad id; dispatch number",
        ),
        _w("references[crime].value", "reference", "crime reference; crime number; crime no; crn; crime ref"),
        _w("references[cjs-urn].value", "reference", "cjs urn; case urn; pti urn; urn"),
        _w("references[external].value", "reference", "external reference id; external reference"),
        _w("references[customer].value", "reference", "customer reference number; customer reference"),
        _w("references[submission].value", "reference", "submission id"),
        _w("version", "integer", "record version; version; revision", "", _WHEN),
        _w("source.organisation", "force-code", "force code; force identifier; force; ori; agency; agency id"),
        _w("source.system", "line", "record system; source system; system"),
        _w(
            "times.reported",
            "moment",
            "reported date time; reported at; reported on; date reported; reported; report date time; reported date",
        ),
        _w(
            "times.occurred_from",
            "moment-from",
            "occurred from; incident start date time; incident start date time date from; start date time; date from; "
            "from date; begin date time; occurred date time; activity date; incident date",
        ),
        _w(
            "times.occurred_to",
            "moment-to",
            "occurred to; incident end date time; incident start date time date to; end date time; date to; to date",
        ),
        _w("times.attended", "moment", "attended date time; attended at; attended on; attended; arrived at"),
        _w("times.recorded", "moment", "recorded date time; recorded at; recorded on; recorded; created at"),
        _w(
            "marking.classification",
            "mapped",
            "protective marking; security classification; classification; gsc; marking",
            "classification",
            _WHEN,
        ),
        _w("marking.source_grade", "mapped", "source evaluation; source grade", "intelligence-source", _WHEN),
        _w(
            "marking.information_grade",
            "mapped",
            "information assessment; information evaluation; information grade",
            "intelligence-information",
            _WHEN,
        ),
        _w("marking.handling", "mapped", "handling code; handling", "intelligence-handling", _WHEN),
        _w("marking.conditions", "text", "handling conditions"),
        _w("category", "slug", "nsir category; nsir; closing code; incident category; category"),
        _w("offence", "slug", "ho offence code; offence code; ho offence class; hoc; offence"),
        _w("flags", "codes-kept", "ho flags; crime flags; offence flags; flags", "offence-flag"),
        _w("flags[physically-assaulted]", "boolean", "physically assaulted"),
        _w("flags[weapon]", "boolean", "had weapon; weapon used"),
        _w("outcome", "slug", "police outcome; ho outcome; outcome code; outcome; disposition"),
        _w(
            "safety_warnings",
            "codes-kept",
            "officer safety warnings; officer safety; safety warnings; warnings; cautions; hazards",
            "safety-warning",
        ),
        _w(
            "statements[summary].text",
            "text",
            "incident description; incident summary; circumstances; narrative; summary; modus operandi; description; "
            "activity description",
        ),
        _w("statements[intelligence].text", "text", "intelligence text; intelligence"),
        _w("statements[covert].text", "text", "operational plan; arrest plan"),
        _w("area", "mapped-first", "town; district; local authority; area", "area", gathers=True),
    ),
    "Person": (
        _w("names[usual].family", "line", "surname; family name; last name; sur name"),
        _w(
            "names[usual].given",
            "texts",
            "given name; first name; forename; forename 1; forename 2; forenames; middle name; middle names",
            gathers=True,
        ),
        _w("names[usual].prefix", "line", "title"),
        _w("names[former].family", "line", "former surname; maiden name; previous surname"),
        _w("birth.on", "birth-date", "date of birth; birth date; dob; born"),
        _w("birth.age", "integer", "age"),
        _w("birth.age_from", "integer", "approximate age from; age from"),
        _w("birth.age_to", "integer", "approximate age to; age to"),
        _w("birth.age_band", "mapped", "under 18", "age-band"),
        _w("sex", "mapped", "gender; sex; gender code", "gender"),
        _w("ethnicity", "mapped", "ethnicity self defined; self defined ethnicity; ethnicity; race", "ethnicity"),
        _w("ethnicity_observed", "code", "ethnicity officer defined; officer defined ethnicity; observed ethnicity"),
        _w("identifiers[pnc].value", "reference", "pnc id; pnc; pnc number"),
        _w("identifiers[cro].value", "reference", "cro number; cro"),
        _w("identifiers[nominal].value", "reference", "nominal id; nominal reference; nominal"),
        _w("nhs_number", "nhs-number", "nhs number; nhs no"),
        _w("general_practice", "line", "registered gp; general practice; gp"),
        _w("language", "slug", "language; preferred language; first language; language name; primary language"),
        _w("interpreter", "boolean", "interpreter required; interpreter needed; interpreter"),
        _w("needs", "texts", "communication needs; needs"),
        _w("needs[disability]", "boolean", "disability; disabled"),
        _w("description", "text", "person description; description"),
        _w("occupation", "line", "occupation; job"),
        _w("school", "line", "school; nursery; school name"),
        _w("present", "boolean", "present; was present"),
        _w("witnessed", "boolean", "witnessed"),
        _w("injured", "boolean", "injured"),
        _w("deceased", "boolean", "deceased"),
    ),
    "Address": (
        _w(
            "lines",
            "lines",
            "flat; building name; building number; house number; street; address; address line 1; address line 2; "
            "address line 3; address 1; address 2; line 1; line 2; line 3; locality",
            gathers=True,
        ),
        _w("town", "line", "town; city; post town; city name"),
        _w("district", "line", "district; county; local authority"),
        _w("postcode", "postcode", "postcode; post code; postal code; zip; zip code; zip postal; postal code id"),
        _w("uprn", "line", "uprn"),
    ),
    "Phone": (
        _w(
            "value",
            "phone",
            "telephone number; phone number; mobile number; number; telephone; phone; mobile; value; "
            "telephone number full id",
        ),
    ),
    "Email": (_w("value", "email", "email address; e mail; email; value; address"),),
    "Contact": (
        _w("safe", "boolean", "safe to contact; safe to call; safe; is safe; phone safe; email safe; safe number"),
        _w("voicemail", "boolean", "voicemail allowed; voicemail ok; leave message; voicemail; message ok"),
        _w("text", "boolean", "text allowed; text ok; sms allowed"),
        _w("times", "line", "safe times; times; best time; phone times"),
        _w("code_word", "line", "code word; password"),
        _w("shared_with_suspect", "boolean", "shared with suspect; shared"),
        _w("verified_by", "slug", "verified by"),
        _w("verified_at", "moment", "verified date time; verified at; verified on; verified"),
    ),
    "Relationship": (
        _w("type", "mapped-or-kept", "relationship type; relationship; type", "relationship"),
        _w("personally_connected", "boolean", "personally connected"),
    ),
    "Assessment": (
        _w("instrument", "mapped", "instrument; tool; form; assessment type; risk tool", "instrument"),
        _w("instrument_version", "slug", "instrument version; version"),
        _w("assessor_role", "slug", "assessor role; assessed by; assessor"),
        _w("at", "moment", _ASSESSED),
        _w("at", "moment-from", _ASSESSED),  # a day alone, as many forces keep it
        _w("grade", "mapped", "risk grade; risk level; grade; risk; level", "grade"),
        _w("basis", "slug", "grade basis; basis"),
        _w("yes", "integer", "yes count; number of yes; yes; ticks; dash score"),
        _w("unknown", "integer", "unknown count; not known count; unknown"),
        _w("items", "integer", "item count; number of items; items; questions"),
    ),
    "Answer": (
        _w("code", "mapped", "code; question; item; question code; question number", "risk-item"),
        _w("reply", "mapped", "answer; reply; response; value", "reply"),
        _w("source", "slug", "source"),
        _w("text", "text", "text; comment; notes; detail"),
    ),
    "Consent": (
        _w("state", "mapped", "consent state; consent; consent given; state; consent to share; indicator", "consent"),
        _w("scope", "codes-kept", "scope; shared with", "consent-scope"),
        _w("asked_by", "slug", "asked by; obtained by"),
        _w("at", "moment", _ASKED),
        _w("at", "moment-from", _ASKED),
        _w("suspect_present", "boolean", "suspect present"),
        _w("suspect_channel", "boolean", "suspect channel"),
        _w("reason", "text", "reason"),
    ),
    "Order": (
        _w("type", "mapped-or-kept", "order type; type; order", "order"),
        _w("conditions", "text", "conditions; terms"),
        _w("expires", "date-or-moment", "expires; expiry; expiry date; expiry date time; until; expires on; end date"),
    ),
    "Officer": (
        _w("collar", "code", "collar number; collar; shoulder number; badge number"),
        _w("team", "line", "unit; team; department; unit name"),
    ),
    "Attachment": (
        _w("kind", "mapped-or-kept", "kind; type; attachment type; document type; att type", "attachment"),
        _w("media_type", "code", "media type; mime type; content type"),
    ),
    "Custody": (
        _w("event", "mapped-or-kept", "event; custody event; custody status; release type; type", "custody"),
        _w("at", "moment", "at; date time; event date time; released at; arrested at; release date time"),
    ),
    "Scene": (
        _w(
            "location",
            "joined",
            "flat; building name; building number; house number; street; address; address line 1; address line 2; "
            "line 1; line 2; locality; street full text; town; city; city name; postcode; postal code; zip; "
            "zip postal; postal code id",
            gathers=True,
        ),
        _w("area", "mapped-first", "town; city; city name; district; local authority; area", "area", gathers=True),
    ),
}
"""The leaves of each part by what they are called. `Phone` and `Email` go before what every `Contact` has."""

ROLES: Mapping[str, str] = {
    name: role
    for role, names in {
        "victim": "victim; victims; aggrieved; injured party; complainant; vic; agg",
        "suspect": "suspect; suspects; offender; offenders; perpetrator; accused; defendant; sus; off; "
        "alleged perpetrator; incident subject; arrest subject",
        "child": "child; children; dependant; chi",
        "witness": "witness; witnesses; bystander; wit",
        "reporter": "person reporting; reporting person; reporter; caller; informant; rep; inf",
    }.items()
    for name in names.split("; ")
}
"""What a person's role is called."""

USES: Mapping[str, str] = {
    name: use
    for use, names in {
        "home": "home; home address; current; current address; residence",
        "safe": "safe; safe address; refuge",
        "work": "work; work address; workplace; place of work",
        "other": "other; other address",
    }.items()
    for name in names.split("; ")
}
"""What the use of an address is called."""

PARTS: Mapping[str, str] = {
    name: part
    for part, names in {
        "people": "people; persons; person; involvements; involvement; nominals; parties; subjects; subject",
        "address": "address; addresses",
        "phone": "telephone; telephones; phone; phones; personal telephone; mobile telephone; mobile; phone numbers; "
        "primary contact information; contact telephone number",
        "email": "email; emails; personal email; email addresses; e mail",
        "scene": "incident location; location; scene; incident address; locus; scene address; location address",
        "relationship": "person relationship; person relationships; relationship; relationships; "
        "victim offender relationship",
        "assessment": "risk assessment; risk assessments; assessment; assessments; risk; dash; dara",
        "answer": "answers; questions; responses; answer; question",
        "consent": "consent; consents; victim consent",
        "order": "order; orders; bail conditions; protective orders; protection orders; court orders",
        "attachment": "attachment; attachments; documents; media; exhibits",
        "custody": "custody; custody events; custody event; releases; release; arrests; arrest",
        "officer": "officer in case; officer in the case; officer; oic; assigned officer",
    }.items()
    for name in names.split("; ")
}
"""What a part of the event is called."""
