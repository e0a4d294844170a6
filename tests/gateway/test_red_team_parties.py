"""Parties and witnesses who are not who they seem: another's key, one anybody can sign for, a pack with more in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.note import Cosigner
from gateway.agreement import Signature, State, Terms, shipped, sign
from gateway.errors import Unprocessable
from gateway.evidence import OPERATOR_LOG, Event
from gateway.oversight.entries import PackSource, SourceUnreadable
from gateway.services import Services
from gateway.terms import DraftAgreement, RegisterKey, SignAgreement, terms_of
from gateway.witnesses import AddWitness, RemoveWitness, WitnessRefused
from tests.gateway.oversight_support import Log
from tests.gateway.test_red_team_tokens import WEAK
from tests.support.agreements import key_of

AGREEMENT = shipped()
ONE, OTHER = (party.id for party in AGREEMENT.content.parties[:2])
ANYBODY = (1).to_bytes(32, "little")  # the neutral point: one signature under it fits every text
FITS_ALL = ANYBODY + bytes(32)


@pytest.fixture
def drafted(services: Services) -> Services:
    services.open_log(AGREEMENT.id)
    services.journals.of(AGREEMENT.id).submit_and_wait(DraftAgreement(AGREEMENT))
    return services


def test_a_signature_that_anybody_can_make_signs_nothing() -> None:
    party_keys = {ONE: ANYBODY}
    terms = Terms(AGREEMENT, (Signature(ONE, ANYBODY, FITS_ALL),), party_keys, State.DRAFT)
    assert ONE in terms.missing


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", WEAK[:3], ids=bytes.hex)
def test_a_party_cannot_register_a_key_that_anybody_can_sign_for(drafted: Services, point: bytes) -> None:
    with pytest.raises(Unprocessable):
        drafted.journals.of(AGREEMENT.id).submit_and_wait(RegisterKey(AGREEMENT, ONE, point))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_party_cannot_sign_by_another_party_s_key(drafted: Services) -> None:
    """The text that is signed does not name the party: the other's signature would stand for both."""
    journal = drafted.journals.of(AGREEMENT.id)
    signature = sign(AGREEMENT.hash, key_of(ONE), ONE)
    journal.submit_and_wait(RegisterKey(AGREEMENT, ONE, signature.public_key))
    journal.submit_and_wait(SignAgreement(AGREEMENT, signature))
    with pytest.raises(Unprocessable, match="key of its own"):
        journal.submit_and_wait(RegisterKey(AGREEMENT, OTHER, signature.public_key))
    journal.submit_and_wait(RegisterKey(AGREEMENT, ONE, signature.public_key))  # its own again is no fault
    with drafted.database.reading() as connection:
        terms = terms_of(connection, AGREEMENT.id, None)
    assert terms is not None
    assert ONE not in terms.missing
    assert OTHER in terms.missing


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_one_key_under_two_names_is_not_two_witnesses(services: Services) -> None:
    """Not even one after the other: what the two have cosigned would stand in one pack."""
    journal = services.journals.of(OPERATOR_LOG)
    one, same = (Cosigner.from_seed(f"witness.example/{name}", bytes([7]) * 32).verifier for name in ("one", "two"))
    journal.submit_and_wait(AddWitness(OPERATOR_LOG, "one", one.text))
    with pytest.raises(WitnessRefused, match="one, not two"):
        journal.submit_and_wait(AddWitness(OPERATOR_LOG, "two", same.text))
    journal.submit_and_wait(RemoveWitness(OPERATOR_LOG, "one"))
    with pytest.raises(WitnessRefused, match="one, not two"):
        journal.submit_and_wait(AddWitness(OPERATOR_LOG, "two", same.text))
    journal.submit_and_wait(AddWitness(OPERATOR_LOG, "three", one.text))


def test_a_pack_that_goes_on_after_its_end_is_not_read(tmp_path: Path) -> None:
    """`audit verify` finds it as well; a report or a trial on the past is made from nothing that it would refuse."""
    log = Log()
    log.step(Event.AGREEMENT_ACTIVATED)
    path = log.to_pack(tmp_path / "log.pack")
    whole = path.read_bytes()
    assert PackSource(path).size > 0
    for more in (b"\n", b"\0", b"end 1 1\n", whole):
        path.write_bytes(whole + more)
        with pytest.raises(SourceUnreadable, match="after its end"):
            PackSource(path)
