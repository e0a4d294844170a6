"""Synthetic exports in the shapes of `mappings/police/connect.toml` and `flat.toml`. Nobody in them exists."""

from __future__ import annotations

import csv
import io
import stat
import zipfile
from collections.abc import Mapping, Sequence

Rows = list[dict[str, str]]
Export = dict[str, Rows]

_FLAT = {
    "RecordType": "incident",
    "OccurrenceRef": "04/2026/000345",
    "LogRef": "LC-20260412-0345",
    "ForceCode": "04",
    "System": "Spreadsheet",
    "OccurredFrom": "12/04/2026 21:40",
    "Reported": "12/04/2026 21:52:10",
    "Marking": "OFFICIAL-SENSITIVE",
    "Handling": "P",
    "Category": "domestic-incident",
    "Offence": "8N",
    "DomesticAbuse": "Y",
    "SceneAddress": "14 Sample Row",
    "SceneTown": "Blackpool",
    "ScenePostcode": "ZZ99 9ZZ",
    "Summary": "Argument over money. He held her by the neck. Reported by a neighbour who heard shouting.",
    "OfficerCollar": "4417",
    "OfficerTeam": "Public Protection West",
    "VictimSurname": "Ashdown",
    "VictimForename": "Marianne",
    "VictimDateOfBirth": "17/03/1991",
    "VictimSex": "F",
    "VictimAddress1": "14 Sample Row",
    "VictimPostcode": "ZZ99 9ZZ",
    "VictimPhone": "07700 900123",
    "VictimPhoneSafe": "Y",
    "VictimPhoneTimes": "weekdays 10-12",
    "SuspectSurname": "Quill",
    "SuspectForename": "Rufus",
    "SuspectDateOfBirth": "02/11/1988",
    "SuspectSex": "M",
    "RiskInstrument": "DASH 2009",
    "RiskGrade": "High",
    "RiskYes": "16",
    "RiskItems": "27",
    "RiskDate": "12/04/2026 22:30",
    "RiskAssessor": "response-officer",
    "ConsentState": "Y",
    "ConsentDate": "12/04/2026 22:35",
    "RelationshipType": "ex-partner",
    "RelationshipConnected": "Y",
    "Child1Surname": "",
    "Child1Forename": "",
}


_PERSON_COLUMNS = (
    *("SURNAME", "FORENAME_1", "FORENAME_2", "DOB", "SEX", "ETHNICITY_SELF", "PNC_ID", "SCHOOL", "PRESENT_YN"),
    *("WITNESSED_YN", "INJURED_YN", "WARNING_1", "ENCOMPASS_YN", "ENCOMPASS_DT"),
)


def flat_row(**cells: str) -> dict[str, str]:
    """A row of an export with one row for each incident."""
    return _FLAT | cells


def flat(*rows: Mapping[str, str], delimiter: str = ",", end: str = "\r\n") -> str:
    """Rows under a header, as text."""
    return text(rows or [flat_row()], delimiter=delimiter, end=end)


