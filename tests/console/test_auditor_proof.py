"""The auditor's own browser checks the log by itself: what was tampered with is refused, whatever the server says.

Each fault is put into what the browser receives; the server's own word on the page stays good. The log's key is in the
auditor's hands before, as the papers of an agreement would give it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.async_api import Page, Route

from audit.checkpoint import Checkpoint
from audit.encoding import to_base64
from audit.note import Signer
from audit.receipt import Receipt
from audit.tree import leaf_hash, node_hash
from gateway.demo.run import LOG
from tests.support.browser import PHONE, Chromium, Live, Visitor, shot
from tests.support.console import AUDITOR

AT = "/console/auditor"
INDEX = 3

Change = Callable[[str], str]


@pytest.fixture(scope="module")
def log(live: Live) -> Signer:
    """The log's key, as the operator holds it."""
    return live.services.signer(LOG)


async def pin(page: Page, key: str) -> None:
    """Paste a key and have it kept."""
    await page.get_by_label("Verifier key of the log").fill(key)
    await page.get_by_role("button", name="Pin this key").click()


async def verdict(page: Page) -> tuple[str, str]:
    """What the browser came to, in a word and in words; an alarm is seen as soon as it is raised."""
    found = page.locator("#own-verdict:visible")
    await found.wait_for()
    return str(await page.locator("#own-check").get_attribute("data-state")), await found.inner_text()


@asynccontextmanager
async def pinned(chromium: Chromium, live: Live, key: str) -> AsyncIterator[tuple[Visitor, Page]]:
    """A browser that has pinned a key and checked an entry, whose answers may be changed from now on."""
    async with chromium.context(live, AUDITOR) as visitor:
        page = await visitor.open(f"{AT}/entries/{INDEX}")
        await pin(page, key)
        await verdict(page)
        yield visitor, page


async def change(page: Page, address: str, how: Change) -> None:
    """Change every answer of an address on its way to the browser."""

    async def handle(route: Route) -> None:
        answer = await route.fetch()
        before = await answer.text()
        after = how(before)
        assert after != before, "nothing was changed"
        await route.fulfill(response=answer, body=after)

    await page.route(re.compile(address), handle)


def test_an_entry_is_checked_by_the_browser_of_an_auditor_who_pins_the_key(
    chromium: Chromium, live: Live, log: Signer
) -> None:
    """The first time it remembers the checkpoint; from then on it asks that the log has only grown."""

    async def journey() -> None:
        async with chromium.context(live, AUDITOR) as visitor:
            page = await visitor.open(f"{AT}/entries/{INDEX}")
            assert not await page.locator("#own-verdict").is_visible()
            await shot(page, "auditor-entry-unpinned")
            await pin(page, log.verifier.text)
            state, words = await verdict(page)
            assert (state, "Your browser has checked it." in words) == ("good", True)
            assert "has not seen the log before" in await page.locator("#own-steps").inner_text()
            await page.goto(f"{live.url}{AT}/entries/{INDEX + 1}")
            assert (await verdict(page))[0] == "good"
            steps = await page.locator("#own-steps").inner_text()
            assert "REFUSED" not in steps
            assert re.search(r"all \d+ entries that this browser saw before are still in the log", steps)
            await shot(page, "auditor-entry-good")
            await page.set_viewport_size(PHONE)
            await shot(page, "auditor-entry-good-phone")
            await page.goto(live.url + AT)
            assert (await verdict(page))[0] == "good"
            await shot(page, "auditor-overview-good")
            assert visitor.said == []

    chromium.run(journey())


def _in_entry(text: str) -> str:
    return text.replace("&#34;outcome&#34;:&#34;permitted", "&#34;outcome&#34;:&#34;denied", 1)


def _in_path(text: str) -> str:
    return _with(
        text,
        lambda proof: Receipt(
            proof.origin, proof.index, proof.leaf, (bytes(32), *proof.path[1:]), proof.checkpoint_text
        ),
    )


def _longer(text: str) -> str:
    return _with(
        text,
        lambda proof: Receipt(proof.origin, proof.index, proof.leaf, (*proof.path, bytes(32)), proof.checkpoint_text),
    )


def _shorter(text: str) -> str:
    return _with(
        text, lambda proof: Receipt(proof.origin, proof.index, proof.leaf, proof.path[:-1], proof.checkpoint_text)
    )


