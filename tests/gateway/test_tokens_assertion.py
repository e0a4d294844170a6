"""The client assertion: what is accepted, and every way it is refused, with the reason that is sealed."""

from __future__ import annotations

import base64
import hmac
import json
import time
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from gateway.tokens.assertion import ASSERTION_MAX_CHARACTERS, Assertion, read, verify
from gateway.tokens.clients import Client
from gateway.tokens.jwks import public_keys
from gateway.tokens.refusal import Reason, Refused
from tests.gateway.tokens_support import ISSUER, TOKEN_URL, claims_for, jwks, signed

NOW = 1_800_000_000.0
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = {
    alg: ECKey.generate_key(crv, {"kid": alg})
    for alg, crv in (("ES256", "P-256"), ("ES384", "P-384"), ("ES512", "P-521"))
}
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
DEEP_HEADER = b'{"alg":' * 900
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})


def client(*keys: Key, revoked_at: str | None = None) -> Client:
    registered = public_keys(jwks(*keys))
    return Client("c1", "A system", "ORG", None, frozenset(), frozenset(), registered, revoked_at)


def judge(text: str, registered: Client | None = None, now: float = NOW) -> Assertion:
    unverified = read(text)
    assert unverified.client_id == "c1"
    return verify(
        unverified,
        registered or client(RSA),
        audiences={TOKEN_URL},
        now=now,
        lifetime_max_seconds=300,
        skew_seconds=30,
    )


def good(**changes: Any) -> dict[str, Any]:
    return claims_for("c1", **{"exp": NOW + 300, **changes})


def reason(text: str, registered: Client | None = None) -> Reason:
    with pytest.raises(Refused) as refused:
        judge(text, registered)
    found: Reason = refused.value.reason
    return found


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_every_pinned_rsa_algorithm_is_accepted(alg: str) -> None:
    assert judge(signed(good(), RSA, alg)).until == NOW + 330


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_every_pinned_curve_is_accepted(alg: str) -> None:
    assert judge(signed(good(), EC[alg], alg), client(EC[alg]))


@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_ed25519_is_accepted_under_both_its_names(alg: str) -> None:
    # The test's own signer warns at EdDSA, so the token is put together by hand.
    head, body = _segment({"alg": alg, "kid": "ed"}), _segment(good())
    assert isinstance(ED.private_key, Ed25519PrivateKey)
    signature = ED.private_key.sign(f"{head}.{body}".encode())
    text = f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert judge(text, client(ED))


def _segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_the_person_behind_the_call_is_taken_from_the_assertion() -> None:
    found = judge(signed(good(end_user={"id": "555042635001", "role": "S8000:G8000:R8000"}), RSA))
    assert (found.user, found.role) == ("555042635001", "S8000:G8000:R8000")


@pytest.mark.parametrize(
    "person",
    [
        "555042635001",
        {},
        {"id": "555042635001"},
        {"id": "555042635001", "role": ""},
        {"id": "555042635001", "role": None},
        {"id": "A person", "role": "nurse"},
        {"id": "x" * 65, "role": "nurse"},
        {"id": "x", "role": "nurse", "name": "x"},
        {"id": "\u0430lice", "role": "nurse"},
        {"id": "x\n", "role": "nurse"},
        ["x", "nurse"],
    ],
)
def test_an_end_user_that_is_not_two_codes_is_refused(person: Any) -> None:
    assert reason(signed(good(end_user=person), RSA)) is Reason.END_USER_MALFORMED


def test_an_end_user_claim_that_is_null_is_refused_and_not_taken_for_none() -> None:
    assert reason(signed({**good(), "end_user": None}, RSA)) is Reason.END_USER_MALFORMED


def test_without_kid_the_only_key_is_meant() -> None:
    assert judge(signed(good(), RSA, kid=None))


def test_without_kid_two_keys_mean_none() -> None:
    assert reason(signed(good(), RSA, kid=None), client(RSA, ED)) is Reason.KEY_UNKNOWN


@pytest.mark.parametrize("kid", ["other", "", "RSA", "rs\u0430", "rsa "])
def test_a_kid_of_no_registered_key_is_refused(kid: str) -> None:
    assert reason(signed(good(), RSA, kid=kid)) is Reason.KEY_UNKNOWN


def test_no_signature_is_refused() -> None:
    text = f"{_segment({'alg': 'none', 'kid': 'rsa'})}.{_segment(good())}."
    assert reason(text) is Reason.ALGORITHM_REFUSED


@pytest.mark.parametrize("alg", ["NONE", "None", "HS256", "HS512", "rs512", "RS1", "ES256K", "", "RSA-OAEP"])
def test_an_algorithm_that_is_not_pinned_is_refused(alg: str) -> None:
    text = f"{_segment({'alg': alg, 'kid': 'rsa'})}.{_segment(good())}.AAAA"
    assert reason(text) is Reason.ALGORITHM_REFUSED


