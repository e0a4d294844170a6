"""The operator's pages, without scripts: what they show, what they do, and that nobody's record is ever on them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from lxml import html
from sqlalchemy import update

from gateway.channels import finder
from gateway.delivery.endpoints import AddEndpoint
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.retention.holds import Ground, PlaceHold
from gateway.store import tables
from gateway.tokens.certificates import AddCertificate, Certificate
from gateway.tokens.clients import AddClient
from gateway.tokens.scopes import Scope
from gateway.webhook.endpoints import AddEndpoint as AddWebhook
from gateway.webhook.endpoints import Pushed
from tests.journeys.support import entry_at, header_index, pushed, sealed, serial, size
from tests.support.console import ADVISER, OPERATOR, PASSWORD, ConsoleClient, add_account, signed_in
from tests.support.world import JSON_API, World

AT = "/console/operator"
OF_NO_AGREEMENT = ("", "/clients", "/mappings", "/people")
OF_AN_AGREEMENT = {
    "/deliveries": "deliveries-read",
    "/quarantine": "hold-read",
    "/clocks": "operation-read",
    "/retention": "operation-read",
}
PAGES = (*OF_NO_AGREEMENT, *OF_AN_AGREEMENT)
BROKEN = b'{"data": {"type": "incident", "attributes": {"surname": "Ashdown"}}}'


@pytest.fixture(scope="module")
def operator(world: World) -> ConsoleClient:
    return signed_in(world, OPERATOR)


def read(page: httpx.Response) -> str:
    """The words of a page, as they are read."""
    assert page.status_code == 200, page.text
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    return " ".join(tree.xpath("//main")[0].text_content().split())


def row(page: httpx.Response, words: str) -> str:
    """The row of a table that has these words; "" where none has."""
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    rows = [" ".join(" ".join(one.itertext()).split()) for one in tree.xpath("//tbody/tr")]
    return next((one for one in rows if words in one), "")


def broken(world: World) -> str:
    """Send bytes that no profile reads; the reference of what is kept of them."""
    answer = world.police.post("/police/v1/incidents", content=BROKEN, headers=JSON_API)
    assert answer.status_code == 422, answer.text
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", answer.text)
    assert found
    return found[0]


@pytest.mark.parametrize("path", OF_NO_AGREEMENT)
def test_a_look_at_what_is_of_no_agreement_is_sealed_in_the_operator_s_log(
    world: World, operator: ConsoleClient, path: str
) -> None:
    before, other = size(world, OPERATOR_LOG), size(world, LOG)
    answer = operator.get(AT + path)
    assert answer.status_code == 200
    (entry,) = sealed(world, OPERATOR_LOG, before)
    assert (entry.event, entry.operation, entry.actor.user) == ("operation-read", "consultation", OPERATOR.id)
    assert size(world, LOG) == other


@pytest.mark.parametrize(("path", "event"), OF_AN_AGREEMENT.items())
def test_a_look_at_what_lies_under_an_agreement_is_sealed_in_its_log(
    world: World, operator: ConsoleClient, path: str, event: str
) -> None:
    before, other = size(world, LOG), size(world, OPERATOR_LOG)
    answer = operator.get(AT + path)
    (entry,) = sealed(world, LOG, before)
    assert (entry.event, entry.actor.user, entry.actor.organisation) == (event, OPERATOR.id, "operator")
    assert entry_at(world, header_index(answer)) == entry
    assert size(world, OPERATOR_LOG) == other


def test_nobody_s_name_and_nothing_anybody_wrote_is_on_a_page(world: World, operator: ConsoleClient) -> None:
    """With a case, one that waits for a human, and bytes nobody could read, all of which name her."""
    pushed(world)
    held = world.push(incident(serial(), consent="REFUSED")).json()["held"]["reference"]
    inputs = [held, broken(world)]
    pages = [operator.get(AT + path) for path in PAGES]
    pages += [operator.get(f"{AT}/quarantine/input", params={"log": LOG, "input": one}) for one in inputs]
    for page in pages:
        assert page.status_code == 200
        for word in ("Ashdown", "Brackwater", "Marianne", "pushed against a wall", "07700", "01632", "ZZ99"):
            assert word not in page.text, page.url


# Clients and certificates


def test_a_client_is_revoked_after_one_more_question(world: World, operator: ConsoleClient) -> None:
    name = f"old-{serial()}"
    keys = {"keys": [next(iter(world.services.clients.current().clients["demo-rms"].keys.keys)).as_dict(private=False)]}
    unit = AddClient(name, "An old system", "04", scopes=[Scope.INCIDENT_WRITE.value], agreements=[LOG], jwks=keys)
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(unit)
    assert "In use" in row(operator.get(f"{AT}/clients"), name)
    asked = operator.get(f"{AT}/clients/revoke", params={"client": name})
    assert f"Revoke {name}?" in read(asked)
    before = size(world, OPERATOR_LOG)
    answer = operator.form(asked, at="revoke").submit()
    assert answer.headers["location"] == f"{AT}/clients?done=revoked"
    (entry,) = sealed(world, OPERATOR_LOG, before)
    assert (entry.event, entry.actor.user, entry.detail) == (
        "client-revoked",
        OPERATOR.id,
        {"client": name},
    )
    page = operator.follow(answer)
    assert "The client is revoked" in read(page)
    assert "Revoked" in row(page, name)
    assert operator.form(asked, at="revoke").submit().headers["location"] == f"{AT}/clients"
    for gone in (name, "nobody", ""):
        assert operator.get(f"{AT}/clients/revoke", params={"client": gone}).headers["location"] == f"{AT}/clients"


def test_a_certificate_that_runs_out_is_seen(world: World, operator: ConsoleClient) -> None:
    until = datetime.now(UTC) - timedelta(days=3)
    hook = AddWebhook(
        "demo-rms", LOG, "https://force.example/f", Pushed.REFERENCE, "dc-4411", "officer-in-case", authority(until)
    )
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(hook)
    assert "Has run out 3 days ago" in row(operator.get(f"{AT}/clients"), "Webhook of demo-rms")
    assert "Client demo-rms" in row(operator.get(f"{AT}/deliveries"), "https://force.example/f")


def test_the_end_of_a_systems_own_certificate_is_seen(world: World, operator: ConsoleClient) -> None:
    """Near ones are marked; of one that was registered before its end was kept it is not known."""
    name = f"engine-{serial()}"
    journal = world.services.journals.of(OPERATOR_LOG)
    scopes = [Scope.REFERRAL_WRITE.value]
    journal.submit_and_wait(AddClient(name, "An engine", "RXL", scopes=scopes, agreements=[LOG], jwks=None))
    for print_, days in (("a", 90), ("b", 20.5), ("c", 5)):
        shown = Certificate(print_ * 8 + name.encode().hex().ljust(56, "0"), datetime.now(UTC) + timedelta(days=days))
        journal.submit_and_wait(AddCertificate(name, shown))
    with world.services.database.writing() as connection:
        of = tables.client_certificate.c.fingerprint.startswith("cccccccc")
        connection.execute(update(tables.client_certificate).where(of).values(not_after=None))
    first, second, third = row(operator.get(f"{AT}/clients"), name).split("Certificate ")[1:]
    assert "aaaaaaaa" in first
    assert "Runs out soon" not in first
    assert "bbbbbbbb" in second
    assert "Runs out soon" in second
    assert "Not known" in third


def authority(until: datetime) -> str:
    """A certificate that ends then."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(until - timedelta(days=30)).not_valid_after(until)
    return made.sign(key, None).public_bytes(serialization.Encoding.PEM).decode()


