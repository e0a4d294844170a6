"""The downtime list: what the agreement lets go, sealed case by case, in a file that only its passphrase opens."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import httpx
import orjson
import pypdf
import pytest

from gateway.console.downtime import SHORTEST
from gateway.decision import Effect
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.oversight.judge import Judge, asked
from gateway.store.journal import Journal
from tests.journeys.support import pushed, sealed, size
from tests.support.console import ADVISER, LEAD, NAVIGATING, signed_in
from tests.support.world import World

PATH = "/console/worklist/downtime"
PASSPHRASE = "kestrel umbrella twelve"


def made(world: World, **values: str) -> httpx.Response:
    said = {"passphrase": PASSPHRASE, "again": PASSPHRASE, **values}
    return signed_in(world, ADVISER).form(PATH, said, at="downtime").submit()


def text_of(answer: httpx.Response, passphrase: str = PASSPHRASE) -> str:
    reader = pypdf.PdfReader(io.BytesIO(answer.content))
    assert reader.decrypt(passphrase)
    return "\n".join(page.extract_text() for page in reader.pages)


def test_it_says_whom_how_safely_and_how_urgently_and_no_address_and_no_narrative(world: World) -> None:
    pushed(world)
    answer = made(world)
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="downtime-2')
    text = text_of(answer)
    for words in (
        "Marianne Ashdown",
        "Telephone 07700900123: safe, no voicemail, texts allowed",
        "weekdays 10:00-14:00",
    ):
        assert words in text
    for words in ("Code word: bluebell", "High, assessed 12 April 2026", "Piers Harbottle", "Given", "idva-0042"):
        assert words in text
    for words in ("Example Row", "ZZ99", "Sample Close", "pushed against", "Nextdoor", "Injury"):
        assert words not in text
    # What nobody stated safe is unsafe, and stands on no paper (P5).
    assert "01632" not in text
    assert "not stated safe" in text


def test_only_its_passphrase_opens_it_and_the_file_says_nothing_without(world: World) -> None:
    pushed(world)
    answer = made(world)
    reader = pypdf.PdfReader(io.BytesIO(answer.content))
    assert reader.is_encrypted
    assert not reader.decrypt("another passphrase")
    for words in (b"Ashdown", b"07700900123", b"bluebell", PASSPHRASE.encode(), b"idva-0042"):
        assert words not in answer.content


def test_each_case_in_it_is_sealed_as_disclosed_before_it_is_given(world: World) -> None:
    _, task = pushed(world)
    before = size(world)
    assert made(world).status_code == httpx.codes.OK
    new = [entry for entry in sealed(world, start=before) if entry.event == Event.REFERRAL_READ]
    (entry,) = [one for one in new if one.case == task]
    assert (entry.reason, entry.actor.user) == ("downtime", "idva-0042")
    assert "victim.name" in entry.items.released
    assert not {item for item in entry.items.released if item.endswith("_address") or item.startswith("statement")}
    said: dict[str, Any] = orjson.loads(entry.to_bytes())
    again = Judge().answer(asked(said), datetime.fromisoformat(entry.time), world.services.standing(LOG).terms)
    assert again.named(Effect.RELEASED) == list(entry.items.released)  # P4


def test_where_it_cannot_be_sealed_there_is_no_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """P1."""
    pushed(world)
    form = signed_in(world, ADVISER).form(PATH, {"passphrase": PASSPHRASE, "again": PASSPHRASE}, at="downtime")

    def fails(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(Journal, "_transact", fails)
    answer = form.submit()
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert "could not be sealed" in answer.text


def test_a_case_that_the_agreement_withholds_is_not_in_it(world: World) -> None:
    _, task = pushed(world, grade="STANDARD", child=False)
    assert task[:8] in text_of(made(world))
    assert world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"}).is_success
    assert task[:8] not in text_of(made(world))


def test_another_team_gets_its_own_cases(world: World) -> None:
    _, task = pushed(world)
    form = signed_in(world, LEAD).form(PATH, {"passphrase": PASSPHRASE, "again": PASSPHRASE}, at="downtime")
    assert task[:8] not in text_of(form.submit())


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"passphrase": "short", "again": "short"}, f"A passphrase must be {SHORTEST} characters or more"),
        ({"again": "something else altogether"}, "The two passphrases are not the same"),
        ({"passphrase": "", "again": ""}, "Enter a passphrase"),
    ],
)
def test_a_passphrase_that_will_not_do_is_refused_in_words_and_not_shown_again(
    world: World, said: dict[str, str], message: str
) -> None:
    before = size(world)
    answer = made(world, **said)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "There is a problem" in answer.text
    assert message in answer.text
    assert PASSPHRASE not in answer.text
    assert size(world) == before


def test_a_form_of_another_session_makes_none(world: World) -> None:
    client = signed_in(world, ADVISER)
    fields = {"whose": "all", "passphrase": PASSPHRASE, "again": PASSPHRASE, "csrf": "0" * 64}
    before = size(world)
    assert client.post(PATH, fields, headers=NAVIGATING).status_code == httpx.codes.FORBIDDEN
    assert size(world) == before
