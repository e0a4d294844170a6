"""`python -m tests.bench.matching [--people N] [--estimate FILE]`: how well and how fast people are matched.

Estimating counts levels over labelled pairs of one half of the people (m) and random pairs of different people (u),
each with half an observation added so that nothing unseen is impossible. No expectation maximisation is needed where
the truth is known. Levels that neither set can show (telephone, sex, nicknames, …) keep the values stated in the file.

Reporting takes the other half's records one after another, each against all before it, as they come in at a gateway,
and counts pairs: precision among what is linked, recall among all true pairs, with Clopper-Pearson intervals of 95 %.
It says the same once people who know the truth have decided what is put to them, and of a rule that links by weight
alone: the difference is what telling a household apart costs these sets, which have none, and what it saves.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from itertools import accumulate, combinations
from math import exp, lgamma, log
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from audit.bulk import insert_rows
from gateway import keys
from gateway.chance import fresh_id
from gateway.linking.looking import LEAST_PEOPLE, MOST_REVIEWS
from gateway.matching.blocks import asked, stored
from gateway.matching.comparisons import FIELDS, LEVELS
from gateway.matching.model import LEAST_AGREEING, Band, Model, Score, judge, shipped
from gateway.matching.traits import Traits, together
from gateway.repeats import linked
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.features import Features
from gateway.store.migrations import upgrade
from tests.bench.figures import MILLISECONDS, PER_SECOND, Row, percentile, table
from tests.support.households import APART
from tests.support.people import FAKE_1000, FEBRL_1, Labelled, fake_1000, febrl_1, half, pairs
from tests.support.postgres import binaries, running

RANDOM_PAIRS = 200_000
SEED = 20261123


@dataclass(frozen=True, slots=True)
class Quality:
    """What was found of a set: pairs linked and rightly so, put to a person and rightly so, and all true pairs."""

    linked: int
    right: int
    reviewed: int
    reviewed_right: int
    true: int

    @property
    def precision(self) -> float:
        """The share of links that are right."""
        return self.right / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """The share of true pairs that are linked."""
        return self.right / self.true


class WeightAlone(Model):
    """Links whoever is probable enough and agrees in three things: no household is told apart."""

    def band(self, score: Score, people: int) -> Band:
        """As Fellegi and Sunter, and no further."""
        plain = super().band(score, people)
        sure = plain is not Band.NONE and score.agreeing >= LEAST_AGREEING
        return Band.LINK if sure and self.probability(score, people) >= self.link else plain


def report(model: Model, records: Sequence[Labelled], people: int, *, decided: bool = False) -> Quality:
    """Take in records one after another, each judged against the people whom those before it make.

    As at a gateway, only who shares a key with the record is compared, with everything that is linked to them. Where
    `decided`, whoever is put to a person is joined or not as the truth has it, as far as people are asked.
    """
    known: list[list[Labelled]] = []
    found_by: list[set[str]] = []
    reviewed = reviewed_right = 0
    for one in records:
        wanted = asked(one.traits)
        near = [at for at, found in enumerate(found_by) if not found.isdisjoint(wanted)]
        judged = judge(model, one.traits, [together([each.traits for each in known[at]]) for at in near], people)
        joined, own = [one], set(stored(one.traits))
        linked_to = [at for at, found in zip(near, judged, strict=True) if found.band is Band.LINK]
        likely = [(found.probability, at) for at, found in zip(near, judged, strict=True) if found.band is Band.REVIEW]
        put = [at for _, at in sorted(likely, reverse=True)[:MOST_REVIEWS]]
        rightly = [at for at in put if known[at][0].person == one.person]
        reviewed += len(put)
        reviewed_right += len(rightly)
        if decided:
            linked_to += rightly
        for at in sorted(linked_to, reverse=True):
            joined += known.pop(at)
            own |= found_by.pop(at)
        known.append(joined)
        found_by.append(own)
    made = [pair for group in known for pair in combinations(group, 2)]
    right = sum(a.person == b.person for a, b in made)
    return Quality(len(made), right, reviewed, reviewed_right, sum(1 for _ in pairs(records)))


def interval(hits: int, of: int) -> tuple[float, float]:
    """The Clopper-Pearson interval of a share, 95 %: found by halving on the exact binomial."""

    def at_least(p: float) -> float:  # of `hits` or more
        return 1.0 - _cumulative(hits - 1, of, p)

    low = 0.0 if hits == 0 else _solve(at_least, 0.025)
    high = 1.0 if hits == of else _solve(lambda p: 1.0 - _cumulative(hits, of, p), 0.975)
    return low, high


def _cumulative(hits: int, of: int, p: float) -> float:
    """The chance of at most so many hits, summed term by term."""
    if p <= 0.0 or p >= 1.0:
        return 1.0 if p <= 0.0 else 0.0
    base = lgamma(of + 1)
    return min(
        1.0,
        sum(
            exp(base - lgamma(k + 1) - lgamma(of - k + 1) + k * log(p) + (of - k) * log(1.0 - p))
            for k in range(hits + 1)
        ),
    )


def _solve(rising: Callable[[float], float], wanted: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return (low + high) / 2


def estimate(sets: Sequence[Sequence[Labelled]], stated: Mapping[str, Any]) -> dict[str, Any]:
    """The weights document with every level that the sets show counted again; `stated` is the document of before."""
    rng = random.Random(SEED)
    seen: dict[str, tuple[Counter[str], Counter[str]]] = {field: (Counter(), Counter()) for field in FIELDS}
    for records in sets:
        same = list(pairs(records))
        other = [
            (one, two)
            for one, two in (rng.choices(records, k=2) for _ in range(RANDOM_PAIRS))
            if one.person != two.person
        ]
        for at, found in enumerate((same, other)):
            for one, two in found:
                for field, compare in FIELDS.items():
                    if (level := compare(one.traits, two.traits)) is not None:
                        seen[field][at][level] += 1
    fields: dict[str, Any] = {}
    for field, levels in LEVELS.items():
        known = stated["fields"][field]
        counted = [level for level in levels if known[level]["from"] == "counted"]
        totals = [sum(counts[level] for level in counted) + len(counted) / 2 for counts in seen[field]]
        left = [1.0 - sum(known[level][key] for level in levels if level not in counted) for key in ("m", "u")]
        fields[field] = {
            level: {
                key: _rounded((counts[level] + 0.5) / total * rest)
                for key, counts, total, rest in zip(("m", "u"), seen[field], totals, left, strict=True)
            }
            | {"from": "counted"}
            if level in counted
            else known[level]
            for level in levels
        }
    names = Counter(one.traits.names[0][0] for records in sets for one in _one_each(records))
    total = sum(names.values())
    common = {name: _rounded(count / total) for name, count in names.most_common() if count >= COMMON}
    return {**stated, "fields": fields, "family_names": common}


COMMON = 4  # people of one family name, of some five hundred: below, the count says nothing


def _one_each(records: Sequence[Labelled]) -> list[Labelled]:
    return list({one.person: one for one in records if one.traits.names[0][0]}.values())


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


@dataclass(frozen=True, slots=True)
class Crowd:
    """Generated people in an index, with names as unevenly spread as real ones (Zipf) and made up otherwise."""

    rng: random.Random
    families: Sequence[str]
    givens: Sequence[str]
    shares: Sequence[float]

    @classmethod
    def of(cls, seed: int) -> Crowd:
        """Names for a crowd; the same seed gives the same people."""
        rng = random.Random(seed)
        sounds = [a + b for a in ONSETS.split() for b in VOWELS.split()]
        families = ["".join(rng.choices(sounds, k=rng.choice((2, 2, 3)))) for _ in range(20_000)]
        text = files("gateway.matching").joinpath("given_names.txt").read_text(encoding="utf-8")
        givens = [line.split()[0] for line in text.splitlines() if not line.startswith("#")]
        rng.shuffle(givens)
        shares = list(accumulate(1 / (rank + 5) ** 0.9 for rank in range(len(families))))  # the commonest: 1.3 %
        return cls(rng, families, givens, shares)

    def person(self) -> Traits:
        """Somebody: nine in ten have a postcode, two thirds a telephone number; one birthday in fifty is a default."""
        rng = self.rng
        (family,) = rng.choices(self.families, cum_weights=self.shares)
        (given,) = rng.choices(self.givens, cum_weights=self.shares[: len(self.givens)])
        year = rng.randrange(1945, 2008)
        day = (1, 1) if rng.random() < DEFAULTS else (rng.randrange(1, 13), rng.randrange(1, 29))
        code = f"zz{rng.randrange(1, 100)}{rng.randrange(0, 10)}{rng.choice(INWARD)}{rng.choice(INWARD)}"
        return Traits(
            names=((family, given),),
            born=((year, *day),),
            sex=(rng.choice(("female", "male")),),
            postcodes=(code,) if rng.random() < POSTCODES else (),
            places=(f"{rng.randrange(1, 200)} {rng.choice(self.families)} road",),
            phones=(f"07700{rng.randrange(10**6):06}",) if rng.random() < PHONES else (),
        )


ONSETS, VOWELS = "b c d f g h j k l m n p r s t w br st cl th", "a e i o u ea oo"
DEFAULTS, POSTCODES, PHONES = 0.02, 0.9, 0.67
INWARD = "abdefghjlnpqrstuwxyz"  # the letters of an inward code


def fill(database: Database, features: Features, log_id: str, people: int, seed: int = SEED) -> list[Traits]:
    """Put a crowd into the index; returns some of them, as they were put in."""
    crowd, known = Crowd.of(seed), []
    for start in range(0, people, IN_ONE_COMMIT):
        events: list[tuple[object, ...]] = []
        data_keys: list[tuple[object, ...]] = []
        digests: list[tuple[object, ...]] = []
        for number in range(start, min(start + IN_ONE_COMMIT, people)):
            traits = crowd.person()
            if number % max(1, people // SAMPLES) == 0:
                known.append(traits)
            made = features.sealed({VICTIM: traits}, record_id=fresh_id(), log_id=log_id)
            row = {**made.event, "event_id": made.event["record_id"], "matched_at": "2026"}
            events.append(tuple(row[column.name] for column in tables.match_event.columns))
            data_keys.append(tuple(made.data_key[column.name] for column in tables.data_key.columns))
            digests += [(digest, row["id"]) for digest in made.keys]
        with database.writing() as connection:
            for table, rows in (
                (tables.match_event, events),
                (tables.data_key, data_keys),
                (tables.match_key, digests),
            ):
                insert_rows(connection, table, rows)
    return known


VICTIM = "victim-1"
SAMPLES, IN_ONE_COMMIT = 1000, 5000


def lookup(database: Database, features: Features, log_id: str, known: Sequence[Traits], people: int) -> list[float]:
    """Find each of some people among all: milliseconds, candidates read, decrypted and judged."""
    taken: list[float] = []
    missed = 0
    with database.reading() as connection:
        for traits in known:
            began = time.perf_counter()
            found = features.candidates(connection, log_id, "victim", traits)
            linked(connection.execute, log_id, [(one.event_id, VICTIM) for one in found])
            judged = judge(shipped(), traits, [one.people[VICTIM] for one in found], people)
            taken.append((time.perf_counter() - began) * 1000)
            missed += traits not in [one.people[VICTIM] for one in found] or not judged
    if missed > len(known) * MOST_MISSED:
        raise AssertionError(f"{missed} of {len(known)} people who are there were not found")
    return taken


MOST_MISSED = 0.005  # who has a common name, a default birthday and nothing else is nobody in a crowd


def measure(directory: Path, people: int, url: str) -> list[Row]:
    """One person against so many, in a database of their own."""
    engine = make_url(url).get_backend_name()
    database = Database(url)
    try:
        upgrade(database)
        features = Features(keys.create(directory / f"keys-{engine}", "development"))
        began = time.perf_counter()
        known = fill(database, features, "bench", people)
        rate = people / (time.perf_counter() - began)
        lookup(database, features, "bench", known[: SAMPLES // 10], people)
        taken = lookup(database, features, "bench", known, people)
    finally:
        database.close()
    return [
        Row(f"match_{people}_p50", engine, percentile(taken, 50), MILLISECONDS),
        Row(f"match_{people}_p99", engine, percentile(taken, 99), MILLISECONDS),
        Row(f"match_index_{people}", engine, rate, PER_SECOND),
    ]


IN_SET = 1000  # records in each of the labelled sets: how many there are to choose from


def qualities(model: Model, data: Path, *, decided: bool = False) -> list[tuple[str, Quality]]:
    """What is found of the halves that nothing was estimated on."""
    sets = (("fake_1000", fake_1000, FAKE_1000), ("febrl1", febrl_1, FEBRL_1))
    return [
        (name, report(model, half(read(data.joinpath(*path)), 1), IN_SET, decided=decided)) for name, read, path in sets
    ]


def weight_alone(model: Model) -> Model:
    """The same weights without the rule that tells a household apart."""
    return WeightAlone(model.weights, model.family_bits, model.link, model.review)


def apart_linked(model: Model) -> int:
    """How many of our own twins, sisters and other two who look like one a model links without a person."""
    return sum(model.band(model.score(*pair), LEAST_PEOPLE) is Band.LINK for pair in APART.values())


def _quality(said: str, name: str, found: Quality) -> str:
    low, high = interval(found.right, found.linked)
    left, right = interval(found.right, found.true)
    return (
        f"{said:<19} {name:<10} precision {found.precision:.4f} [{low:.4f}, {high:.4f}] of {found.linked} links; "
        f"recall {found.recall:.4f} [{left:.4f}, {right:.4f}] of {found.true}; "
        f"to a person {found.reviewed}, of them rightly {found.reviewed_right}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Report how well people are matched and, where asked for, how fast; or estimate the weights again."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.matching", description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of the public data sets")
    parser.add_argument("--people", type=int, default=0, help="also one person against so many")
    parser.add_argument("--estimate", type=Path, help="write the weights, estimated again, to this file; nothing else")
    options = parser.parse_args(arguments)
    if options.estimate:
        sets = [
            half(fake_1000(options.data.joinpath(*FAKE_1000)), 0),
            half(febrl_1(options.data.joinpath(*FEBRL_1)), 0),
        ]
        before = json.loads(files("gateway.matching").joinpath("weights.json").read_text(encoding="utf-8"))
        document = estimate(sets, before) | {"date": datetime.now(UTC).date().isoformat()}
        options.estimate.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        return 0
    if options.data:
        alone = weight_alone(shipped())
        for said, model, decided in (
            ("linked", shipped(), False),
            ("and people decided", shipped(), True),
            ("by weight alone", alone, False),
        ):
            for name, found in qualities(model, options.data, decided=decided):
                print(_quality(said, name, found))
        print(f"two of one household linked: {apart_linked(shipped())} of {len(APART)}; ", end="")
        print(f"by weight alone: {apart_linked(alone)}")
    if options.people:
        with tempfile.TemporaryDirectory(prefix="provide-bench-") as scratch:
            rows = measure(Path(scratch), options.people, f"sqlite:///{Path(scratch) / 'matching.sqlite3'}")
            if binaries() is not None:
                with running(durable=False) as server:
                    rows += measure(Path(scratch), options.people, server.create("matching"))
            print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
