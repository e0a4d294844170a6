"""How the files of an export belong together: found by values, written into the draft, and read as it says."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pytest

from gateway.workbench.check import check
from gateway.workbench.draft import draft
from gateway.workbench.drafted import text_of
from gateway.workbench.reading import NotDrafted, drawn
from gateway.workbench.related import related
from gateway.workbench.samples import sampled
from mappings.profile import load

FILES = {
    "incidents_20261102.csv": "INCIDENT_ID,VERSION,REPORTED_ON,NARRATIVE,GSC\n"
    '41-Z-1,1,02/11/2026 08:00,"Row one\nline two",OFFICIAL-SENSITIVE\n41-Z-2,1,02/11/2026 09:00,Row two,OFFICIAL\n',
    "persons_20261102.csv": "INCIDENT_ID,PERSON_ID,ROLE,SURNAME,FORENAME,DOB,SEX\n"
    "41-Z-1,P1,Aggrieved,Rook,Nell,03/03/1993,Female\n41-Z-1,P2,Offender,Rook,Otto,04/04/1984,Male\n"
    "41-Z-2,P3,Aggrieved,Sand,Pia,05/05/1995,Female\n41-Z-2,P4,Offender,Sand,Quin,06/06/1986,Male\n",
    "telephones_20261102.csv": "PERSON_ID,PHONE_NUMBER,SAFE_TO_CALL\nP1,07700 900555,Y\nP3,07700 900556,N\n",
    "relationships_20261102.csv": "INCIDENT_ID,VICTIM_ID,SUSPECT_ID,RELATIONSHIP\n"
    "41-Z-1,P1,P2,Husband\n41-Z-2,P3,P4,Ex-Partner\n",
    "risk_20261102.csv": "INCIDENT_ID,ASSESS_ID,PERSON_ID,TOOL,RISK_GRADE,ASSESSED_ON,YES_COUNT\n"
    "41-Z-1,A1,P1,DASH 2009,High,02/11/2026 08:30,2\n41-Z-2,A2,P3,DASH 2009,Standard,02/11/2026,1\n",
    "answers_20261102.csv": "ASSESS_ID,QUESTION,ANSWER\nA1,INJ,Y\nA1,STRG,Y\nA2,INJ,Y\n",
    "readme_20261102.csv": "A,B\n1,2\n",
}


def packed(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.mark.parametrize("order", [list(FILES), sorted(FILES), sorted(FILES, reverse=True)])
def test_files_are_joined_by_the_ids_they_share_in_whatever_order(tmp_path: Path, order: list[str]) -> None:
    found = related(packed(tmp_path, {name: FILES[name] for name in order}).read_bytes())
    assert found is not None
    said = {one.name: (one.id, one.of, one.key, dict(one.links)) for one in found.files.values()}
    assert said == {
        "incidents": ("INCIDENT_ID", "", "", {}),
        "persons": ("PERSON_ID", "incidents", "INCIDENT_ID", {}),
        "telephones": ("", "persons", "PERSON_ID", {}),
        "relationships": ("", "incidents", "INCIDENT_ID", {"VICTIM_ID": "persons", "SUSPECT_ID": "persons"}),
        "risk": ("ASSESS_ID", "incidents", "INCIDENT_ID", {"PERSON_ID": "persons"}),
        "answers": ("", "risk", "ASSESS_ID", {}),
    }
    assert next(iter(said)) == "incidents"


def test_a_draft_of_related_files_loads_and_reads_every_incident(tmp_path: Path) -> None:
    sample, path = packed(tmp_path, FILES), tmp_path / "mine.toml"
    text = text_of(draft(drawn(sample)), "mine", date(2026, 11, 23))
    assert '# not mapped: the file "readme_20261102.csv"' in text
    path.write_text(text)
    assert check(path).loads, check(path).remarks
    known = {name: text for name, text in FILES.items() if not name.startswith("readme")}
    records = [one.reading.record for one in sampled(packed(tmp_path, known), load(path)) if one.reading]
    assert [one.people[0].names[0].family for one in records] == ["Rook", "Sand"]
    assert [one.people[0].contacts[0].safe for one in records] == [True, False]
    assert [(one.relationships[0].a, one.relationships[0].b) for one in records] == [("victim-1", "suspect-1")] * 2
    assert [[answer.code for answer in one.assessments[0].answers] for one in records] == [["INJ", "STRG"], ["INJ"]]


def test_files_that_share_no_id_are_drafted_by_hand(tmp_path: Path) -> None:
    apart = {"incidents.csv": "NO\n1\n2\n", "persons.csv": "SURNAME\nRook\n"}
    with pytest.raises(NotDrafted, match="name their incident by"):
        drawn(packed(tmp_path, apart))
