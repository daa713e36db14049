"""The real store against a model of it that fits on a page: whatever order things happen in, both agree."""

from __future__ import annotations

import itertools
import random
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from storing import DAY, Clock, capture, draft, empty_journal, quote, raw_bytes, remember, said, turns

from satchel.store import Store, changes, forget, jobs, log, memories, vectors
from satchel.times import to_iso
from satchel.types import Message

CONVERSATIONS = [
    (profile, site, name) for profile in ("me", "work") for site in ("a.test", "b.test") for name in ("c1", "c2")
][:6]
JUMPS = (1, 999, 5_001, 61_000, 200_000, DAY, -1, -1_000, -61_000, -DAY, -40 * DAY)
DIMENSIONS = 8
LONGEST_WAIT = jobs.BACK_OFF_MS[-1]

Place = tuple[str, str, str]


class Turn:
    def __init__(self, message_id: str, role: str, content: str, time: int, position: int) -> None:
        self.id, self.role, self.content, self.time, self.position = message_id, role, content, time, position
        self.before: list[tuple[str, str]] = []


class Work:
    """A job as the model knows it."""

    def __init__(self, number: int, place: Place) -> None:
        self.number, self.place = number, place
        self.status: Literal["queued", "running", "completed", "failed"] = "queued"
        self.attempts, self.run_after, self.lease_until = 0, 0, 0

    def settle(self, now: int) -> None:
        if self.attempts >= jobs.MAX_ATTEMPTS:
            self.status = "failed"
        else:
            self.status = "queued"
            self.run_after = now + jobs.BACK_OFF_MS[min(self.attempts, len(jobs.BACK_OFF_MS)) - 1]