def _elsewhere(text: str) -> str:
    return _with(
        text, lambda proof: Receipt(proof.origin, proof.index + 1, proof.leaf, proof.path, proof.checkpoint_text)
    )


def _root(text: str) -> str:
    def changed(proof: Receipt) -> Receipt:
        was = Checkpoint.unverified(proof.checkpoint_text)
        note = proof.checkpoint_text.replace(to_base64(was.root), to_base64(bytes(32)))
        return Receipt(proof.origin, proof.index, proof.leaf, proof.path, note)

    return _with(text, changed)


def _by_another(text: str) -> str:
    def changed(proof: Receipt) -> Receipt:
        note = Checkpoint.unverified(proof.checkpoint_text).sign(Signer.of(proof.origin, Ed25519PrivateKey.generate()))
        return Receipt(proof.origin, proof.index, proof.leaf, proof.path, note)

    return _with(text, changed)


_PROOF = re.compile(r'(id="own-proof"[^>]*>)(.*?)(</pre>)', re.DOTALL)


def _with(page: str, how: Callable[[Receipt], Receipt]) -> str:
    """The page with another proof."""
    return _PROOF.sub(lambda found: found[1] + how(Receipt.from_text(found[2])).to_text() + found[3], page)


FAULTS: dict[str, tuple[Change, str]] = {
    "another outcome in the entry": (_in_entry, "the entry on this page is not the one that the proof is of"),
    "a hash of the proof": (_in_path, "the proof does not lead to the checkpoint"),
    "a hash too many": (_longer, "the proof is too long"),
    "a hash too few": (_shorter, "the proof is too short"),
    "the proof of another entry": (_elsewhere, "the proof is of another entry of the log"),
    "the root of the checkpoint": (_root, "the signature on the checkpoint is wrong"),
    "a checkpoint signed by another": (_by_another, "the checkpoint is not signed with the key you pinned"),
}


def test_whatever_was_tampered_with_is_refused_though_the_server_says_it_is_good(
    chromium: Chromium, live: Live, log: Signer
) -> None:
    async def journey() -> None:
        async with pinned(chromium, live, log.verifier.text) as (_, page):
            for name, (how, why) in FAULTS.items():
                await change(page, f"{AT}/entries/{INDEX}$", how)
                await page.reload()
                state, words = await verdict(page)
                assert (state, "Do not rely on this page." in words) == ("bad", True), name
                assert why in words, (name, words)
                assert "The server says it is good" in await page.locator("main").inner_text(), name
                await page.unroute_all()
            await shot(page, "auditor-entry-refused")
            await page.reload()
            assert (await verdict(page))[0] == "good"

    chromium.run(journey())


def _forked(signer: Signer) -> Change:
    """Another history: a log of two entries more, all invented but for this one, signed with the log's own key."""

    def forked(text: str) -> str:
        found = _PROOF.search(text)
        assert found is not None
        proof = Receipt.from_text(found[2])
        size = Checkpoint.unverified(proof.checkpoint_text).size
        leaves = [leaf_hash(b"invented %d" % index) for index in range(size + 2)]
        leaves[proof.index] = proof.leaf
        path, root = _proved(leaves, proof.index)
        note = Checkpoint(proof.origin, len(leaves), root).sign(signer)
        return _with(text, lambda _: Receipt(proof.origin, proof.index, proof.leaf, path, note))

    return forked


def _proved(leaves: list[bytes], index: int) -> tuple[tuple[bytes, ...], bytes]:
    """The inclusion path and the root, straight from RFC 6962 section 2.1."""
    if len(leaves) == 1:
        return (), leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:half], leaves[half:]
    if index < half:
        path, root = _proved(left, index)
        other = _proved(right, 0)[1]
        return (*path, other), node_hash(root, other)
    path, root = _proved(right, index - half)
    other = _proved(left, 0)[1]
    return (*path, other), node_hash(other, root)


