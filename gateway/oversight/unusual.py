"""The rules of the findings: what each takes for unusual, said exactly.

What opens a case, acts on one, or refuses something is said in `acting`. Each rule makes one pass and keeps only what
lies within its window, so that memory follows how busy a window is and not how long the log.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from gateway.clock import clock
from gateway.evidence import GATEWAY, Event
from gateway.london import day_of
from gateway.oversight.acting import Who, actor_of, acts_on, opens, refuses
from gateway.oversight.gathering import Act, Finding, Gathering, Matter, matter
from gateway.oversight.standing import Past
from gateway.oversight.thresholds import Thresholds
from gateway.rules import CONNECTIONS

STANDING_EVENTS = frozenset(
    {Event.CANARY_PLACED.value, Event.BREAK_GLASS_OPENED.value, Event.BREAK_GLASS_REVIEWED.value}
)
"""What happened before a range and still counts in it."""


class Rule(Protocol):
    """One rule at work. `remember` takes note of a standing event of before; the others yield what is found."""

    name: str

    def remember(self, act: Act) -> None:
        """Take note of a standing event that lies before what is read whole."""
        ...

    def see(self, act: Act) -> Iterator[Finding]:
        """See the next act, in order."""
        ...

    def end(self, now: datetime) -> Iterator[Finding]:
        """There are no more; it is now this late."""
        ...


def rules(thresholds: Thresholds, past: Past) -> tuple[Rule, ...]:
    """Every rule, ready to begin. `past` follows the agreements, for their closed days."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    return (
        ManyCases(f"more than {thresholds.cases_an_hour} cases within an hour", thresholds.cases_an_hour, hour),
        ManyCases(f"more than {thresholds.cases_a_day} cases within a day", thresholds.cases_a_day, day),
        ReadWithoutAction(thresholds),
        OutOfHours(thresholds, past),
        Connected(),
        Canary(),
        RefusedBurst(thresholds),
        BreakGlassUnreviewed(past),
    )


class ManyCases:
    """One user opened more than so many different referrals within a window of time, wherever the window begins."""

    name = "many-cases"

    def __init__(self, words: str, most: int, window: timedelta) -> None:
        self._most = most
        self._window = window
        self._recent: OrderedDict[Who, OrderedDict[str, Act]] = OrderedDict()
        self._bursts = Gathering(self.name, f"opened {words}", window, about_case=False)

    def remember(self, act: Act) -> None:
        """Nothing of before counts."""

    def see(self, act: Act) -> Iterator[Finding]:
        """See `Rule.see`. The openings of the last most + 1 different cases decide; older ones need not be kept."""
        yield from self._bursts.over(act.at)
        if not opens(act) or act.user is None or act.case is None:
            return
        who, since = actor_of(act), act.at - self._window
        while self._recent and next(reversed(next(iter(self._recent.values())).values())).at < since:
            self._recent.popitem(last=False)
        cases = self._recent.pop(who, None) or OrderedDict()
        self._recent[who] = cases
        cases.pop(act.case, None)
        cases[act.case] = act
        while next(iter(cases.values())).at <= since or len(cases) > self._most + 1:
            cases.popitem(last=False)
        if len(cases) > self._most:
            self._bursts.add(who, (act,) if who in self._bursts else tuple(cases.values()), act)

    def end(self, now: datetime) -> Iterator[Finding]:
        """See `Rule.end`."""
        del now
        yield from self._bursts.end()


class ReadWithoutAction:
    """A user opened a referral, and nobody of that organisation acted on it from so long before to so long after.

    Found once that time has passed; every opening by that user in it is evidence.
    """

    name = "read-without-action"

    def __init__(self, thresholds: Thresholds) -> None:
        self._window = thresholds.action_window
        self._words = f"opened a referral on which nobody acted within {thresholds.action_hours} hours"
        self._waiting: OrderedDict[tuple[str, str, str], Matter] = OrderedDict()
        self._openers: dict[tuple[str, str], set[str]] = {}
        self._acted: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def remember(self, act: Act) -> None:
        """Nothing of before counts."""

    def see(self, act: Act) -> Iterator[Finding]:
        """See `Rule.see`."""
        yield from self.end(act.at)
        if act.case is None:
            return
        of = (act.organisation, act.case)
        if acts_on(act):
            self._acted.pop(of, None)
            self._acted[of] = act.at
            for user in self._openers.pop(of, ()):
                del self._waiting[(act.organisation, user, act.case)]
        elif opens(act) and act.user is not None and of not in self._acted:
            key = (act.organisation, act.user, act.case)
            found = self._waiting.setdefault(key, matter(act))
            found.add((act,))
            self._openers.setdefault(of, set()).add(act.user)

    def end(self, now: datetime) -> Iterator[Finding]:
        """See `Rule.end`: what is not yet due then is not found."""
        while self._acted and next(iter(self._acted.values())) < now - self._window:
            self._acted.popitem(last=False)
        while self._waiting and next(iter(self._waiting.values())).first + self._window <= now:
            (organisation, user, case), found = self._waiting.popitem(last=False)
            openers = self._openers[(organisation, case)]
            openers.discard(user)
            if not openers:
                del self._openers[(organisation, case)]
            yield found.finding(self.name, self._words, case=case, known=found.first + self._window)