def test_a_header_without_algorithm_is_refused() -> None:
    assert reason(f"{_segment({'kid': 'rsa'})}.{_segment(good())}.AAAA") is Reason.ALGORITHM_REFUSED


def test_hmac_with_the_public_key_as_secret_is_refused() -> None:
    """The classic confusion of algorithms."""
    signing_input = f"{_segment({'alg': 'HS256', 'kid': 'rsa'})}.{_segment(good())}"
    signature = hmac.digest(RSA.as_pem(private=False), signing_input.encode(), "sha256")
    assert reason(f"{signing_input}.{_segment(signature)}") is Reason.ALGORITHM_REFUSED


def test_an_algorithm_of_another_kind_of_key_is_refused() -> None:
    text = signed(good(), EC["ES256"], "ES256", kid="rsa")
    assert reason(text) is Reason.ALGORITHM_REFUSED


def test_a_key_that_names_its_algorithm_signs_with_no_other() -> None:
    pinned = RSAKey.import_key({**RSA.as_dict(private=False), "alg": "RS512"})
    assert judge(signed(good(), RSA, "RS512"), client(pinned))
    assert reason(signed(good(), RSA, "RS256"), client(pinned)) is Reason.ALGORITHM_REFUSED


def test_another_clients_key_of_the_same_kid_proves_nothing() -> None:
    assert reason(signed(good(), OTHER)) is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_a_changed_byte_anywhere_is_refused(segment: int) -> None:
    parts = signed(good(), RSA).split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[segment] + "=="))
    raw[len(raw) // 2] ^= 1
    parts[segment] = _segment(bytes(raw))
    with pytest.raises(Refused):
        judge(".".join(parts))


def test_claims_changed_after_signing_are_refused() -> None:
    head, _, signature = signed(good(), RSA).split(".")
    assert reason(f"{head}.{_segment(good(jti='other'))}.{signature}") is Reason.SIGNATURE_INVALID


def test_a_revoked_client_is_refused_though_its_signature_is_good() -> None:
    revoked = client(RSA, revoked_at="2027-01-15T08:00:00.000Z")
    assert reason(signed(good(), RSA), revoked) is Reason.CLIENT_REVOKED


def test_only_the_client_itself_learns_that_it_is_revoked() -> None:
    revoked = client(RSA, revoked_at="2027-01-15T08:00:00.000Z")
    assert reason(signed(good(), OTHER), revoked) is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize(
    "audience",
    [
        None,
        "",
        ISSUER,
        TOKEN_URL + "/",
        TOKEN_URL[:-1],
        TOKEN_URL.upper(),
        TOKEN_URL.replace("https", "http"),
        TOKEN_URL + "?",
        TOKEN_URL.replace("a", "\u0430"),
        "https://gateway.example:443/oauth2/token",
        [],
        [TOKEN_URL, TOKEN_URL],
        [TOKEN_URL, "https://other.example"],
        [[TOKEN_URL]],
        {"aud": TOKEN_URL},
        1,
        True,
    ],
)
def test_an_audience_that_is_not_exactly_the_token_endpoint_is_refused(audience: Any) -> None:
    assert reason(signed(good(aud=audience), RSA)) is Reason.AUDIENCE_WRONG


def test_an_audience_of_exactly_one_may_stand_in_a_list() -> None:
    assert judge(signed(good(aud=[TOKEN_URL]), RSA))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"sub": None},
        {"iss": "c2"},
        {"sub": "c2"},
        {"iss": 1, "sub": 1},
        {"iss": ["c1"], "sub": ["c1"]},
        {"sub": "c1 "},
        {"sub": "\u04411"},
        {"iss": "C1"},
    ],
)
def test_an_issuer_that_is_not_the_subject_is_refused(changes: dict[str, Any]) -> None:
    assert reason(signed(good(**changes), RSA)) is Reason.ISSUER_WRONG


@pytest.mark.parametrize(
    "expires",
    [None, str(NOW + 60), True, [NOW + 60], {}, NOW - 31, NOW - 30, 0, -1, -(10**12), -0.0, 1e-300],
)
def test_an_expiry_that_is_past_or_no_number_is_refused(expires: Any) -> None:
    assert reason(signed(good(exp=expires), RSA)) is Reason.ASSERTION_EXPIRED


@pytest.mark.parametrize("expires", [NOW + 331, NOW + 3600, 10**12, 10**18, 1e300])
def test_an_expiry_too_far_ahead_is_refused(expires: float) -> None:
    assert reason(signed(good(exp=expires), RSA)) is Reason.ASSERTION_LIFETIME


