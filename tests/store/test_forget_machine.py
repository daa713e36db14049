"""Whatever is captured, derived, forgotten and sent again, in whatever order: nothing that was forgotten is in a file,
and each preview said exactly what went."""

from __future__ import annotations

import itertools
import random
import shutil
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from storing import DAY, NOON, Clock, capture, draft, empty_journal, quote, raw_bytes, remember, said, turns

from satchel.store import Store, forget, forget_plan, injections, jobs, memories, vectors
from satchel.store.database import fetch
from satchel.store.forget_plan import What
from satchel.store.names import fold
from satchel.store.verify_forgotten import verify
from satchel.times import to_iso

PLACES = [(profile, site, name) for profile in ("me", "work") for site in ("a.test", "b.test") for name in ("c1", "c2")]
WAYS = ("memory", "conversation", "site", "span", "name", "everything")
NAMES = ("Ottilie", "Žofie", "Bartholomäus")
DIMENSIONS = 64


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.data = Path(tempfile.mkdtemp(prefix="satchel-forget-"))
        self.clock = Clock()
        self.store = Store(self.data, now=self.clock)
        self.store.write_now(lambda tx: vectors.prepare(tx, "model", DIMENSIONS))
        self.number = itertools.count(1)
        self.sent: list[tuple[tuple[str, str, str], list[Any]]] = []
        self.words: set[str] = set()
        self.gone: set[str] = set()
        """Those of them whose turns were forgotten."""
        self.random = random.Random(5)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.data)

    def word(self) -> str:
        """One that stands nowhere else."""
        word = f"Zaunk{next(self.number):05d}"
        self.words.add(word)
        return word

    @initialize()
    def begin(self) -> None:
        for place in PLACES[:4]:
            self.capture(place, [1, 2, 3, 6], 0)
        self.derive(3, 2)
        self.derive(4, 0)
        self.vectors()

    @rule(
        place=st.sampled_from(PLACES), picks=st.lists(st.integers(0, 8), min_size=1, max_size=4), days=st.integers(0, 9)
    )
    def capture(self, place: tuple[str, str, str], picks: list[int], days: int) -> None:
        messages = []
        for pick in picks:
            name = (*NAMES, f"{NAMES[0].upper()}'s friend", "nobody")[pick % 5]
            content = f"I met {name} at {self.word()}" if pick < 8 else "yes"
            at = to_iso(NOON - days * DAY + pick) if pick % 2 else None
            messages.append(said(content, f"m{next(self.number)}" if pick % 3 else None, sent_at=at))
        self.sent.append((place, messages))
        self.record(place, messages, title=messages[0].content)

    def record(self, place: tuple[str, str, str], messages: list[Any], title: str | None = None) -> None:
        profile, site, name = place
        capture(self.store, messages, profile=profile, site=site, external_id=name, title=title)

    @rule(seed=st.integers(0, 10**6))
    def edit_a_turn(self, seed: int) -> None:
        place, messages = random.Random(seed).choice(self.sent)
        if named := [message for message in messages if message.id]:
            self.record(place, [said(f"No, it was {self.word()}", named[0].id)])

    @rule(seed=st.integers(0, 10**6), count=st.integers(0, 3))
    def derive(self, seed: int, count: int) -> None:
        """A memory that rests on so many turns, or is written by hand."""
        chance = random.Random(seed)
        profile = chance.choice(("me", "work"))
        ids = self.rows(
            "SELECT m.id, c.id FROM message m JOIN conversation c ON c.pk = m.conversation JOIN profile p"
            " ON p.pk = c.profile WHERE p.name = ? ORDER BY m.pk",
            profile,
        )
        picked = chance.sample(ids, min(count, len(ids)))
        held = [next(m for m in turns(self.store, chat) if m.id == message) for message, chat in picked]
        own = chance.choice((*NAMES, "tea")) if not held else held[0].content.split()[-2:][0]
        text = f"The user knows {own} and {held[-1].content.split()[-1] if held else self.word()}"
        written = draft(text, *(quote(m, m.content) for m in held), key=own.lower(), tags=[own], reasoning=text)
        memory_id = remember(self.store, written, profile=profile, by_hand=not held)
        status = chance.choice((None, "candidate", "superseded"))
        if status and held:
            change = memories.Edit(status=status, text=f"{text}, once")
            self.store.write_now(
                lambda tx: memories.edit(
                    tx, memories.pk_of(tx.db, memory_id), change, by="extraction", change="superseded"
                )
            )
        offered = [memory_id, *(message for message, _ in picked)]
        self.store.write_now(
            lambda tx: injections.offer(
                tx, f"i{seed}-{next(self.number)}", profile=profile, site="a.test", external_id="c1", hits=offered
            )
        )

    @rule()
    def vectors(self) -> None:
        items = self.store.read_now(lambda db: vectors.waiting(db, "model", 8))
        made = [
            (i, struct.pack(f"<{DIMENSIONS}f", *(self.random.random() - 0.5 for _ in range(DIMENSIONS)))) for i in items
        ]
        self.store.write_now(lambda tx: vectors.put(tx, "model", made))

    @rule()
    def a_job_fails_over_what_was_said(self) -> None:
        job = self.store.write_now(jobs.claim)
        if job is not None and job.message_ids:
            ((content,),) = self.rows("SELECT content FROM message WHERE id = ?", job.message_ids[0])
            self.store.write_now(lambda tx: jobs.fail(tx, job.id, content))

    @rule(seed=st.integers(0, 10**6))
    def send_again(self, seed: int) -> None:
        """A page that is loaded anew: its title is made from what was said first."""
        place, messages = random.Random(seed).choice(self.sent)
        self.record(place, messages, title=messages[0].content)
        empty_journal(self.store)
        self.nothing_forgotten_is_left()

    @rule(seed=st.integers(0, 10**6), named=st.sampled_from(("by the page", "not at all", "otherwise")))
    def send_again_under_other_ids(self, seed: int, named: str) -> None:
        """A second browser, or the first with an empty ledger; another program's import. What was not forgotten is
        stored twice then, so that its words are no longer those of one turn. Where the site names what it had named
        before otherwise, that is new, and not sent here."""
        place, messages = random.Random(seed).choice(self.sent)
        ids = {"by the page": "page:{0:024x}:1", "not at all": None, "otherwise": "o{1}"}[named]
        again = [
            said(
                f"> *{m.content[0]}*{m.content[1:]}",
                ids and ids.format(zlib.crc32(m.content.encode()), next(self.number)),
            )
            for m in messages
            if m.content != "yes" and not (named == "otherwise" and m.id)
        ]
        if again:
            self.record(place, again)
            empty_journal(self.store)
            self.nothing_forgotten_is_left()

    @rule(
        way=st.sampled_from(("memory", "conversation", "site", "span", "name", "everything")),
        seed=st.integers(0, 10**6),
    )
    def forget(self, way: Any, seed: int) -> None:
        chance = random.Random(seed)
        what = self.what(way, chance)
        if what is None:
            return
        going = self.store.read_now(lambda db: forget_plan.plan(db, what))
        shown = self.store.read_now(lambda db: forget_plan.counted(db, going, what))
        before, spoken = self.counts(), self.spoken()
        stays = {pk for (pk,) in self.rows("SELECT pk FROM memory")} - set(going.memories)
        gone = self.store.write_now(lambda tx: forget.forget(tx, what))
        empty_journal(self.store)
        went = {name: count - self.counts()[name] for name, count in before.items()}
        assert gone.counts == shown
        assert went == {name: getattr(shown, name) for name in went}, way
        assert {pk for (pk,) in self.rows("SELECT pk FROM memory")} == stays
        assert verify(self.store, gone.traces).bytes_found == 0, way
        self.gone |= spoken - self.spoken()
        if what.way == "name" and what.profiles is None:
            assert not [text for text in self.said() if fold(str(what.name)) in fold(text)]
        self.nothing_forgotten_is_left()

    def what(self, way: Any, chance: random.Random) -> What | None:
        profiles = chance.choice((None, ("me",), ("work",)))
        match way:
            case "memory" | "conversation":
                ids = [row[0] for row in self.rows(f"SELECT id FROM {way} ORDER BY pk")]
                if not ids:
                    return None
                return What(way=way, messages=way == "memory" and chance.random() < 0.5, **{way: chance.choice(ids)})
            case "site":
                return What(way="site", site=chance.choice(("a.test", "b.test")), profiles=profiles)
            case "span":
                first, last = sorted(chance.sample(range(11), 2))
                bounds = {"since": NOON - last * DAY, "until": NOON - first * DAY}
                bounds.pop(chance.choice(("since", "until", "neither")), None)
                return What(way="span", profiles=profiles, **bounds)
            case "name":
                return What(way="name", name=chance.choice(("ottilie", "ZOFIE", "Bartholomaus")), profiles=profiles)
            case _:
                return What(way="everything", profiles=profiles) if chance.random() < 0.3 else None

    def rows(self, sql: str, *args: object) -> list[Any]:
        return self.store.read_now(lambda db: fetch(db, sql, args))

    def said(self) -> list[str]:
        """All that is said now."""
        rows = self.rows(
            "SELECT content FROM message UNION ALL SELECT content FROM revision UNION ALL SELECT text FROM memory"
            " UNION ALL SELECT text FROM history UNION ALL SELECT coalesce(title, '') FROM conversation"
        )
        return [text for (text,) in rows]

    def spoken(self) -> set[str]:
        """The unique words of turns, as they are and as they were."""
        rows = self.rows("SELECT content FROM message UNION ALL SELECT content FROM revision")
        return {word for (text,) in rows for word in text.split() if word in self.words}

    def counts(self) -> dict[str, int]:
        def look(db: apsw.Connection) -> dict[str, int]:
            tables = {
                "conversations": "conversation",
                "messages": "message",
                "revisions": "revision",
                "memories": "memory",
                "candidates": "memory WHERE status = 'candidate'",
                "superseded": "memory WHERE status = 'superseded'",
                "injections": "injection",
            }
            return {name: fetch(db, f"SELECT count(*) FROM {table}")[0][0] for name, table in tables.items()}

        return self.store.read_now(look)

    def nothing_forgotten_is_left(self) -> None:
        assert not self.gone & self.spoken(), "what was forgotten came back"
        derived = self.rows("SELECT coalesce(reasoning, '') || ' ' || text || ' ' || key FROM memory WHERE by_hand = 0")
        assert not self.gone & {word for (text,) in derived for word in text.replace(",", " ").split()}
        said_still = " ".join(self.said())
        raw = raw_bytes(self.data)
        for word in self.words:
            assert word in said_still or word.lower().encode() not in raw, f"{word} is still on disk"
        assert self.store.read_now(vectors.unsound) == 0


@pytest.mark.timeout(600)
def test_what_was_forgotten_is_in_no_file_and_went_as_the_preview_said() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