def text(rows: Sequence[Mapping[str, str]], *, delimiter: str = "|", end: str = "\r\n") -> str:
    """Rows under the header of the first."""
    made = io.StringIO()
    writer = csv.DictWriter(made, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue()


def export(ref: str = "04/2026/000345") -> Export:
    """One incident with a victim, a suspect, a child and a caller, in every file of the CONNECT-like shape."""
    victim, suspect, child, caller, risk = (f"{letter}-{ref}" for letter in "VSCRA")
    own = {"OCC_REF": ref}
    return {
        "incidents": [
            own
            | {
                "RECORD_TYPE": "incident",
                "INCIDENT_REF": "PPN-77",
                "LOG_REF": "LC-20260412-0345",
                "CRIME_REF": "04/12345/26",
                "CJS_URN": "04BB1234526",
                "VERSION_NO": "1",
                "SECTION": "adult",
                "FORCE_CD": "04",
                "SYSTEM": "CONNECT",
                "OCC_FROM_DT": "12/04/2026 21:40",
                "OCC_TO_DT": "12/04/2026 21:55",
                "REPORTED_DT": "12/04/2026 21:52:10",
                "ATTENDED_DT": "12/04/2026 22:05",
                "RECORDED_DT": "13/04/2026 01:15",
                "GSC": "OFFICIAL-SENSITIVE",
                "SOURCE_EVAL": "1",
                "INFO_EVAL": "A",
                "HANDLING_CD": "P",
                "HANDLING_COND": "",
                "NSIR_CAT": "domestic-incident",
                "HO_OFFENCE_CD": "8N",
                "HO_FLAG_1": "DA",
                "HO_FLAG_2": "alcohol",
                "OUTCOME_CD": "18",
                "WARNING_1": "weapons",
                "SCENE_FLAT": "",
                "SCENE_BUILDING": "14",
                "SCENE_STREET": "Sample Row",
                "SCENE_TOWN": "Blackpool",
                "SCENE_POSTCODE": "ZZ99 9ZZ",
                "SUMMARY": 'Argument in the café.\r\nHe said "never again" | and left. A neighbour heard shouting.',
                "INTEL_TEXT": "",
                "OIC_COLLAR": "4417",
                "OIC_TEAM": "Public Protection West",
                "OIC_MOBILE": "07700 900999",
                "EXTRACT_DT": "13/04/2026 02:00",
            }
        ],
        "persons": [
            _person(
                own,
                victim,
                "AGGRIEVED",
                SURNAME="Ashdown",
                FORENAME_1="Marianne",
                FORENAME_2="Élise",
                DOB="17/03/1991",
                SEX="F",
                ETHNICITY_SELF="W1",
                INJURED_YN="Y",
            ),
            _person(
                own,
                suspect,
                "SUSPECT",
                SURNAME="Quill",
                FORENAME_1="Rufus",
                DOB="02/11/1988",
                SEX="M",
                PNC_ID="09/0000123X",
                WARNING_1="violent",
            ),
            _person(
                own,
                child,
                "CHILD",
                SURNAME="Ashdown",
                FORENAME_1="Wren",
                DOB="05/09/2017",
                SCHOOL="Example Primary School",
                PRESENT_YN="Y",
                WITNESSED_YN="Y",
                ENCOMPASS_YN="Y",
                ENCOMPASS_DT="13/04/2026 08:10",
            ),
            _person(own, caller, "INFORMANT", SURNAME="Peverell", FORENAME_1="Sid"),
        ],
        "addresses": [
            _address(victim, "HOME", "14", "Sample Row", "Blackpool", "ZZ99 9ZZ"),
            _address(victim, "REFUGE", "", "Elsewhere House", "Lancaster", "ZZ98 8ZZ"),
            _address(suspect, "HOME", "2", "Other Street", "Fleetwood", "ZZ97 7ZZ"),
        ],
        "contacts": [
            {
                "PERSON_ID": victim,
                "CONTACT_TYPE": "MOBILE",
                "CONTACT_VALUE": "07700 900123",
                "SAFE_YN": "Y",
                "VOICEMAIL_YN": "N",
                "TEXT_YN": "",
                "SAFE_TIMES": "weekdays 10-12",
                "CODE_WORD": "blue door",
                "SHARED_YN": "N",
                "VERIFIED_BY": "response-officer",
                "VERIFIED_DT": "12/04/2026 22:20",
            },
            {"PERSON_ID": suspect, "CONTACT_TYPE": "MOBILE", "CONTACT_VALUE": "07700 900456"},
        ],
        "relationships": [
            own | {"VICTIM_ID": victim, "SUSPECT_ID": suspect, "REL_TYPE": "ex-partner", "CONNECTED_YN": "Y"}
        ],
        "risk": [
            own
            | {
                "ASSESS_ID": risk,
                "PERSON_ID": victim,
                "TOOL": "DASH 2009",
                "TOOL_VERSION": "2009",
                "ASSESSED_BY": "response-officer",
                "ASSESSED_DT": "12/04/2026 22:30",
                "GRADE": "High",
                "GRADE_BASIS": "professional-judgement",
                "YES_COUNT": "2",
                "DK_COUNT": "1",
                "ITEM_COUNT": "27",
            }
        ],
        "risk_answers": [
            {"ASSESS_ID": risk, "ITEM_CD": "STRG", "ANSWER": "Y", "REMARKS": "Twice this year."},
            {"ASSESS_ID": risk, "ITEM_CD": "DEP", "ANSWER": "Y", "REMARKS": ""},
            {"ASSESS_ID": risk, "ITEM_CD": "PREG", "ANSWER": "Not asked", "REMARKS": ""},
        ],
        "risk_grades": [
            {"ASSESS_ID": risk, "GRADE": "Medium", "GRADED_BY": "response-officer", "GRADED_DT": "12/04/2026 22:10"}
        ],
        "marac": [
            own | {"PERSON_ID": victim, "CRITERION": "PJ", "MET_YN": "Y", "STATED_BY": "ppu", "REASON": "Escalating."}
        ],
        "consents": [
            own
            | {
                "PERSON_ID": victim,
                "CONSENT": "Y",
                "SCOPE_1": "IDVA",
                "SCOPE_2": "NHS",
                "ASKED_BY": "response-officer",
                "ASKED_DT": "12/04/2026 22:35",
                "EXPLAINED_YN": "Y",
                "SUSPECT_PRESENT_YN": "N",
            }
        ],
        "orders": [
            own
            | {
                "PERSON_ID": suspect,
                "PROTECTS_ID": victim,
                "ORDER_TYPE": "DVPN",
                "CONDITIONS": "Not to enter Sample Row.",
                "STARTS_DT": "12/04/2026 23:00",
                "EXPIRES_DT": "14/04/2026",
            }
        ],
        "custody": [own | {"PERSON_ID": suspect, "CUSTODY_EVENT": "RUI", "CUSTODY_DT": "13/04/2026 11:30"}],
        "attachments": [
            own | {"ATTACHMENT_KIND": "BWV", "MEDIA_TYPE": "video/mp4", "FILE_NAME": "scene.mp4", "FILE_PATH": "x/y"}
        ],
    }


def together(*exports: Export) -> Export:
    """One export of several incidents."""
    names = dict.fromkeys(name for one in exports for name in one)
    return {name: [row for one in exports for row in one.get(name, ())] for name in names}


def zipped(
    made: Export, *, charset: str = "cp1252", delimiter: str = "|", end: str = "\r\n", suffix: str = "_20260413.csv"
) -> bytes:
    """An export as its zip."""
    return packed(
        {name + suffix: text(rows, delimiter=delimiter, end=end).encode(charset) for name, rows in made.items() if rows}
    )


def packed(files: Mapping[str, bytes], *, link: str = "") -> bytes:
    """A zip of files; the one called `link` is a symbolic link."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2026, 4, 13, 2, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = ((stat.S_IFLNK if name == link else stat.S_IFREG) | 0o600) << 16
            archive.writestr(entry, content)
    return made.getvalue()


def _person(own: dict[str, str], person: str, role: str, **cells: str) -> dict[str, str]:
    blank = dict.fromkeys(_PERSON_COLUMNS, "")
    return own | {"PERSON_ID": person, "ROLE": role} | blank | cells


def _address(person: str, kind: str, number: str, street: str, town: str, postcode: str) -> dict[str, str]:
    where = {"BUILDING": number, "STREET": street, "TOWN": town, "POSTCODE": postcode}
    return {"PERSON_ID": person, "ADDR_TYPE": kind} | where