@pytest.mark.parametrize("expires", [NOW - 29, NOW + 1, NOW + 299.5, NOW + 330])
def test_an_expiry_within_the_lifetime_and_the_skew_is_accepted(expires: float) -> None:
    assert judge(signed(good(exp=expires), RSA)).until >= expires + 30


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "1" + "0" * 5000])
def test_a_number_beyond_json_or_all_measure_is_refused(raw: str) -> None:
    body = json.dumps(good(exp=1)).replace('"exp": 1', f'"exp": {raw}').encode()
    assert f'"exp": {raw}'.encode() in body
    head = _segment({"alg": "RS512", "kid": "rsa"})
    text = f"{head}.{_segment(body)}.{_sign(f'{head}.{_segment(body)}')}"
    assert reason(text) in {Reason.ASSERTION_MALFORMED, Reason.ASSERTION_LIFETIME, Reason.ASSERTION_EXPIRED}


def _sign(text: str) -> str:
    assert RSA.private_key is not None
    return _segment(RSA.private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA512()))


@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize("value", [NOW + 31, 10**12, "0", None, True, [0]])
def test_a_start_in_the_future_or_no_number_is_refused(name: str, value: Any) -> None:
    assert reason(signed({**good(), name: value}, RSA)) is Reason.ASSERTION_EARLY


def test_a_start_within_the_skew_is_accepted() -> None:
    assert judge(signed(good(nbf=NOW + 30, iat=NOW + 30), RSA))


@pytest.mark.parametrize("jti", [None, "", 1, ["x"], "x" * 129, {}])
def test_an_assertion_without_a_usable_id_is_refused(jti: Any) -> None:
    assert reason(signed(good(jti=jti), RSA)) is Reason.JTI_MISSING


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "not a token",
        "\u0430.\u0430.\u0430",
        f"{_segment([])}.{_segment({})}.",
        f"{_segment({'alg': 'RS512'})}.{_segment([])}.AAAA",
        f"{_segment({'alg': 'RS512', 'crit': ['exp']})}.{_segment(good())}.AAAA",
        f"{_segment({'alg': 'RS512', 'b64': False})}.{_segment(good())}.AAAA",
        f"{_segment({'alg': 'RS512', 'jwk': {'kty': 'RSA'}})}.{_segment(good())}.AAAA",
        f"{_segment({'alg': ['RS512']})}.{_segment(good())}.AAAA",
        f"{_segment({'alg': 'RS512', 'typ': 'at+jwt'})}.{_segment(good())}.AAAA",
        f"{_segment({'alg': 'RS512', 'typ': 'JWE'})}.{_segment(good())}.AAAA",
        f"{_segment({'alg': 'RS512'})}.{_segment(b'[' * 4000)}.AAAA",
        f"{_segment(DEEP_HEADER)}.{_segment(good())}.AAAA",
        f"{_segment({'alg': 'RS512'})}.{_segment(bytes([255, 254]))}.AAAA",
        "a.b.c.d.e",
    ],
)
def test_what_is_no_jwt_is_refused(text: str) -> None:
    assert reason(text) is Reason.ASSERTION_MALFORMED


def test_a_jwt_within_a_jwt_is_refused() -> None:
    inner = signed(good(), RSA)
    head, body = _segment({"alg": "RS512", "kid": "rsa", "cty": "JWT"}), _segment(inner.encode())
    assert reason(f"{head}.{body}.{_sign(f'{head}.{body}')}") is Reason.ASSERTION_MALFORMED


def test_an_assertion_longer_than_the_limit_is_refused_unread() -> None:
    assert reason("a" * (ASSERTION_MAX_CHARACTERS + 1)) is Reason.ASSERTION_MALFORMED
    text = signed(good(padding="x" * 100_000), RSA)
    begun = time.perf_counter()
    assert reason(text) is Reason.ASSERTION_MALFORMED
    assert time.perf_counter() - begun < 1


def test_a_header_naming_where_to_fetch_a_key_is_not_followed() -> None:
    text = signed(good(), OTHER, jku="https://attacker.example/jwks.json")
    assert reason(text) is Reason.SIGNATURE_INVALID


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ABab01-_=.{}\n "), max_size=80) | st.text(max_size=80))
def test_no_text_at_all_is_anything_but_refused(text: str) -> None:
    with pytest.raises(Refused):
        judge(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "end_user"]), value=_json)
def test_any_json_in_any_claim_is_judged_and_never_an_error(name: str, value: Any) -> None:
    try:
        judge(signed({**good(), name: value}, EC["ES256"], "ES256"), client(EC["ES256"]))
    except Refused:
        pass
    except AssertionError:
        assert name in {"iss", "sub"}


def test_every_reason_says_something_a_header_can_carry() -> None:
    for one in Reason:
        status, body, headers = Refused(one, "Words")()
        assert (status == 401) == (body["error"] == "invalid_client")
        assert ("WWW-Authenticate" in dict(headers)) == (status == 401)


def test_a_key_set_without_keys_proves_nothing() -> None:
    empty = Client("c1", "A system", "ORG", None, frozenset(), frozenset(), KeySet([]), None)
    assert reason(signed(good(jti=str(uuid.uuid4())), RSA), empty) is Reason.KEY_UNKNOWN