# Deliveries


@pytest.fixture(scope="module")
def given_up(world: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A delivery that lies with a human."""
    folder = tmp_path_factory.mktemp("drop")
    unit = AddEndpoint(
        client="demo-hospital",
        channel="file",
        address=str(folder),
        options={"as": "mllp", "application": "ENGINE"},
        user="idva-0042",
        role="idva",
        hides_from_online_access=True,
        standing=world.services.standing(LOG),
        find=finder(world.services),
        production=False,
    )
    world.services.journals.of(LOG).submit_and_wait(unit)
    _, referral = pushed(world)
    with world.services.database.writing() as connection:
        of = tables.delivery.c.referral_id == referral
        at = "2026-11-23T10:00:00.000Z"
        connection.execute(update(tables.delivery).where(of).values(given_up_at=at, failure="refused", attempts=6))
    return referral


def test_a_delivery_that_lies_with_a_human_is_sent_again(world: World, operator: ConsoleClient, given_up: str) -> None:
    page = operator.get(f"{AT}/deliveries")
    assert "Tries 6 Failure refused" in row(page, given_up[:8])
    assert "Closed" in row(page, "idva-team")
    before = size(world, LOG)
    answer = operator.form(page, at="Send again").submit()
    (entry,) = sealed(world, LOG, before)
    assert (entry.event, entry.case, entry.actor.user) == ("delivery-renewed", given_up, OPERATOR.id)
    assert "It is sent again" in read(operator.follow(answer))
    assert row(operator.get(f"{AT}/deliveries"), given_up[:8]) == ""
    assert row(operator.get(f"{AT}/deliveries?state=waiting"), given_up[:8])
    assert operator.form(page, at="Send again").submit().status_code == 404
    assert sealed(world, LOG)[-1].event == "nothing-found"


# Quarantine


def test_what_cannot_be_read_is_shown_by_paths_and_codes(world: World, operator: ConsoleClient) -> None:
    reference = broken(world)
    assert reference[:8] in row(operator.get(f"{AT}/quarantine"), reference[:8])
    before = size(world, LOG)
    page = read(operator.get(f"{AT}/quarantine/input", params={"log": LOG, "input": reference}))
    (entry,) = sealed(world, LOG, before)
    assert (entry.event, entry.actor.user) == ("hold-read", OPERATOR.id)
    assert "Path" in page
    assert "Its content is shown to nobody here" in page
    missing = operator.get(f"{AT}/quarantine/input", params={"log": LOG, "input": "nothing"})
    assert missing.status_code == 404
    assert operator.get(f"{AT}/quarantine/input").headers["location"] == f"{AT}/quarantine"


def test_a_replay_is_tried_first_and_then_done_in_earnest(world: World, operator: ConsoleClient) -> None:
    broken(world)
    assert world.push(incident(serial(), consent="REFUSED")).json()["held"]
    waiting = _waiting(world)
    trial = operator.form(f"{AT}/quarantine", {"why": ""}, at="replay").submit()
    assert "Trial: nothing has changed" in read(trial)
    assert "can be read now" in read(trial)
    assert _waiting(world) == waiting
    before = size(world, LOG)
    done = operator.form(trial, at="in earnest").submit()
    assert "cannot be read" in read(done)
    assert "left to a human by a rule or the agreement" in read(done)
    assert "can be read now" not in read(done)
    entries = sealed(world, LOG, before)
    assert {one.event for one in (entries[0], entries[-1])} == {"quarantine-replayed"}
    assert {one.actor.user for one in (entries[0], entries[-1])} == {OPERATOR.id}
    assert entry_at(world, header_index(done)) == entries[-1]


def _waiting(world: World) -> int:
    with world.services.database.reading() as connection:
        table = tables.quarantine
        return len(connection.execute(table.select().where(table.c.closed_at.is_(None))).all())


def test_a_replay_that_is_asked_wrongly_is_asked_again(operator: ConsoleClient) -> None:
    form = operator.form(f"{AT}/quarantine", {"since-day": "31", "since-month": "2", "since-year": "2026"}, at="replay")
    answer = form.submit()
    assert answer.status_code == 422
    assert "The day it came in must be a real date" in answer.text
    token = dict(form.fields)["csrf"]
    for fields in ({"log": "no-such-log"}, {"log": LOG, "profile": "nobody"}):
        assert operator.post(f"{AT}/quarantine/replay", {"csrf": token, **fields}).status_code in {400, 404}


# Clocks, retention, people, logs


def test_a_clock_that_ran_out_is_overdue(world: World, operator: ConsoleClient) -> None:
    _, referral = pushed(world)
    assert row(operator.get(f"{AT}/clocks"), referral[:8]) == ""
    late = (datetime.now(UTC) - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with world.services.database.writing() as connection:
        of = tables.case_timer.c.referral_id == referral
        connection.execute(update(tables.case_timer).where(of).values(due_at=late))
    found = row(operator.get(f"{AT}/clocks"), referral[:8])
    assert "Clock of a case" in found
    assert "Overdue by 3 hours" in found


def test_a_legal_hold_is_shown_with_its_ground(world: World, operator: ConsoleClient) -> None:
    reference, _ = pushed(world)
    hold = PlaceHold(reference, Ground.INQUEST, "CORONER-17")
    placed = world.services.journals.of(LOG).submit_and_wait(hold).value
    found = row(operator.get(f"{AT}/retention"), placed[:8])
    assert "Ground Inquest Authority CORONER-17" in found
    assert "Records" in read(operator.get(f"{AT}/retention"))


def test_somebody_is_signed_out_everywhere_after_one_more_question(world: World, operator: ConsoleClient) -> None:
    lost = signed_in(world, ADVISER, id="idva-lost-phone")
    assert lost.get("/console/worklist").status_code == 200
    add_account(world, ADVISER, second_factor=True)
    page = operator.get(f"{AT}/people")
    assert "idva-lost-phone" in row(page, "idva-lost-phone")
    assert "Set up" in row(page, "Adviser")
    for word in (ADVISER.name, PASSWORD):
        assert word not in page.text
    asked = operator.get(f"{AT}/people/sign-out", params={"organisation": "RXL", "person": "idva-lost-phone"})
    before = size(world, OPERATOR_LOG)
    answer = operator.form(asked, at="Sign them out").submit()
    (entry,) = sealed(world, OPERATOR_LOG, before)
    assert (entry.event, entry.reason, entry.actor.user) == ("person-signed-out", "by-operator", OPERATOR.id)
    assert "has ended" in read(operator.follow(answer))
    assert lost.get("/console/worklist").is_redirect
    nobody = operator.get(f"{AT}/people/sign-out", params={"organisation": "RXL", "person": "idva-lost-phone"})
    assert nobody.headers["location"] == f"{AT}/people"


def test_the_overview_says_how_every_log_and_agreement_stands(world: World, operator: ConsoleClient) -> None:
    page = operator.get(AT)
    for log_id in (LOG, OPERATOR_LOG):
        found = row(page, f"Log {log_id}")
        assert f"Entries {size(world, log_id):,} " in found
        assert "Last cosigned Never" in found
    assert "In force version 1" in row(page, f"Agreement {LOG}")
    assert "days left" in row(page, f"Agreement {LOG}")
