"""Who reported it stays apart from what happened (N3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.thirdparty import separate, split
from tests.mappings.sources import PLAIN, SOURCES

APART = [
    "Reported by a passer-by.",
    "Caller heard screams.",
    "The neighbour at number 14 rang.",
    "Mother says that he has a key.",
    "Anonymous call to Crimestoppers.",
    "Informant believes he deals.",
    "According to staff she was late.",
    "Information received from housing.",
    "Her GP disclosed earlier bruising.",
    "A friend told officers where he was.",
    "999 call made from next door.",
    "A third party holds the child's passport.",
    "Witness statement taken from Mrs. Quill.",
    "Police were told by the school.",
    "REPORTED BY HIS SISTER",
]
KEPT = [
    "He pushed her against a wall.",
    "Victim said that he took her phone.",
    "Ex-partner said he would kill her.",
    "No injuries were seen.",
    "She was hit at about 6 p.m. on the stairs.",
]


@pytest.mark.parametrize("sentence", APART)
def test_a_sentence_that_names_who_reported_stands_apart(sentence: str) -> None:
    assert split(f"He left. {sentence}") == ("He left.", sentence)


@pytest.mark.parametrize("sentence", KEPT)
def test_what_happened_stays(sentence: str) -> None:
    assert split(sentence) == (sentence, "")


def test_a_sentence_that_goes_on_about_the_same_person_goes_with_it() -> None:
    text = "Neighbour rang. She lives at number 14. Door was damaged. She had a cut lip."
    assert split(text) == ("Door was damaged. She had a cut lip.", "Neighbour rang. She lives at number 14.")


def test_a_name_after_an_abbreviation_stays_in_its_sentence() -> None:
    assert split("Reported by Mrs. Quill of no. 9. Door damaged.") == (
        "Door damaged.",
        "Reported by Mrs. Quill of no. 9.",
    )


def test_the_names_of_third_parties_count_and_those_of_the_victim_do_not() -> None:
    out: dict[str, Any] = {
        "people": [
            {"role": "victim", "names": [{"family": "Ashdown", "given": ("Marianne",)}]},
            {"role": "witness", "names": [{"family": "Ashdown", "given": ("Sidney",)}]},
        ],
        "statements": [{"topic": "summary", "text": "Ms Ashdown was upset. It was Sidney\u2019s shop."}],
        "assessments": [{"subject": "victim-1", "answers": [{"code": "ISO", "text": "Sister says she is alone."}]}],
    }
    separate(out)
    assert out["statements"] == [
        {"topic": "summary", "text": "Ms Ashdown was upset."},
        {"topic": "third-party", "kind": "allegation", "about": [], "text": "It was Sidney\u2019s shop."},
        {"topic": "third-party", "kind": "allegation", "about": ["victim-1"], "text": "Sister says she is alone."},
    ]
    assert "text" not in out["assessments"][0]["answers"][0]


@pytest.mark.parametrize("piece", ["a. ", "called by x. ", "called ", "Mr. ", "! ", "\n", "information received "])
def test_the_longest_text_is_cut_in_one_go(piece: str) -> None:
    """A text of 64 KB takes milliseconds; were the work quadratic, this test would take minutes."""
    text = piece * (64 * 1024 // len(piece))
    kept, apart = split(text)
    assert len("".join((kept + apart).split())) == len("".join(text.split()))


SENTENCES = st.lists(
    st.sampled_from([*APART, *KEPT, "She ran!", 'He said "no."', "Dr. A. Quill came.", "x"]), max_size=8
)


@settings(deadline=None, max_examples=100)
@given(SENTENCES, st.sampled_from([" ", "\n", "  ", "\n\n", "; "]))
def test_no_text_is_lost(sentences: list[str], between: str) -> None:
    """Every word of the text stands in one part or the other, as often as it did."""
    text = between.join(sentences)
    kept, apart = split(text)
    assert sorted(text.split()) == sorted([*kept.split(), *apart.split()])


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=200))
def test_no_text_of_any_kind_is_lost(text: str) -> None:
    kept, apart = split(text)
    assert sorted("".join(text.split())) == sorted("".join([*kept.split(), *apart.split()]))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(KEPT), max_size=3), st.sampled_from(APART), st.lists(st.sampled_from(KEPT), max_size=3))
def test_wherever_it_stands_it_is_set_apart(before: list[str], sentence: str, after: list[str]) -> None:
    kept, apart = split(" ".join([*before, sentence, *after]))
    assert sentence in apart
    assert sentence not in kept


def test_no_labelled_source_is_told_and_little_that_is_plain_is_withheld() -> None:
    """Every sentence alone, and every source between two plain ones: none is left in what is told (N3)."""
    assert [text for text in SOURCES if split(text)[0]] == []
    before, after = "He pushed her.", "No visible injuries."
    for text in SOURCES:
        assert text not in split(f"{before} {text} {after}")[0]
    withheld = [text for text in PLAIN if split(text)[1]]
    assert len(withheld) <= 0.05 * len(PLAIN), withheld
