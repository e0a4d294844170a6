"""What the tests of a referral's page share: opening one, doing something in it, and reading what a page says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from lxml import html

from tests.support.console import ConsoleClient

Values = Mapping[str, str | Sequence[str]]


def at(referral: str, *steps: str) -> str:
    """An address of a referral."""
    return "/".join(("/console/referrals", referral, *steps))


def opened(client: ConsoleClient, referral: str, reason: str = "follow-up") -> httpx.Response:
    """Open a case with a reason."""
    answer: httpx.Response = client.get(at(referral), params={"reason": reason})
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer


def send(client: ConsoleClient, referral: str, action: str, values: Values | None = None) -> httpx.Response:
    """Fill in the form of an action, and send it; a redirection is not followed."""
    answer: httpx.Response = form(client, referral, action, values).submit()
    return answer


def form(client: ConsoleClient, referral: str, action: str, values: Values | None = None) -> Any:
    """The form of an action, filled in."""
    return client.form(f"{at(referral, action)}?reason=follow-up", values, at=f"/{action}")


def done(client: ConsoleClient, referral: str, action: str, values: Values | None = None) -> str:
    """Do something, and read the page that answers."""
    answer = send(client, referral, action, values)
    assert answer.status_code == httpx.codes.SEE_OTHER, words_of(answer)
    assert answer.headers["location"] == f"{at(referral)}?done={action}"
    return words_of(client.follow(answer))


def tree_of(answer: httpx.Response | str) -> Any:
    """A page as a tree."""
    text = answer if isinstance(answer, str) else answer.text
    return html.document_fromstring(text)  # type: ignore[no-untyped-call]  # lxml has no types


def words_of(answer: httpx.Response | str) -> str:
    """What a page says, blanks put together."""
    (main,) = tree_of(answer).xpath("//main")
    return re.sub(r"\s+", " ", main.text_content()).strip()


def problems_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """What the summary of errors says: where each leads, and its words."""
    return [
        (one.get("href", ""), " ".join(one.text_content().split()))
        for one in tree_of(answer).xpath("//*[contains(@class, 'nhsuk-error-summary__list')]//a")
    ]
