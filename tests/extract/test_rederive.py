"""Deriving again: nothing changes before it is applied, what the user decided stays, twice is as once."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import apsw
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from extract.test_extraction_worker import Models, Unending
from models.helpers import run
from satchel.extract import contradicting, rederive
from satchel.extract.dialogue.choices import Chosen
from satchel.extract.reconciling.superseding import Superseding
from satchel.extract.rederive import Copy, Rederiver, compare
from satchel.extract.worker import ExtractionWorker
from satchel.models import Runtime
from satchel.store import Store, Tx, contradictions, forget, jobs, log, memories, rederivation
from satchel.store.database import fetch
from satchel.store.forgotten import shares_words
from satchel.store.rederivation import Change, PreviewError, Progress
from satchel.types import Draft, Memory, Message, ModelError, NotFoundError, Source
from store.storing import DAY, Clock, capture, empty_journal, said, stands_in


class Reader:
    """What is derived of a turn: one fact a sentence, worded by `model`; "!" makes it a hint, "?" gives nothing.

    A sentence of "x" is read by the model "better" alone, one of "y" by all others. To the model "whole" a turn is one
    sentence.
    """

    def __init__(self) -> None:
        self.model = "first"
        self.broken: set[str] = set()
        self.turns: list[str] = []

    def word(self, sentence: str) -> str:
        if sentence.startswith("The user"):
            return sentence if self.model == "first" else f"{sentence}, {self.model}"
        return f"The user said{'' if self.model == 'first' else ' ' + self.model} {sentence}"

    async def __call__(self, turns: Sequence[Message], index: int) -> list[Draft]:
        turn = turns[index]
        self.turns.append(turn.id)
        if turn.content in self.broken:
            raise ModelError("the model died")
        found, start = [], 0
        for sentence in [turn.content] if self.model == "whole" else turn.content.split(". "):
            end = start + len(sentence)
            left_out = "y" if self.model == "better" else "x"
            if turn.role == "user" and "?" not in sentence and left_out not in sentence:
                quote = Source(
                    message_id=turn.id,
                    conversation_id=turn.conversation_id,
                    start=start,
                    end=end,
                    quote=sentence,
                    revision=turn.revision,
                )
                hint = "!" in sentence
                found.append(
                    (Chosen if "*" in sentence else Draft)(
                        kind="implicit_preference" if hint else "fact",
                        text=self.word(sentence),
                        key=sentence,
                        tags=(),
                        sources=(quote,),
                        valid_from=turn.time,
                    )
                )
            start = end + 2
        return cast(list[Draft], found)


class Daemon:
    """A worker and what derives again beside it, stepped by hand."""

    def __init__(self, store: Store) -> None:
        self.store, self.reader, self.models = store, Reader(), Models()
        self.begin()

    def begin(self) -> None:
        """As after a restart: nothing is known but what is stored."""
        self.worker = ExtractionWorker(self.store, cast(Runtime, self.models), publish=lambda *_, **__: None)
        self.worker.read = self.reader  # type: ignore[method-assign]
        self.worker._superseding = cast(Superseding, Unending())
        self.rederiver = Rederiver(self.store, cast(Runtime, self.models), self.worker, publish=lambda *_, **__: None)

    def work(self) -> None:
        """Runs all jobs that are due."""

        async def all_jobs() -> None:
            while (job := await self.worker._next()) is not None:
                await self.worker._run(job)

        run(all_jobs())

    def steps(self, limit: int | None = None) -> int:
        """Takes so many steps of deriving again, or all there are; how many there were."""

        async def some() -> int:
            taken = 0
            while (limit is None or taken < limit) and await self.rederiver.step():
                taken += 1
            return taken

        return run(some())

    def start(self, profile: str = "me") -> None:
        self.store.write_now(lambda tx: rederivation.begin(tx, profile))

    def progress(self, profile: str = "me") -> Progress:
        found = self.store.read_now(lambda db: rederivation.progress(db, profile))
        assert found is not None
        return found

    def preview(self, profile: str = "me") -> list[Change]:
        self.start(profile)
        self.steps()
        assert self.progress(profile).run.state == "ready"
        return self.changes(profile)

    def changes(self, profile: str = "me") -> list[Change]:
        found = self.progress(profile).run
        return self.store.read_now(lambda db: rederivation.changes(db, found, page=1, size=1000))

    def confirm(self, profile: str = "me") -> None:
        shown = str(self.progress(profile).run.preview)
        self.store.write_now(lambda tx: rederivation.confirm(tx, profile, shown))

    def apply(self, profile: str = "me") -> list[Change]:
        self.confirm(profile)
        self.steps()
        assert self.progress(profile).run.state == "applied"
        return self.changes(profile)

    def rederive(self, profile: str = "me") -> list[Change]:
        self.preview(profile)
        return self.apply(profile)

    def all_memories(self) -> list[Memory]:
        pks = self.store.read_now(lambda db: [row[0] for row in fetch(db, "SELECT pk FROM memory")])
        return list(self.store.read_now(lambda db: memories.by_pks(db, pks)).values())

    def memories(self) -> dict[str, Memory]:
        """By text."""
        return {memory.text: memory for memory in self.all_memories()}

    def edit(self, text: str, /, **changes: Any) -> str:
        memory_id = self.memories()[text].id
        edit = memories.Edit(**changes)
        self.store.write_now(
            lambda tx: memories.edit(tx, memories.pk_of(tx.db, memory_id), edit, by="user", change="edited")
        )
        return memory_id

    def forget(self, text: str, **how: bool) -> None:
        memory_id = self.memories()[text].id
        self.store.write_now(lambda tx: forget.forget_memory(tx, memory_id, **how))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store", now=Clock())
    yield opened
    opened.close()


@pytest.fixture
def daemon(store: Store, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    monkeypatch.setattr(rederive, "RETRY_SECONDS", (0.0,) * 4)
    return Daemon(store)


def kinds(changes: Sequence[Change]) -> list[tuple[str, str | None, str]]:
    return [(c.change, c.before and c.before.text, c.after.text) for c in changes]


def whole(store: Store) -> list[Any]:
    """All that is stored of memories."""
    tables = ("memory", "source", "history", "memory_words", "tombstone")
    return [store.read_now(lambda db, t=table: fetch(db, f"SELECT * FROM {t} ORDER BY 1, 2")) for table in tables[:3]]


def test_a_preview_shows_what_would_change_and_changes_nothing(store: Store, daemon: Daemon) -> None:
    capture(store, ["a. x. y. z"])
    daemon.work()
    before = whole(store)
    daemon.reader.model = "better"
    assert kinds(daemon.preview()) == [
        ("reworded", "The user said a", "The user said better a"),
        ("reworded", "The user said z", "The user said better z"),
        ("new", None, "The user said better x"),
        ("withdrawn", "The user said y", "The user said y"),
    ]
    assert whole(store) == before


def test_applied_memories_keep_their_id_and_say_in_their_history_what_they_were(store: Store, daemon: Daemon) -> None:
    capture(store, ["a. x. y"])
    daemon.work()
    old = daemon.memories()
    daemon.reader.model = "better"
    assert {change.outcome for change in daemon.rederive()} == {"applied"}
    now = daemon.memories()
    assert set(now) == {"The user said better a", "The user said better x", "The user said y"}
    assert now["The user said better a"].id == old["The user said a"].id
    assert [s.quote for s in now["The user said better a"].sources] == ["a"]
    withdrawn = now["The user said y"]
    assert (withdrawn.id, withdrawn.status) == (old["The user said y"].id, "archived")
    for text, change in (("The user said better a", "rederived"), ("The user said y", "withdrawn")):
        (version,) = store.read_now(lambda db, t=text: memories.history(db, now[t].id))
        assert (version.change, version.changed_by, version.status) == (change, "extraction", "active")
        assert version.text == old[version.text].text


def test_withdrawn_comes_back_when_it_follows_again(store: Store, daemon: Daemon) -> None:
    capture(store, ["y"])
    daemon.work()
    first = daemon.memories()["The user said y"]
    daemon.reader.model = "better"
    daemon.rederive()
    daemon.reader.model = "first"
    daemon.models.hashed_on.clear()
    daemon.store.write_now(lambda tx: rederivation.drop(tx, "me"))
    assert [change.change for change in daemon.rederive()] == ["status_changed"]
    assert daemon.memories()["The user said y"].status == "active"
    assert daemon.memories()["The user said y"].id == first.id


def test_withdrawn_does_not_keep_the_user_from_saying_it(store: Store, daemon: Daemon) -> None:
    capture(store, ["y"])
    daemon.work()
    daemon.reader.model = "better"
    daemon.rederive()
    daemon.reader.model = "first"
    capture(store, ["y"], external_id="again")
    daemon.work()
    found = store.read_now(lambda db: memories.page(db, profiles=["me"]))[0]
    assert [memory.text for memory in found] == ["The user said y"]


@pytest.mark.parametrize("own", [{"text": "Mine"}, {"pinned": True}, {"key": "k"}, {"status": "archived"}])
def test_what_the_user_decided_stays_and_its_words_give_nothing_new(
    store: Store, daemon: Daemon, own: dict[str, Any]
) -> None:
    capture(store, ["a. b"])
    daemon.work()
    memory_id = daemon.edit("The user said a", **own)
    before = store.read_now(lambda db: memories.memory(db, memory_id))
    daemon.reader.model = "better"
    assert kinds(daemon.rederive()) == [("reworded", "The user said b", "The user said better b")]
    assert store.read_now(lambda db: memories.memory(db, memory_id)) == before


def test_what_was_forgotten_does_not_come_back(store: Store, daemon: Daemon) -> None:
    capture(store, ["a. b"])
    daemon.work()
    daemon.forget("The user said a")
    daemon.reader.model = "better"
    daemon.rederive()
    assert set(daemon.memories()) == {"The user said better b"}


def test_what_was_forgotten_does_not_come_back_with_an_edit_of_its_turn_either(store: Store, daemon: Daemon) -> None:
    capture(store, [said("first words. a", "m1")])
    daemon.work()
    daemon.forget("The user said a")
    capture(store, [said("more. first words. a", "m1")])
    daemon.work()
    assert set(daemon.memories()) == {"The user said more", "The user said first words"}
    daemon.reader.model = "better"
    daemon.rederive()
    assert set(daemon.memories()) == {"The user said better more", "The user said better first words"}


@pytest.mark.parametrize("how", ["forgotten", "pinned"])
def test_a_longer_statement_does_not_bring_it_back_and_costs_nobody_else(
    store: Store, daemon: Daemon, how: str
) -> None:
    capture(store, ["a. b", "c. d"])
    daemon.work()
    if how == "forgotten":
        daemon.forget("The user said a")
    else:
        daemon.edit("The user said a", pinned=True)
    before = daemon.memories()
    daemon.reader.model = "whole"
    changes = daemon.rederive()
    assert kinds(changes) == [
        ("reworded", "The user said c", "The user said whole c. d"),
        ("withdrawn", "The user said d", "The user said d"),
    ]
    now = daemon.memories()
    assert [now.get(text) for text in ("The user said a", "The user said b")] == [
        before.get(text) for text in ("The user said a", "The user said b")
    ]


@pytest.mark.parametrize("how", ["memory", "messages", "conversation"])
def test_forgetting_reaches_what_was_read_again_and_the_preview(
    store: Store, daemon: Daemon, tmp_path: Path, how: str
) -> None:
    chat = capture(store, ["Marzipanwald. b"])
    daemon.work()
    daemon.reader.model = "Lebkuchenhaus"
    assert len(daemon.preview()) == 2
    if how == "conversation":
        store.write_now(lambda tx: forget.forget_conversation(tx, chat.conversation_id))
    else:
        daemon.forget("The user said Marzipanwald", messages=how == "messages")
    assert daemon.changes() == []
    assert daemon.progress().run.state == "reading"
    empty_journal(store)
    assert not stands_in(tmp_path / "store", "Lebkuchenhaus")
    assert stands_in(tmp_path / "store", "Marzipanwald") == (how == "memory"), "the turn itself stays"
    daemon.steps()
    assert all("Marzipanwald" not in change.after.text for change in daemon.changes())


def test_what_is_forgotten_while_it_is_read_or_looked_at_is_not_written_after_it(store: Store, daemon: Daemon) -> None:
    capture(store, ["a. b"])
    daemon.work()
    run_before = store.write_now(lambda tx: rederivation.begin(tx, "me"))
    daemon.steps(1)
    stamped = daemon.progress().run
    daemon.forget("The user said a")
    message_id = fetch(store._db, "SELECT id FROM message")[0][0]
    read = rederivation.Read(message_id, "[]", b"")
    assert not store.write_now(lambda tx: rederivation.keep(tx, stamped, read, 1))
    assert not store.write_now(lambda tx: rederivation.preview(tx, stamped, [], name="p"))
    assert run_before.pk == stamped.pk


async def begin_copy(daemon: Daemon) -> weakref.ref[Copy]:
    """Steps until there is a copy."""
    while daemon.rederiver._copy is None:
        assert await daemon.rederiver.step()
    return weakref.ref(daemon.rederiver._copy)


def test_forgetting_lets_go_of_the_copy_and_the_preview_comes_all_the_same(store: Store, daemon: Daemon) -> None:
    capture(store, ["Marzipanwald. b"])
    daemon.work()
    daemon.reader.model = "better"
    daemon.start()

    async def check() -> None:
        copy = await begin_copy(daemon)
        daemon.forget("The user said Marzipanwald")
        await daemon.rederiver.forget()
        assert copy() is None, "it holds what was forgotten"

    run(check())
    daemon.steps()
    assert kinds(daemon.changes()) == [("reworded", "The user said b", "The user said better b")]


@pytest.mark.parametrize("asked", ["embed", "ended"])
def test_forgetting_lets_go_of_a_copy_in_the_making_or_in_use(
    store: Store, daemon: Daemon, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    capture(store, ["Marzipanwald. b"])
    daemon.work()
    daemon.edit("The user said b", pinned=True)  # kept: it is embedded for the copy
    daemon.reader.model = "better"
    daemon.start()

    async def check() -> None:
        waiting = asyncio.Event()

        async def for_ever(*_: object, **__: object) -> Any:
            waiting.set()
            await asyncio.Event().wait()

        if asked == "ended":
            copy = await begin_copy(daemon)
        else:
            assert await daemon.rederiver.step()
        with monkeypatch.context() as held:
            held.setattr(daemon.models if asked == "embed" else daemon.worker, asked, for_ever)
            step = asyncio.create_task(daemon.rederiver.step())
            await asyncio.wait_for(waiting.wait(), 10)
            daemon.forget("The user said Marzipanwald")
            await asyncio.wait_for(daemon.rederiver.forget(), 10)
        assert await asyncio.wait_for(step, 10), "the worker goes on"
        assert daemon.rederiver._copy is None
        if asked == "ended":
            assert copy() is None

    run(check())
    daemon.steps()
    assert daemon.progress().run.state == "ready"
    assert all("Marzipanwald" not in change.after.text for change in daemon.changes())


def test_what_changed_between_preview_and_confirmation_is_skipped_and_said(store: Store, daemon: Daemon) -> None:
    capture(store, [said("a. y. x. b", "m1"), said("d", "m2"), said("e. x2", "m3")])
    daemon.work()
    daemon.reader.model = "better"
    daemon.preview()
    mine = daemon.edit("The user said a", text="Mine")
    daemon.edit("The user said y", pinned=True)
    capture(store, [said("d, no", "m2")])
    daemon.reader.model = "first"
    outcomes = {change.after.text: (change.outcome, change.reason) for change in daemon.apply()}
    assert outcomes["The user said better a"] == ("skipped", "It was changed since the preview.")
    assert outcomes["The user said y"] == ("skipped", "It was changed since the preview.")
    assert outcomes["The user said better d"] == ("skipped", "Its words were edited since the preview.")
    assert outcomes["The user said better b"] == ("applied", None)
    assert store.read_now(lambda db: memories.memory(db, mine)).text == "Mine"


def test_what_contradicted_only_a_withdrawn_memory_holds_once_all_is_applied(store: Store, daemon: Daemon) -> None:
    capture(store, ["y"], external_id="one")
    capture(store, ["a. b"], external_id="two")
    daemon.work()
    over = daemon.memories()["The user said y"].id
    waiting = [daemon.edit(f"The user said {word}", status="resolving") for word in "ab"]

    def contradict(tx: Tx) -> None:
        y, a = (memories.pk_of(tx.db, one) for one in (over, waiting[0]))
        contradictions.add(tx, a, [y])

    store.write_now(contradict)
    daemon.reader.model = "better"
    daemon.rederive()
    now = daemon.memories()
    assert [now[f"The user said {word}"].status for word in "yab"] == ["archived", "active", "resolving"]


def test_others_write_while_it_is_looked_up_what_contradicts_what(
    store: Store, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture(store, ["a. x. y"])
    daemon.work()
    look, looked = contradicting.look, 0

    def slow(db: apsw.Connection, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        nonlocal looked
        looked += len(memory_ids)
        store.submit(lambda tx: tx.tick()).result(timeout=5)
        return look(db, memory_ids)

    monkeypatch.setattr(contradicting, "look", slow)
    daemon.reader.model = "better"
    daemon.rederive()
    assert looked == 3


def test_a_memory_that_a_job_made_meanwhile_is_not_made_twice(store: Store, daemon: Daemon) -> None:
    capture(store, ["a"])
    daemon.preview()  # before the job: the queue is as long as that of a paused daemon may be
    daemon.work()
    assert [(change.change, change.outcome) for change in daemon.apply()] == [("new", "skipped")]
    assert set(daemon.memories()) == {"The user said a"}


def test_only_the_preview_that_was_shown_can_be_applied(store: Store, daemon: Daemon) -> None:
    capture(store, ["a"])
    daemon.preview()
    shown = daemon.progress().run.preview
    daemon.preview()
    for wrong in (shown, "", None):
        with pytest.raises(PreviewError):
            store.write_now(lambda tx, w=wrong: rederivation.confirm(tx, "me", cast(str, w)))
    with pytest.raises(PreviewError):
        store.write_now(lambda tx: rederivation.confirm(tx, "work", str(daemon.progress().run.preview)))


def test_turns_that_come_meanwhile_are_read_too(store: Store, daemon: Daemon) -> None:
    capture(store, ["a", "b", "c"])
    daemon.start()
    daemon.steps(2)
    capture(store, ["a", "b", "c", "d"])
    daemon.steps()
    assert len(daemon.changes()) == 4
    capture(store, ["e"], external_id="another")
    assert len(daemon.preview()) == 5
    assert len(daemon.reader.turns) == 5, "what was read is not read again"


def test_another_model_begins_anew(store: Store, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    capture(store, ["a", "b"])
    daemon.preview()
    monkeypatch.setattr(daemon.models, "model_id", lambda role: f"another {role}".replace(" ", "-"))
    daemon.preview()
    assert len(daemon.reader.turns) == 4


def test_a_profile_without_turns_has_nothing_to_derive_again(store: Store, daemon: Daemon) -> None:
    capture(store, [said("Hello", role="assistant")], profile="silent")
    for profile in ("nobody", "silent"):
        with pytest.raises(NotFoundError, match="nothing to derive again"):
            daemon.start(profile)


def test_other_profiles_are_left_alone(store: Store, daemon: Daemon) -> None:
    capture(store, ["a"], profile="work")
    capture(store, ["a. b"])
    daemon.work()
    before = store.read_now(lambda db: memories.page(db, profiles=["work"]))
    daemon.reader.model = "better"
    daemon.rederive()
    assert store.read_now(lambda db: memories.page(db, profiles=["work"])) == before


def test_a_turn_that_cannot_be_read_leaves_its_memories_as_they_are(store: Store, daemon: Daemon) -> None:
    capture(store, ["a", "b"])
    daemon.work()
    daemon.reader.model = "better"
    daemon.reader.broken.add("a")
    daemon.start()
    for _ in range(rederive.ATTEMPTS):
        daemon.steps()
    assert kinds(daemon.changes()) == [("reworded", "The user said b", "The user said better b")]
    assert daemon.progress().unreadable == 1
    daemon.reader.broken.clear()
    assert len(daemon.preview()) == 2, "it is tried again"


def test_without_a_model_it_waits_and_says_so(store: Store, daemon: Daemon) -> None:
    capture(store, ["a"])
    daemon.models.missing.add("generate")
    daemon.start()
    assert daemon.steps() == 0
    assert daemon.rederiver._error == "no generate model; run: satchel models pull"
    daemon.models.missing.clear()
    daemon.steps()
    assert daemon.progress().run.state == "ready"


def test_jobs_go_first_and_a_pause_holds_up_both(store: Store, daemon: Daemon) -> None:
    first = capture(store, ["a", "b"], external_id="one")
    order: list[str] = []
    real_run, real_step = daemon.worker._run, daemon.rederiver.step
    daemon.start()

    async def job(job: Any) -> None:
        order.append("job")
        await real_run(job)
        if len(order) < 5:
            capture(store, [f"c{len(order)}"], external_id=f"{len(order)}")

    async def step() -> bool:
        done = await real_step()
        order.append("step" if done else "nothing")
        if order.count("step") == 2:
            store.write_now(lambda tx: jobs.set_paused(tx, True))
        return done

    daemon.worker._run, daemon.worker.aside = job, step  # type: ignore[method-assign]

    async def check() -> None:
        task = asyncio.create_task(daemon.worker.run())
        async with asyncio.timeout(10):
            while "nothing" not in order:
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(check())
    assert order == ["job"] * 5 + ["step"] * 2 + ["nothing"]
    assert first.job_id


def test_a_choice_stays_a_choice_while_it_is_kept(store: Store, daemon: Daemon) -> None:
    capture(store, ["a!", "b!*"])
    statuses = {change.after.text[-2:]: change.after.status for change in daemon.preview()}
    assert statuses == {"a!": "candidate", "!*": "active"}


# What goes with what


def resting(text: str, start: int, end: int, *, kind: Any = "fact", id: str = "s") -> Memory:  # noqa: A002
    quote = Source(message_id="m", conversation_id="c", start=start, end=end, quote="q" * (end - start))
    return Memory(id=id, profile="me", kind=kind, text=text, key="", sources=(quote,))


def test_a_memory_goes_with_the_one_that_says_the_same_not_with_the_one_that_overlaps_more() -> None:
    stored = [(resting("a", 0, 5), "clock")]
    changes = compare(
        stored, [resting("a and b", 0, 9, id="1"), resting("a", 0, 5, id="2"), resting("c", 3, 9, id="3")]
    )
    assert kinds(changes) == [("new", None, "a and b"), ("new", None, "c")]


@pytest.mark.parametrize(
    ("kind", "start", "change"),
    [("fact", 4, "reworded"), ("event", 4, "reworded"), ("implicit_preference", 4, "new"), ("fact", 5, "new")],
)
def test_a_memory_goes_with_one_on_the_same_words_of_any_kind_but_a_hint(kind: Any, start: int, change: str) -> None:
    changes = compare([(resting("a", 0, 5), "clock")], [resting("b", start, 9, kind=kind)])
    assert [one.change for one in changes] == ([change] if change == "reworded" else ["new", "withdrawn"])


def test_what_is_over_already_is_not_withdrawn() -> None:
    over = [msgspec.structs.replace(resting("a", 0, 5), status=status) for status in ("superseded", "archived")]
    assert compare([(memory, "clock") for memory in over], []) == []


def test_memories_follow_in_the_order_in_which_they_were_said(store: Store, daemon: Daemon) -> None:
    later, earlier = (f"2026-0{month}-01T00:00:00Z" for month in (3, 2))
    capture(store, [said("The user lives in Porto. a", "m", sent_at=later)], external_id="later")
    capture(store, [said("The user lives in Rome. a", "m", sent_at=earlier)], external_id="earlier")
    found = {change.after.text: change.after for change in daemon.preview()}
    porto, rome, both = (found[f"The user {text}"] for text in ("lives in Porto", "lives in Rome", "said a"))
    assert (rome.status, rome.valid_to, porto.status) == ("superseded", porto.valid_from, "active")
    assert (both.valid_from, both.observations) == (rome.valid_from, 2)


# For all inputs

WORDS = ("a", "b", "x", "y", "z", "a!", "b!", "q?", "The user lives in Porto", "The user lives in Rome")
TURN = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(". ".join)


class Machine(RuleBasedStateMachine):
    """The user and jobs do anything, models change: what the user decided stays, and twice is as once."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="satchel-rederive-"))
        self.clock = Clock()
        self.store = Store(self.folder, now=self.clock)
        self.daemon = Daemon(self.store)
        self.mine: dict[str, Memory] = {}
        self.lost: list[Source] = []
        self.chats: dict[str, list[str]] = {}

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def derived(self) -> list[Memory]:
        return sorted((m for m in self.daemon.all_memories() if m.id not in self.mine), key=lambda m: m.id)

    @initialize(turns=st.lists(TURN, min_size=2, max_size=4))
    def begin(self, turns: list[str]) -> None:
        self.talk("one", turns)

    @rule(chat=st.sampled_from(["one", "two", "three"]), turns=st.lists(TURN, min_size=1, max_size=2))
    def talk(self, chat: str, turns: list[str]) -> None:
        self.clock.ms += DAY
        self.chats.setdefault(chat, []).extend(turns)
        capture(self.store, self.chats[chat], external_id=chat)
        self.daemon.work()

    @rule(pick=st.integers(0, 20), how=st.sampled_from(["edit", "pin", "archive"]))
    def decide(self, pick: int, how: str) -> None:
        found = self.derived()
        if found:
            memory = found[pick % len(found)]
            change = {"edit": {"text": f"Mine {memory.id}"}, "pin": {"pinned": True}, "archive": {"status": "archived"}}
            pk = self.store.read_now(lambda db: memories.pk_of(db, memory.id))
            edit = memories.Edit(**change[how])  # type: ignore[arg-type]
            self.store.write_now(lambda tx: memories.edit(tx, pk, edit, by="user", change=how))
            if not self.store.read_now(lambda db: memories.is_users_own(db, pk)):
                return  # put away already, by deriving again
            self.mine[memory.id] = self.store.read_now(lambda db: memories.memory(db, memory.id))

    @rule(pick=st.integers(0, 20))
    def forget(self, pick: int) -> None:
        found = self.derived()
        if found:
            memory = found[pick % len(found)]
            self.store.write_now(lambda tx: forget.forget_memory(tx, memory.id))
            self.lost += memory.sources

    @rule(model=st.sampled_from(["first", "better", "whole"]), stops=st.lists(st.integers(1, 4), max_size=4))
    def derive_again(self, model: str, stops: list[int]) -> None:
        self.daemon.reader.model = model
        self.own = {
            memory_id: self.store.read_now(lambda db, m=memory_id: memories.memory(db, m)) for memory_id in self.mine
        }
        self.daemon.store.write_now(lambda tx: rederivation.drop(tx, "me"))
        whole_run = kinds(self.daemon.preview())
        self.daemon.store.write_now(lambda tx: rederivation.drop(tx, "me"))
        self.daemon.start()
        for stop in stops:
            self.daemon.steps(stop)
            self.daemon.begin()
        self.daemon.steps()
        assert kinds(self.daemon.changes()) == whole_run, "a stop and a restart give the same preview"
        self.daemon.confirm()
        for stop in stops:
            self.daemon.steps(stop)
            self.daemon.begin()
        self.daemon.steps()
        assert {change.outcome for change in self.daemon.changes()} <= {"applied"}
        assert kinds(self.daemon.preview()) == [], "a second time changes nothing"
        for memory_id, before in self.own.items():
            assert self.store.read_now(lambda db, m=memory_id: memories.memory(db, m)) == before

    @invariant()
    def no_memory_rests_on_forgotten_words_or_on_words_that_do_not_stand(self) -> None:
        for memory in self.daemon.all_memories():
            turns = self.store.read_now(lambda db, m=memory: log.messages(db, [s.message_id for s in m.sources]))
            for source in memory.sources:
                assert turns[source.message_id].content[source.start : source.end] == source.quote
                assert memory.id in self.mine or not any(shares_words(place, source) for place in self.lost)


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=12, stateful_step_count=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