class OutOfHours:
    """A user opened referrals outside the team's rota; one finding for each user and day in London."""

    name = "out-of-hours"

    def __init__(self, thresholds: Thresholds, past: Past) -> None:
        self._rota = thresholds.rota
        self._past = past
        self._nights = Gathering(
            self.name, "opened referrals outside working hours", timedelta(days=1), about_case=False
        )

    def remember(self, act: Act) -> None:
        """Nothing of before counts."""

    def see(self, act: Act) -> Iterator[Finding]:
        """See `Rule.see`."""
        yield from self._nights.over(act.at)
        if opens(act) and act.user is not None and not self._works(act.at):
            self._nights.add((actor_of(act), day_of(act.at)), (act,), act)

    def end(self, now: datetime) -> Iterator[Finding]:
        """See `Rule.end`."""
        del now
        yield from self._nights.end()

    def _works(self, at: datetime) -> bool:
        agreement = None if self._rota.holidays else self._past.in_force()
        return self._rota.works(at, frozenset(agreement.content.clocks.closed) if agreement else frozenset())


class Connected:
    """Somebody connected with a party (declared, same family name, same address) asked for the case.

    Refused attempts count, and so does what was opened by breaking the glass.
    """

    name = "connected"

    def __init__(self) -> None:
        self._gathered = Gathering(
            self.name, "is connected with a party of the case asked for", timedelta(days=1), about_case=True
        )

    def remember(self, act: Act) -> None:
        """Nothing of before counts."""

    def see(self, act: Act) -> Iterator[Finding]:
        """See `Rule.see`."""
        yield from self._gathered.over(act.at)
        if act.facts.get("relationship") in CONNECTIONS:
            self._gathered.add((actor_of(act), act.case), (act,), act)

    def end(self, now: datetime) -> Iterator[Finding]:
        """See `Rule.end`."""
        del now
        yield from self._gathered.end()


class Canary:
    """Somebody opened, or tried to open or change, a case that was placed so that nobody has a reason to."""

    name = "canary"

    def __init__(self) -> None:
        self._placed: set[str] = set()
        self._gathered = Gathering(
            self.name, "touched a case that nobody has a reason to open", timedelta(days=1), about_case=True
        )

    def remember(self, act: Act) -> None:
        """Note where canaries are."""
        if act.event == Event.CANARY_PLACED.value and act.case is not None:
            self._placed.add(act.case)

    def see(self, act: Act) -> Iterator[Finding]:
        """See `Rule.see`. A worklist shows every case; the gateway's own acts are nobody's."""
        yield from self._gathered.over(act.at)
        if act.event == Event.CANARY_PLACED.value:
            self.remember(act)
        elif act.case in self._placed and act.event != Event.WORKLIST_READ.value and act.client != GATEWAY.client:
            self._gathered.add((actor_of(act), act.case), (act,), act)

    def end(self, now: datetime) -> Iterator[Finding]:
        """See `Rule.end`."""
        del now
        yield from self._gathered.end()


class RefusedBurst:
    """One client, for one user, was refused so many times within so many minutes.

    A record held for a human refuses nobody, and a worklist or a feed that is empty is an answer: neither counts.
    """

    name = "refused-burst"

    def __init__(self, thresholds: Thresholds) -> None:
        self._most = thresholds.refusals
        self._window = timedelta(minutes=thresholds.refusal_minutes)
        words = f"was refused {self._most} times or more within {thresholds.refusal_minutes} minutes"
        self._recent: OrderedDict[Who, deque[Act]] = OrderedDict()
        self._bursts = Gathering(self.name, words, self._window, about_case=False)

    def remember(self, act: Act) -> None:
        """Nothing of before counts."""

    def see(self, act: Act) -> Iterator[Finding]:
        """See `Rule.see`."""
        yield from self._bursts.over(act.at)
        if not refuses(act):
            return
        who, since = actor_of(act), act.at - self._window
        while self._recent and next(iter(self._recent.values()))[-1].at < since:
            self._recent.popitem(last=False)
        acts = self._recent.pop(who, None) or deque(maxlen=self._most)
        self._recent[who] = acts
        acts.append(act)
        if len(acts) == self._most and acts[0].at > since:
            self._bursts.add(who, (act,) if who in self._bursts else tuple(acts), act)

    def end(self, now: datetime) -> Iterator[Finding]:
        """See `Rule.end`."""
        del now
        yield from self._bursts.end()


class BreakGlassUnreviewed:
    """A denial was overridden in an emergency, and nobody reviewed that within one working day of the agreement."""

    name = "break-glass-unreviewed"
    words = "broke the glass, and nobody reviewed it within one working day"

    def __init__(self, past: Past) -> None:
        self._past = past
        self._open: OrderedDict[str, tuple[Matter, datetime]] = OrderedDict()

    def remember(self, act: Act) -> None:
        """Note what was opened, and what was reviewed."""
        name = str(act.detail.get("break-glass", act.case))
        if act.event == Event.BREAK_GLASS_OPENED.value:
            if name in self._open:  # opened once more while it was open
                return
            agreement = self._past.in_force()
            closed = frozenset(agreement.content.clocks.closed) if agreement else frozenset()
            found = matter(act)
            found.add((act,))
            self._open[name] = (found, _REVIEW.from_(act.at, closed))
        elif act.event == Event.BREAK_GLASS_REVIEWED.value:
            self._open.pop(name, None)

    def see(self, act: Act) -> Iterator[Finding]:
        """See `Rule.see`."""
        yield from self.end(act.at)
        self.remember(act)

    def end(self, now: datetime) -> Iterator[Finding]:
        """See `Rule.end`: what is not yet due then is not found."""
        for name in [name for name, (_, due) in self._open.items() if due < now]:
            found, due = self._open.pop(name)
            yield found.finding(self.name, self.words, case=found.opener.case, known=due)


_REVIEW = clock("1 working day")  # design.md section 6: review is due in one working day
