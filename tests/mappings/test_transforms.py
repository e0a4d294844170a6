from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings import transforms as t
from mappings.outcome import Cannot, Noted

CODES = {"yes": "yes", "n": "no", "true": "yes"}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("9990000018", None),
        ("999 000 0018", None),
        ("9990000019", "nhs-number-check-digit"),
        ("9999999999", "nhs-number-placeholder"),
        ("0000000000", "nhs-number-placeholder"),
        ("999000001", "nhs-number-unreadable"),
        ("99900000l8", "nhs-number-unreadable"),
    ],
)
def test_an_nhs_number_has_a_right_check_digit_and_is_no_placeholder(number: str, code: str | None) -> None:
    if code is None:
        assert t.nhs_number(number) == "9990000018"
    else:
        with pytest.raises(Cannot, match=rf"^{code}$"):
            t.nhs_number(number)


def test_a_check_digit_of_ten_is_no_nhs_number() -> None:
    """Modulus 11 leaves one in eleven without a digit; none of the ten is accepted for it."""
    prefixes = [f"99900000{i:01}" for i in range(10)]
    accepted = {p: [d for d in range(10) if _reads(p + str(d))] for p in prefixes}
    assert all(len(digits) <= 1 for digits in accepted.values())


def _reads(number: str) -> bool:
    try:
        t.nhs_number(number)
    except Cannot:
        return False
    return True


@pytest.mark.parametrize("value", [True, "true", " Yes", "Y", "1", 1])
def test_yes_in_all_its_forms(value: object) -> None:
    assert t.boolean(value) is True


@pytest.mark.parametrize("value", [False, "false", "No", "n", "0", 0])
def test_no_in_all_its_forms(value: object) -> None:
    assert t.boolean(value) is False


@pytest.mark.parametrize("value", ["UNKNOWN", "not known", "not asked"])
def test_unknown_is_neither_yes_nor_no(value: str) -> None:
    """P5: what is not known is never a permission."""
    assert t.boolean(value) is None


@pytest.mark.parametrize("value", ["maybe", 2, "yes, but", "tru"])
def test_what_is_not_yes_or_no_is_not_read(value: object) -> None:
    with pytest.raises(Cannot, match=r"^not-yes-or-no$"):
        t.boolean(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("07700 900123", "07700900123"),
        ("+44 (0)7700 900123", "07700900123"),
        ("0044 7700 900123", "07700900123"),
        ("(01632) 960-124", "01632960124"),
        ("+353 1 5550100", "+35315550100"),
    ],
)
def test_telephone_numbers(text: str, expected: str) -> None:
    assert t.phone(text) == expected


@pytest.mark.parametrize("text", ["ask her sister", "07700", "07700 900123 ext 4", "7700900123"])
def test_what_is_no_telephone_number_is_not_read(text: str) -> None:
    with pytest.raises(Cannot, match=r"^phone-unreadable$"):
        t.phone(text)


def test_postcodes() -> None:
    assert t.postcode("zz993cz") == "ZZ99 3CZ"
    with pytest.raises(Cannot, match=r"^postcode-unreadable$"):
        t.postcode("ZZ99")


def test_email_keeps_the_name_and_lowers_the_domain() -> None:
    assert t.email("M.Ashdown@Example.ORG") == "M.Ashdown@example.org"
    with pytest.raises(Cannot, match=r"^email-unreadable$"):
        t.email("a@b@example.org")


def test_a_force_code_gets_its_leading_zero_back() -> None:
    assert t.force_code("04") == "04"
    assert t.force_code(4) == Noted("04", "leading-zero-restored")
    with pytest.raises(Cannot):
        t.force_code("104")


def test_two_spellings_of_a_reference_are_one_key() -> None:
    assert t.reference(" lc-2026\u00a0 77") == t.reference("LC-2026 77")
    with pytest.raises(Cannot, match=r"^reference-too-long$"):
        t.reference("x" * 101)


def test_codes_are_read_by_the_map_or_not_at_all() -> None:
    read = t.mapped(CODES)
    assert (read(" YES "), read("N"), read(True)) == ("yes", "no", "yes")  # noqa: FBT003 - JSON's true
    with pytest.raises(Cannot, match=r"^unknown-code$"):
        read("perhaps")


def test_unknown_codes_are_kept_where_the_schema_can() -> None:
    assert t.mapped_or_kept(CODES)("999Z") == Noted("999Z", "unknown-code")
    assert t.codes_kept(CODES)(["yes", "Local word"]) == Noted(("yes", "local-word"), "unknown-code")
    assert t.codes_kept(CODES)(["yes", "YES"]) == ("yes",)


def test_the_first_known_name_of_a_place_is_taken() -> None:
    read = t.mapped_first(CODES)
    assert read(None, "elsewhere", "n") == "no"
    with pytest.raises(Cannot, match=r"^unknown-code$"):
        read("elsewhere", None)


@pytest.mark.parametrize(("value", "expected"), [(5, 5), ("5", 5), (5.0, 5), (" 12 ", 12)])
def test_whole_numbers(value: object, expected: int) -> None:
    assert t.integer(value) == expected


@pytest.mark.parametrize("value", [True, "5.5", 5.5, "five", "9" * 19])
def test_what_is_no_whole_number_is_not_read(value: object) -> None:
    with pytest.raises(Cannot, match=r"^not-a-number$"):
        t.integer(value)


def test_control_characters_become_spaces() -> None:
    assert t.text("a\x07b\nc ") == "a b\nc"
    assert t.line(" a\n b\tc ") == "a b c"


SCALARS = st.one_of(st.text(max_size=20), st.integers(), st.floats(allow_nan=False), st.booleans())


@settings(deadline=None, max_examples=100)
@given(SCALARS)
def test_every_transform_reads_a_scalar_or_says_why_not(value: Any) -> None:
    for name, transform in t.TRANSFORMS.items():
        run = transform.run(CODES) if transform.maps else transform.run
        given: dict[t.Takes, tuple[Any, ...]] = {
            t.Takes.ONE: (value,),
            t.Takes.LIST: ((value,),),
            t.Takes.MANY: (value, value),
            t.Takes.LINK: ((("victim", "victim-1"),),),
            t.Takes.LINKS: (((("victim", "victim-1"),),),),
        }
        assert _code_or_none(run, given[transform.takes]).replace("-", "").isalpha(), name


def _code_or_none(run: Callable[..., object], given: tuple[Any, ...]) -> str:
    try:
        run(*given)
    except Cannot as cannot:
        return cannot.code
    return "none"
