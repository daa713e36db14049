"""Pairings against a model of them, in any order of events: who gets a token, how many wait, and until when."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from satchel.api import pairing
from satchel.api.pairing import GoneError, Grant, Pairings, WrongVerifierError
from satchel.types import NotFoundError, TooManyError

MINUTE = 60_000
ORIGINS = (None, *(f"chrome-extension://{letter * 32}" for letter in "abcdef"))
GRANT = Grant(scopes=("recall",), profiles=("work",))


def most(origin: str | None) -> int:
    """How many of an origin may wait; programs have none."""
    return 3 if origin is None else 2


def challenge_of(verifier: str) -> str:
    return hashlib.sha256(verifier.encode()).hexdigest()


class Asked:
    """A pairing as the model knows it."""

    def __init__(self, verifier: str, given: pairing.Pairing, now: int) -> None:
        self.origin = given.origin
        self.verifier, self.id, self.code, self.asked_at = verifier, given.id, given.code, now
        self.wrong = 0
        self.confirmed: Grant | None = None
        self.over = False
        self.tokens = 0

    def holds(self, now: int) -> bool:
        return not self.over and 0 <= now - self.asked_at < 5 * MINUTE


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_780_000_000_000
        self.pairings = Pairings(now=lambda: self.now, random=random.Random(7))
        self.asked: list[Asked] = []
        self.wrong_codes: list[int] = []

    def holding(self) -> list[Asked]:
        return [one for one in self.asked if one.holds(self.now)]

    def locked(self) -> bool:
        return len([at for at in self.wrong_codes if 0 <= self.now - at < 5 * MINUTE]) >= 10

    @rule(origin=st.sampled_from(ORIGINS))
    def ask(self, origin: str | None) -> None:
        verifier = f"verifier {len(self.asked)}".ljust(43, ".")
        holding = self.holding()
        of = Counter(one.origin for one in holding)
        open_ = [one for one in holding if one.confirmed is None]
        going: list[Asked] | None = None
        if of[origin] >= most(origin):
            going = [one for one in open_ if one.origin == origin]
        elif len(holding) >= 5:
            going = [one for one in open_ if of[one.origin] == max(of[other.origin] for other in open_)]
        try:
            given = self.pairings.ask(client="c", challenge=challenge_of(verifier), origin=origin)
        except TooManyError:
            assert going == []
        else:
            assert going != []
            if going:
                going[0].over = True
            assert given.id not in [one.id for one in self.asked]
            self.asked.append(Asked(verifier, given, self.now))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), right=st.integers(0, 9))
    def collect(self, data: st.DataObject, right: int) -> None:
        one = data.draw(st.sampled_from(self.asked[-7:]))
        held = one.holds(self.now)
        try:
            given = self.pairings.collect(one.id, one.verifier if right else "x" * 43, origin=one.origin)
        except GoneError:
            assert not held
            one.over = True
        except WrongVerifierError:
            assert held
            assert not right
            one.wrong += 1
            one.over = one.wrong == 5
        else:
            assert held
            assert right
            assert given.grant == one.confirmed
            if given.grant is not None:
                one.tokens += 1
                one.over = True
            else:
                assert 1 <= self.pairings.expires_in(given) <= 300
                assert one.asked_at + 5 * MINUTE <= self.now + 1000 * self.pairings.expires_in(given)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), confirm=st.booleans(), crossed=st.integers(0, 9))
    def decide(self, data: st.DataObject, confirm: bool, crossed: int) -> None:
        one = data.draw(st.sampled_from(self.asked[-7:]))
        typed = one if crossed else data.draw(st.sampled_from(self.asked[-7:]))
        waits = typed.holds(self.now) and typed.confirmed is None
        locked = self.locked()
        try:
            self.pairings.decide(one.id, typed.code, GRANT if confirm else None)
        except TooManyError:
            assert locked
        except NotFoundError:
            assert not locked
            assert not waits or one is not typed
            self.wrong_codes.append(self.now)
        else:
            assert waits
            assert not locked
            assert one is typed
            if confirm:
                one.confirmed = GRANT
            else:
                one.over = True

    @rule(code=st.sampled_from(["BBBB-BBBB", "", "-", "ABCD", "é\ud800"]))
    def guess(self, code: str) -> None:
        locked = self.locked()
        with pytest.raises(TooManyError if locked else NotFoundError):
            self.pairings.find(code)
        if not locked:
            self.wrong_codes.append(self.now)

    @rule(ms=st.sampled_from([1, 1000, MINUTE, 2 * MINUTE, 5 * MINUTE - 1, 5 * MINUTE, -1, -MINUTE, -10 * MINUTE]))
    def wait(self, ms: int) -> None:
        # What has expired stays so when the clock is set back afterwards, once the class has looked.
        self.now += ms
        self.pairings._forget_expired()
        for one in self.asked:
            one.over = one.over or not one.holds(self.now)
        self.wrong_codes = [at for at in self.wrong_codes if 0 <= self.now - at < 5 * MINUTE]

    @invariant()
    def nobody_has_two_tokens_or_one_without_a_confirmation(self) -> None:
        assert all(one.tokens <= (one.confirmed is not None) for one in self.asked)

    @invariant()
    def no_more_than_five_wait(self) -> None:
        of = Counter(waiting.origin for waiting in self.pairings._waiting.values())
        assert of.total() <= 5
        assert all(count <= most(origin) for origin, count in of.items())

    @invariant()
    def what_holds_for_the_model_waits(self) -> None:
        assert {one.id for one in self.holding()} == set(self.pairings._waiting)

    @invariant()
    def what_waits_has_a_code_of_its_own(self) -> None:
        codes = [one.code for one in self.holding()]
        assert len(set(codes)) == len(codes)


Machine.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestPairings = Machine.TestCase


class Clock:
    ms = 1_780_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pairings(clock: Clock) -> Pairings:
    return Pairings(now=clock, random=random.Random(7))


VERIFIER = "v" * 43


def ask(pairings: Pairings, origin: str | None = None) -> pairing.Pairing:
    return pairings.ask(client="c", challenge=challenge_of(VERIFIER), origin=origin)


def waits(pairings: Pairings, *asked: pairing.Pairing) -> list[bool]:
    return [one.id in pairings._waiting for one in asked]


@pytest.mark.parametrize(("later", "holds"), [(5 * MINUTE - 1, True), (5 * MINUTE, False), (-1, False)])
def test_a_pairing_holds_for_five_minutes_by_the_clock_it_was_given(
    pairings: Pairings, clock: Clock, later: int, holds: bool
) -> None:
    asked = ask(pairings)
    assert pairings.expires_in(asked) == 300
    clock.ms += later
    if holds:
        assert pairings.expires_in(asked) == 1
        assert pairings.find(asked.code).id == asked.id
        assert pairings.collect(asked.id, VERIFIER, origin=None).grant is None
    else:
        with pytest.raises(NotFoundError):
            pairings.find(asked.code)
        with pytest.raises(GoneError):
            pairings.collect(asked.id, VERIFIER, origin=None)


@pytest.mark.parametrize("origin", ORIGINS[:2])
def test_the_oldest_of_an_origin_makes_room_for_its_next_and_nobody_elses_does(
    pairings: Pairings, origin: str | None
) -> None:
    other = ask(pairings, ORIGINS[2])
    own = [ask(pairings, origin) for _ in range(most(origin))]
    assert all(waits(pairings, other, *own))
    for number, oldest in enumerate(own):
        ask(pairings, origin)
        assert waits(pairings, oldest, *own[number + 1 :], other) == [False] + [True] * (len(own) - number)


def test_no_number_of_asks_shuts_out_the_next_client_and_the_greediest_loses_first(pairings: Pairings) -> None:
    greedy = [ask(pairings, ORIGINS[1]) for _ in range(2)]
    programs = [ask(pairings) for _ in range(3)]
    newcomer = ask(pairings, ORIGINS[2])
    assert waits(pairings, *greedy, *programs, newcomer) == [True, True, False, True, True, True]
    for origin in ORIGINS[3:]:
        assert waits(pairings, ask(pairings, origin)) == [True]


def test_what_is_confirmed_makes_no_room(pairings: Pairings, clock: Clock) -> None:
    confirmed = [ask(pairings, origin) for origin in ORIGINS[:5]]
    for one in confirmed[1:]:
        pairings.decide(one.id, one.code, GRANT)
    ask(pairings, ORIGINS[5])
    assert waits(pairings, *confirmed) == [False, True, True, True, True]
    last = ask(pairings, ORIGINS[6])
    pairings.decide(last.id, last.code, GRANT)
    with pytest.raises(TooManyError, match="confirmed"):
        ask(pairings)
    clock.ms += 5 * MINUTE
    ask(pairings)


def test_a_confirmation_does_not_outlive_the_pairing(pairings: Pairings, clock: Clock) -> None:
    asked = ask(pairings)
    pairings.decide(asked.id, asked.code, GRANT)
    clock.ms += 5 * MINUTE
    with pytest.raises(GoneError):
        pairings.collect(asked.id, VERIFIER, origin=None)


def test_a_confirmed_pairing_is_not_found_or_decided_again(pairings: Pairings) -> None:
    asked = ask(pairings)
    pairings.decide(asked.id, asked.code, GRANT)
    with pytest.raises(NotFoundError):
        pairings.find(asked.code)
    with pytest.raises(NotFoundError):
        pairings.decide(asked.id, asked.code, None)
    assert pairings.collect(asked.id, VERIFIER, origin=None).grant == GRANT


def test_after_ten_wrong_codes_the_right_one_is_refused_too_until_five_minutes_have_passed(
    pairings: Pairings, clock: Clock
) -> None:
    for _ in range(10):
        with pytest.raises(NotFoundError):
            pairings.find("BBBB-BBBB")
    clock.ms += 5 * MINUTE - 1
    asked = ask(pairings)
    with pytest.raises(TooManyError, match="wait 5 minutes"):
        pairings.find(asked.code)
    with pytest.raises(TooManyError):
        pairings.decide(asked.id, asked.code, GRANT)
    clock.ms += 1
    assert pairings.find(asked.code).id == asked.id


def test_two_that_wait_never_have_the_same_code() -> None:
    class Stuck(random.Random):
        """Gives the same code twice, then another."""

        drawn = 0

        def choice(self, letters: Any) -> Any:
            self.drawn += 1
            return letters[0 if self.drawn <= 2 * pairing.CODE_LENGTH else 1]

    stuck = Pairings(now=Clock(), random=Stuck())
    assert ask(stuck).code != ask(stuck).code


@given(st.integers())
def test_a_code_is_eight_letters_that_nobody_mistakes(seed: int) -> None:
    code = ask(Pairings(now=Clock(), random=random.Random(seed))).code
    assert len(code) == 8
    assert not set(code) & set("AEIOU0123456789")
    assert pairing.shown(code) == f"{code[:4]}-{code[4:]}"


@given(st.text(pairing.ALPHABET, min_size=8, max_size=8))
def test_a_code_is_taken_however_it_is_typed(code: str) -> None:
    for form in (code, code.lower(), pairing.shown(code), f"  {pairing.shown(code).lower()} ", " ".join(code)):
        assert pairing.typed(form) == code