def test_another_history_signed_with_the_log_s_own_key_is_refused(chromium: Chromium, live: Live, log: Signer) -> None:
    """Neither proof nor signature shows it: that the browser remembers does."""

    async def journey() -> None:
        async with pinned(chromium, live, log.verifier.text) as (_, page):
            await change(page, f"{AT}/entries/{INDEX}$", _forked(log))
            await page.reload()
            state, words = await verdict(page)
            assert state == "bad"
            assert "the server does not show that the log of" in words
            await page.unroute_all()

            async def lie(route: Route) -> None:
                await route.fulfill(json={"hashes": [to_base64(bytes(32))] * 5})

            await page.route("**/consistency?*", lie)
            await page.reload()
            state, words = await verdict(page)
            assert state == "bad"
            assert "Your browser refuses it" in words

    chromium.run(journey())


def test_a_log_that_was_put_back_is_refused(chromium: Chromium, live: Live, log: Signer) -> None:
    """The browser saw more than the server has: nothing it can be shown explains that."""

    async def journey() -> None:
        async with pinned(chromium, live, log.verifier.text) as (_, page):
            later = Checkpoint(log.name, 10**6, bytes(32)).sign(log)
            await page.evaluate(
                "([place, note]) => localStorage.setItem(place, note)", [f"provide-gateway.seen.{log.name}", later]
            )
            await page.reload()
            state, words = await verdict(page)
            assert state == "bad"
            assert "the server does not show that the log of" in words
            kept = await page.evaluate("(place) => localStorage.getItem(place)", f"provide-gateway.seen.{log.name}")
            assert kept == later

    chromium.run(journey())


def test_a_server_with_another_key_than_the_pinned_one_is_refused_loudly(
    chromium: Chromium, live: Live, log: Signer
) -> None:
    """Whether the key on the page is another, or the pinned one is not the log's."""
    stranger = Signer.of(log.name, Ed25519PrivateKey.generate())

    async def journey() -> None:
        async with pinned(chromium, live, stranger.verifier.text) as (_, page):
            state, words = await verdict(page)
            assert (state, "Do not rely on this page." in words) == ("bad", True)
            assert (
                "the key that the server names is not the key you pinned"
                in await page.locator("#own-steps").inner_text()
            )
            await shot(page, "auditor-entry-wrong-key")
        async with pinned(chromium, live, log.verifier.text) as (_, page):
            await change(
                page, f"{AT}/entries/{INDEX}$", lambda text: text.replace(_attribute(log), _attribute(stranger))
            )
            await page.reload()
            assert (await verdict(page))[0] == "bad"

    chromium.run(journey())


def _attribute(signer: Signer) -> str:
    return f'data-key="{signer.verifier.text}"'


def test_a_key_that_is_none_is_not_kept_and_one_can_be_forgotten(chromium: Chromium, live: Live, log: Signer) -> None:
    key = log.verifier.text
    bad: dict[str, str] = {
        "rubbish": "this is not a verifier key",
        key[:-4]: "not",
        key.replace(log.name, "another.example/log"): "the key's id is not that of its name and key",
    }

    async def journey() -> None:
        async with chromium.context(live, AUDITOR) as visitor:
            page = await visitor.open(f"{AT}/entries/{INDEX}")
            for text, why in bad.items():
                await pin(page, text)
                told = page.locator("#own-key-wrong:visible")
                await told.wait_for()
                assert why in await told.inner_text()
                assert await page.evaluate("localStorage.length") == 0
            await pin(page, f"  {key}\n")
            assert (await verdict(page))[0] == "good"
            await page.get_by_role("button", name="Forget this key").click()
            await page.get_by_label("Verifier key of the log").wait_for()
            assert await page.evaluate("localStorage.length") == 0

    chromium.run(journey())


def test_a_browser_that_cannot_check_says_so_and_how_to_check_elsewhere(
    chromium: Chromium, live: Live, log: Signer
) -> None:
    async def journey() -> None:
        async with chromium.context(live, AUDITOR) as visitor:
            await visitor.context.add_init_script(
                "crypto.subtle.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError'))"
            )
            page = await visitor.open(f"{AT}/entries/{INDEX}")
            await pin(page, log.verifier.text)
            state, words = await verdict(page)
            assert state == "left"
            assert "python -m audit" in words
        async with chromium.context(live, AUDITOR, scripts=False) as visitor:
            page = await visitor.open(f"{AT}/entries/{INDEX}")
            words = await page.locator("main").inner_text()
            assert "Scripts are off" in words
            assert "The server says it is good" in words
            assert "python -m audit receipt" in words

    chromium.run(journey())