class Held:
    """A memory as the model knows it: its text, and the words that the user wrote."""

    def __init__(self, text: str, message_ids: list[str], *, by_hand: bool) -> None:
        self.text, self.message_ids, self.by_hand = text, message_ids, by_hand


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.data = Path(tempfile.mkdtemp(prefix="satchel-machine-"))
        self.clock = Clock()
        self.store = Store(self.data, now=self.clock)
        self.number = itertools.count(1)
        self.log: dict[Place, dict[str, Turn]] = {}
        self.kept_out: dict[Place, dict[str, str]] = {}
        """Ids of forgotten turns, by what they are known by when they are sent again."""
        self.ids: dict[Place, str] = {}
        self.work: dict[str, Work] = {}
        self.held: dict[str, Held] = {}
        self.buried: set[str] = set()
        self.turn_words: set[str] = set()
        self.memory_words: set[str] = set()
        self.random = random.Random(7)
        self.prepared = False
        self.follower: dict[str, Any] = {}
        self.cursor = ""
        self.last_clock = ""

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.data)

    def unique(self, words: set[str]) -> str:
        """A word that stands nowhere else, with its neighbours in the index differing in their last letters."""
        word = f"{'Zaun' if words is self.turn_words else 'Igel'}{next(self.number):05d}X"
        words.add(word)
        return word

    # What happens

    @initialize(seed=st.integers(0, 10**6))
    def begin_with_some_conversations(self, seed: int) -> None:
        # Hypothesis leaves out some rules in each run: without this, half of the runs would have nothing to work on.
        for place in CONVERSATIONS[:3]:
            self.capture_new(place, random.Random(seed).choices((1, 3, 5, 6, 7), k=3))
            self.capture_new(place, [1, 2])
        self.remember(seed, 2)
        self.observe(seed)

    @rule(place=st.sampled_from(CONVERSATIONS), picks=st.lists(st.integers(0, 11), min_size=1, max_size=5))
    def capture_new(self, place: Place, picks: list[int]) -> None:
        messages = []
        for pick in picks:
            role = ("user", "assistant", "system")[pick % 5 % 3]
            content = (
                f"I saw {self.unique(self.turn_words)} in the garden" if pick < 8 else ("yes", "Да", "好的")[pick % 3]
            )
            sent_at = to_iso(self.clock.ms + (pick - 5) * 3_600_000 * (100 if pick == 11 else 1)) if pick % 4 else None
            messages.append(said(content, f"m{next(self.number)}" if pick % 2 else None, role, sent_at))
        self.record(place, messages)

    @rule(place=st.sampled_from(CONVERSATIONS), seed=st.integers(0, 10**6))
    def capture_again_and_out_of_order(self, place: Place, seed: int) -> None:
        known = list(self.log.get(place, {}).items())
        if not known:
            return
        order = random.Random(seed).sample(known, min(len(known), 4))
        self.record(place, [self.as_sent(key, t.role, t.content) for key, t in order if key.startswith("id:")])

    @rule(place=st.sampled_from(CONVERSATIONS), seed=st.integers(0, 10**6), back=st.booleans())
    def capture_a_revision_and_a_late_repeat_of_an_old_one(self, place: Place, seed: int, back: bool) -> None:
        known = [(k, t) for k, t in self.log.get(place, {}).items() if k.startswith("id:")]
        if not known:
            return
        key, turn = random.Random(seed).choice(known)
        content = f"No, it was {self.unique(self.turn_words)} that I saw"
        self.record(place, [self.as_sent(key, turn.role, content)])
        if back:
            self.record(place, [self.as_sent(key, *turn.before[seed % len(turn.before)])])

    @staticmethod
    def as_sent(key: str, role: str, content: str) -> Any:
        return said(content, key.removeprefix("id:"), role)

    def record(self, place: Place, messages: list[Any]) -> None:
        if not messages:
            return
        profile, site, name = place
        answer = capture(self.store, messages, profile=profile, site=site, external_id=name)
        kept_out = self.kept_out.get(place, {})
        keys = list(self.keys(messages))
        if all(key in kept_out for key in keys):
            assert (answer.accepted, answer.message_ids) == (0, [kept_out[key] for key in keys])
            assert (answer.conversation_id == self.ids[place]) if place in self.ids else answer.job_id is None
            return
        known = self.log.setdefault(place, {})
        position = max((t.position for t in known.values()), default=-1) + 1
        accepted = 0
        filed = self.filed(messages, max(known.values(), key=lambda t: t.position, default=None))
        for key, message, message_id, time in zip(keys, messages, answer.message_ids, filed, strict=True):
            same = (message.role, message.content)
            if key in kept_out:
                assert message_id == kept_out[key]
                continue
            turn = known.get(key)
            if turn is None:
                known[key] = Turn(message_id, *same, time, position)
                position += 1
                accepted += 1
            else:
                assert message_id == turn.id, "sent again, it is the same message"
                if same not in ((turn.role, turn.content), *turn.before):
                    turn.before.append((turn.role, turn.content))
                    turn.role, turn.content = same
                    accepted += 1
        assert (answer.accepted, answer.duplicates) == (accepted, len(messages) - accepted)
        assert answer.forgotten == sum(key in kept_out for key in keys)
        assert self.ids.setdefault(place, answer.conversation_id) == answer.conversation_id
        if accepted:
            assert answer.job_id not in self.work
            self.work[answer.job_id] = Work(next(self.number), place)
        else:
            assert self.work[answer.job_id].place == place

    @staticmethod
    def keys(messages: list[Any]) -> Iterator[str]:
        seen: dict[tuple[str, str], int] = {}
        for message in messages:
            same = (message.role, message.content)
            seen[same] = seen.get(same, 0) + (message.id is None)
            yield f"{same}:{seen[same]}" if message.id is None else f"id:{message.id}"

    def filed(self, messages: list[Any], last: Turn | None) -> list[int]:
        """When each turn of a call counts as said: the latest time named so far, else the first to come, else now."""
        latest = self.clock.ms + DAY
        named = [self.ms(m.sent_at) if m.sent_at else None for m in messages]
        named = [None if ms is not None and ms > latest else ms for ms in named]
        now = max(self.clock.ms, last.time) if last and last.time <= latest else self.clock.ms
        times = []
        for at in range(len(named)):
            so_far = [ms for ms in named[: at + 1] if ms is not None]
            to_come = [ms for ms in named[at:] if ms is not None]
            times.append(so_far[-1] if so_far else min(now, *to_come[:1], now))
        return times

    @staticmethod
    def ms(iso: str) -> int:
        from satchel.times import parse_iso

        return parse_iso(iso)

    @rule(by=st.sampled_from(JUMPS))
    def the_clock_goes_on_or_back(self, by: int) -> None:
        self.clock.ms += by

    # Jobs

    def believe(self) -> None:
        now = self.clock.ms
        for work in self.work.values():
            if work.status == "queued" and work.run_after > now + LONGEST_WAIT:
                work.run_after = now
            if work.status == "running" and work.lease_until > now + jobs.LEASE_MS:
                work.lease_until = now + jobs.LEASE_MS

    @rule()
    def claim(self) -> None:
        now = self.clock.ms
        self.believe()
        for work in self.work.values():
            if work.status == "running" and work.lease_until < now:
                work.settle(now)
        job = self.store.write_now(jobs.claim)
        ready = [
            job_id
            for job_id, work in self.work.items()
            if work.status == "queued"
            and work.run_after <= now
            and not any(
                other.place == work.place
                and (other.status == "running" or (other.status == "queued" and other.number < work.number))
                for other in self.work.values()
            )
        ]
        if job is None:
            assert not ready, "a job that could run was not given out"
            return
        assert job.id in ready, "not due, or out of its conversation's order, or twice at once"
        work = self.work[job.id]
        work.status, work.lease_until = "running", now + jobs.LEASE_MS
        work.attempts += 1
        assert work.attempts == job.attempts <= jobs.MAX_ATTEMPTS

    def one(self, seed: int, *statuses: str) -> str | None:
        found = sorted(i for i, w in self.work.items() if w.status in statuses)
        return found[seed % len(found)] if found else None

    @rule(seed=st.integers(0, 99), how=st.sampled_from(("complete", "fail", "fail", "put_back", "renew")))
    def settle(self, seed: int, how: str) -> None:
        job_id = self.one(seed, "running")
        if job_id is None:
            return
        work, now = self.work[job_id], self.clock.ms
        match how:
            case "complete":
                given = list(self.held)[:2]
                self.store.write_now(lambda tx: jobs.complete(tx, job_id, given))
                work.status = "completed"
            case "fail":
                self.store.write_now(lambda tx: jobs.fail(tx, job_id, "no"))
                work.settle(now)
            case "put_back":
                self.store.write_now(lambda tx: jobs.put_back(tx, job_id))
                work.status, work.run_after, work.attempts = "queued", 0, work.attempts - 1
            case _:
                self.store.write_now(lambda tx: jobs.renew(tx, job_id))
                work.lease_until = now + jobs.LEASE_MS

    @rule(seed=st.integers(0, 99))
    def a_worker_that_lost_its_lease_reports_late(self, seed: int) -> None:
        job_id = self.one(seed, "queued", "completed", "failed")
        if job_id is not None:
            self.store.write_now(lambda tx: jobs.fail(tx, job_id, "late"))
            self.store.write_now(lambda tx: jobs.put_back(tx, job_id))

    @rule(seed=st.integers(0, 99))
    def retry(self, seed: int) -> None:
        job_id = self.one(seed, "queued", "running", "completed", "failed")
        if job_id is None:
            return
        work = self.work[job_id]
        self.store.write_now(lambda tx: jobs.retry(tx, job_id))
        if work.status in ("queued", "failed"):
            work.status, work.attempts, work.run_after = "queued", 0, 0

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(self.data, now=self.clock)
        assert self.store.write_now(jobs.release_all) == sum(w.status == "running" for w in self.work.values())
        for work in self.work.values():
            if work.status == "running":
                work.settle(self.clock.ms)
        self.believe()

    # Memories

    def live_turns(self) -> list[tuple[Place, Turn]]:
        return [(place, turn) for place, known in self.log.items() for turn in known.values()]

    def message(self, place: Place, turn: Turn) -> Message:
        return next(m for m in turns(self.store, self.ids[place]) if m.id == turn.id)

    def pks(self, ids: list[str]) -> list[int]:
        return self.store.read_now(lambda db: [memories.pk_of(db, i) for i in ids])

    @rule(seed=st.integers(0, 10**6), count=st.integers(0, 2))
    def remember(self, seed: int, count: int) -> None:
        chance = random.Random(seed)
        place = chance.choice(CONVERSATIONS)
        pool = [(p, t) for p, t in self.live_turns() if p[0] == place[0]]
        picked = chance.sample(pool, min(count, len(pool)))
        own = self.unique(self.memory_words)
        held = [self.message(p, t) for p, t in picked]
        text = " ".join(["The user saw", *(m.content.split()[-3 % len(m.content.split())] for m in held), own])
        written = draft(
            text,
            *(quote(m, m.content) for m in held),
            key=f"seen {own}",
            tags=[own, "garden", *(m.content for m in held)],
            reasoning=f"said so: {text}",
        )
        memory_id = remember(self.store, written, profile=place[0], by_hand=not held)
        self.held[memory_id] = Held(text, [m.id for m in held], by_hand=not held)

    @rule(seed=st.integers(0, 10**6))
    def observe(self, seed: int) -> None:
        chance = random.Random(seed)
        derived = sorted(self.held)
        if not derived:
            return
        memory_id = chance.choice(derived)
        profile = self.store.read_now(lambda db: memories.memory(db, memory_id)).profile
        pool = [(p, t) for p, t in self.live_turns() if p[0] == profile]
        if not pool:
            return
        message = self.message(*chance.choice(pool))
        pk = self.pks([memory_id])[0]
        again = draft("again", quote(message, message.content))
        fresh = self.store.write_now(lambda tx: memories.observe(tx, pk, again))
        if fresh and message.id not in self.held[memory_id].message_ids:
            self.held[memory_id].message_ids.append(message.id)

    @rule(seed=st.integers(0, 10**6), by=st.sampled_from(("user", "extraction")))
    def edit(self, seed: int, by: Literal["user", "extraction"]) -> None:
        if not self.held:
            return
        memory_id = sorted(self.held)[seed % len(self.held)]
        held = self.held[memory_id]
        if by == "extraction" and held.by_hand:
            return
        text = f"{held.text.split()[-1]} now {self.unique(self.memory_words)}"
        pk = self.pks([memory_id])[0]
        self.store.write_now(lambda tx: memories.edit(tx, pk, memories.Edit(text=text), by=by, change="edited"))
        held.text, held.by_hand = text, held.by_hand or by == "user"

    # Vectors

    @rule(limit=st.integers(1, 6))
    def put_vectors(self, limit: int) -> None:
        if not self.prepared:
            self.store.write_now(lambda tx: vectors.prepare(tx, "model", DIMENSIONS))
            self.prepared = True
        items = self.store.read_now(lambda db: vectors.waiting(db, "model", limit))
        filled = [
            (item, struct.pack("<8f", *(self.random.random() - 0.5 for _ in range(DIMENSIONS)))) for item in items
        ]
        self.store.write_now(lambda tx: vectors.put(tx, "model", filled))

    # Forgetting

    def bury_turns(self, ids: list[str]) -> None:
        for place, known in self.log.items():
            for key in [k for k, t in known.items() if t.id in ids]:
                self.kept_out.setdefault(place, {})[key] = known.pop(key).id
        self.buried |= set(ids)
        for memory_id, held in list(self.held.items()):
            before = len(held.message_ids)
            held.message_ids = [i for i in held.message_ids if i not in ids]
            if len(held.message_ids) == before:
                continue
            if not held.message_ids and not held.by_hand:
                self.bury_memory(memory_id)
            elif not held.by_hand:
                kept = self.store.read_now(lambda db, i=memory_id: memories.memory(db, i))
                assert kept.text in (held.text, *(s.quote for s in kept.sources))
                held.text = kept.text

    def bury_memory(self, memory_id: str) -> None:
        del self.held[memory_id]
        self.buried.add(memory_id)

    @precondition(lambda self: self.log)
    @rule(seed=st.integers(0, 99))
    def forget_conversation(self, seed: int) -> None:
        place = sorted(self.log)[seed % len(self.log)]
        gone = self.store.write_now(lambda tx: forget.forget_conversation(tx, self.ids[place]))
        ids = [t.id for t in self.log[place].values()]
        assert (gone.conversations, gone.messages) == (1, len(ids))
        before = len(self.held)
        self.bury_turns(ids)
        assert before - len(self.held) == gone.memories
        self.buried.add(self.ids.pop(place))
        del self.log[place]
        self.work = {i: w for i, w in self.work.items() if w.place != place}
        self.nothing_forgotten_is_left()

    @precondition(lambda self: self.held)
    @rule(seed=st.integers(0, 99), messages=st.booleans())
    def forget_memory(self, seed: int, messages: bool) -> None:
        memory_id = sorted(self.held)[seed % len(self.held)]
        ids = self.held[memory_id].message_ids if messages else []
        gone = self.store.write_now(lambda tx: forget.forget_memory(tx, memory_id, messages=messages))
        before = len(self.held)
        self.bury_memory(memory_id)
        self.bury_turns(ids)
        assert (gone.memories, gone.messages) == (before - len(self.held), len(ids))
        self.nothing_forgotten_is_left()

    def nothing_forgotten_is_left(self) -> None:
        empty_journal(self.store)
        raw = raw_bytes(self.data)
        spoken = [text for _, t in self.live_turns() for text in (t.content, *(c for _, c in t.before))]
        spoken += [held.text for held in self.held.values() if held.by_hand]
        spoken += self.by_the_user()
        living = " ".join(spoken)
        for word in self.turn_words:
            assert word in living or word.lower().encode() not in raw, f"{word} is still on disk"
        kept = " ".join(self.memory_texts())
        for word in self.memory_words:
            assert word in kept or word.lower().encode() not in raw, f"{word} is still on disk"

    def by_the_user(self) -> list[str]:
        """What stands in memories that the user wrote alone, key and tags and earlier wordings too."""
        rows = self.store.read_now(
            lambda db: db.execute(
                "SELECT text || key || tags || coalesce(reasoning, '') FROM memory WHERE by_hand = 1 UNION ALL"
                " SELECT h.text || h.key || h.tags FROM history h JOIN memory y ON y.pk = h.memory WHERE by_hand = 1"
            ).fetchall()
        )
        return [row[0] for row in rows]

    def memory_texts(self) -> list[str]:
        rows = self.store.read_now(
            lambda db: db.execute(
                "SELECT text || key || tags || coalesce(reasoning, '') FROM memory UNION ALL"
                " SELECT text || key || tags FROM history"
            ).fetchall()
        )
        return [row[0] for row in rows]

    # What always holds

    @invariant()
    def the_log_says_what_was_sent(self) -> None:
        for place, known in self.log.items():
            found = turns(self.store, self.ids[place])
            expected = sorted(known.values(), key=lambda t: (t.time, t.position))
            assert [(m.id, m.role, m.content) for m in found] == [(t.id, t.role, t.content) for t in expected]
            revisions = self.store.read_now(lambda db, p=place: log.revisions_of(db, self.ids[p]))
            for turn in expected:
                assert [r.content for r in revisions.get(turn.id, [])] == [content for _, content in turn.before]

    @invariant()
    def no_job_is_lost(self) -> None:
        rows = self.store.read_now(lambda db: db.execute("SELECT id, status, attempts FROM job").fetchall())
        assert {r[0]: (r[1], r[2]) for r in rows} == {i: (w.status, w.attempts) for i, w in self.work.items()}

    @invariant()
    def memories_hold_their_words(self) -> None:
        found = self.store.read_now(lambda db: memories.by_ids(db, list(self.held)))
        assert {i: m.text for i, m in found.items()} == {i: h.text for i, h in self.held.items()}
        for memory_id, memory in found.items():
            assert {s.message_id for s in memory.sources} == set(self.held[memory_id].message_ids)

    @invariant()
    def everything_is_searchable_once(self) -> None:
        def look(db: Any) -> None:
            def column(sql: str) -> list[Any]:
                return [row[0] for row in db.execute(sql)]

            turn_pks = column("SELECT pk FROM message WHERE role IN ('user', 'assistant') ORDER BY pk")
            memory_pks = column("SELECT pk FROM memory ORDER BY pk")
            assert column("SELECT rowid FROM turn_words ORDER BY rowid") == turn_pks
            assert column("SELECT rowid FROM memory_words ORDER BY rowid") == memory_pks
            for kind, pks in (("turn", turn_pks), ("memory", memory_pks)):
                waiting = column(f"SELECT pk FROM unindexed WHERE type = '{kind}'")
                done = column(f"SELECT pk FROM {kind}_vector") if self.prepared else []
                assert sorted(waiting + done) == pks
            words = sorted(self.turn_words)[-3:] + sorted(self.memory_words)[-2:]
            for word in words:
                match = db.execute(
                    "SELECT m.id FROM turn_words w JOIN message m ON m.pk = w.rowid WHERE turn_words MATCH ?", (word,)
                ).fetchall()
                saying = [t.id for _, t in self.live_turns() if word in t.content and t.role != "system"]
                assert sorted(r[0] for r in match) == sorted(saying)

        self.store.read_now(look)

    @invariant()
    def a_follower_knows_all(self) -> None:
        while True:
            found, cursor = self.store.read_now(lambda db: changes.since(db, self.cursor, limit=3))
            for change in found:
                assert change.clock > self.last_clock, "clocks rise, also when time goes back"
                self.last_clock = change.clock
                self.follower[change.row.id] = change.row
            if cursor == self.cursor or not found:
                break
            self.cursor = cursor
        live = {t.id for _, t in self.live_turns()} | set(self.ids.values()) | set(self.held)
        assert {i for i, row in self.follower.items() if not isinstance(row, changes.Tombstone)} == live
        assert {i for i, row in self.follower.items() if isinstance(row, changes.Tombstone)} == self.buried
        fresh, _ = self.store.read_now(lambda db: changes.since(db, "", limit=10_000))
        assert {c.row.id: c.row for c in fresh} == self.follower
        assert sorted(c.clock for c in fresh) == [c.clock for c in fresh]


TestStore = pytest.mark.timeout(600)(Machine.TestCase)
TestStore.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
