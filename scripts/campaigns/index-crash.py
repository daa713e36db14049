"""Kills the daemon while it builds or re-embeds its index of meaning: recall must then equal a fresh build's."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, cast

import _vectors
import httpx
import numpy as np
from _campaign import Daemon, load, new_token, report, satchel, save, work_folder
from _vectors import PROFILE, Rows, Source

from satchel.recall.indexer import BATCH
from satchel.store import Store, log, vector_sets, vectors
from satchel.store.database import connect, fetch
from satchel.store.neighbours import EXACT, SAVED_EVERY, Neighbours
from satchel.store.store import CELLS_FOLDER, FILE_NAME
from satchel.store.vector_sets import Indexed
from satchel.store.vectors import Meaning

KINDS: tuple[Indexed, ...] = ("turn", "memory")
TURNS = EXACT + 5_000
MEMORIES = 200
FOREIGN_TURNS, FOREIGN_MEMORIES = 200, 40
SENTENCES = 600
QUESTIONS = 30
TOP = 10
BY_THEMSELVES = 200
"""Vectors of which each must be found by itself."""

SETTLE_SECONDS = 300
LITTLE = 1e-6
"""By how much two similarities differ that are the same: sums come out otherwise in another order."""

REMARKS = f"""Each round copies a store that was made beforehand, starts the daemon on it, brings it to one of the
moments below and kills it with SIGKILL there: in half the rounds with its model process, in half alone. The small
moments are waited for (the file appears under `data/vectors`; `/v1/status` says that so many still wait), the long ones
are hit at random. What the kill hit is read from what it left: a `.part` file, a file without a stamp that
fits, no file though it was being made, a question without its answer, items that still wait for their vector. A kill
that came before or after its moment is checked too, and not counted.

First build: {TURNS:,} turns, no file yet, so that the first question has the cells made. Growing: a store just below
{EXACT:,} grows past it through captures. Catching up: the file is {SAVED_EVERY:,} changes behind when the first
question is asked. Writing again: the same, when the next change has the file written again. On the way out: SIGTERM,
then SIGKILL while the file is written. In half of the first builds, and in all rounds with changes, three clients
capture, write memories, ask, and forget memories and conversations all the while. Re-embedding:
{FOREIGN_TURNS} turns and {FOREIGN_MEMORIES} memories with vectors of another model, which give way to those made by
the real one.

Afterwards the daemon is started again and left alone until nothing waits and the file is whole. Then
`satchel doctor` must find nothing; everything that can be found must have a vector; what was acknowledged must be
there, and what was acknowledged as forgotten must not, nor stand in the file of vectors that the kill left; and
{BY_THEMSELVES} vectors must each be found by themselves.

Recall must equal that of a fresh build: a copy of the database without its vectors' files (for re-embedding, without
its vectors), on which another daemon builds all of it without a disturbance. {QUESTIONS} questions are asked of both
through `/v1/recall`, and their vectors of both indexes, without the ranker. Cells are an approximation, and cells that
were learnt before some changes are others than those learnt after them: equality of the two would not be owed for any
data. Learning is seeded, so that the same vectors make the same file. And the vectors here lie in groups of like ones,
so that the {TOP} nearest of a question lie well within the cells looked into, and both must give what a search through
all vectors of the database gives: this is the third that is compared. Two answers are the same when they name the same
at each rank, or what is equally near."""

Near = list[tuple[Any, float]]
"""What was found with its nearness or score, best first."""


class Index:
    """The files of the cells of turns, as the kill left them."""

    def __init__(self, data: Path) -> None:
        folder = data / CELLS_FOLDER
        self.file = folder / "turn-1.faiss"
        self.part = self.file.with_suffix(".part")
        self.stamp = self.file.with_suffix(".json")

    def is_being_written(self) -> bool:
        return self.part.exists()

    def is_whole(self) -> bool:
        """Whether the file is the one that its stamp was made for."""
        with contextlib.suppress(OSError, ValueError):
            stamp = json.loads(self.stamp.read_bytes())
            with self.file.open("rb") as data:
                return bool(hashlib.file_digest(data, "blake2b").hexdigest() == stamp["digest"])
        return False

    def left(self) -> str:
        if self.part.exists():
            return "writing the file"
        if self.is_whole():
            return "whole"
        return "between the file and its stamp" if self.file.exists() else "nothing"

    def pks(self) -> set[int]:
        """Whose vectors lie in the file, or in what there is of the next."""
        import faiss

        found: set[int] = set()
        for file in (self.file, self.part):
            with contextlib.suppress(RuntimeError):  # it is not there, or only half of it
                index = cast("faiss.IndexIVF", faiss.read_index(str(file)))  # its lists live no longer than it does
                lists = index.invlists
                assert lists is not None
                for cell in range(lists.nlist):
                    if size := lists.list_size(cell):
                        found |= set(map(int, faiss.rev_swig_ptr(lists.get_ids(cell), size)))
        return found


class Traffic:
    """Clients that capture, write, ask and forget until the daemon is gone, and what of that was acknowledged."""

    CLIENTS = 3

    def __init__(self, daemon: Daemon, data: Path, seed: str, *, forgetting: bool = True) -> None:
        self.daemon = daemon
        self.forgetting = forgetting
        self.kept: set[str] = set()
        self.forgotten: set[str] = set()
        self.forgotten_pks: set[int] = set()
        self.requests = 0
        chooser = random.Random(seed)
        with contextlib.closing(connect(data / FILE_NAME, readonly=True)) as db:
            conversations = [row[0] for row in fetch(db, "SELECT id FROM conversation ORDER BY pk LIMIT 500")]
            memories = [row[0] for row in fetch(db, "SELECT id FROM memory ORDER BY pk LIMIT 100")]
            self.turns = {
                conversation: fetch(
                    db,
                    "SELECT m.id, m.pk FROM message m JOIN conversation c ON c.pk = m.conversation WHERE c.id = ?",
                    (conversation,),
                )
                for conversation in chooser.sample(conversations, min(30, len(conversations)))
            }
        self.conversations = list(self.turns)
        self.memories = chooser.sample(memories, min(50, len(memories)))
        self.threads = [
            threading.Thread(target=self._run, args=(n, random.Random(f"{seed}-{n}"))) for n in range(self.CLIENTS)
        ]
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join()

    def _run(self, number: int, chooser: random.Random) -> None:
        with httpx.Client(
            base_url=self.daemon.client.base_url, headers=self.daemon.client.headers, timeout=60
        ) as client:
            turn = 0
            while True:
                turn += 1
                try:
                    self._one(client, number, turn, chooser)
                except httpx.TransportError:
                    return  # it was killed
                self.requests += 1

    def _one(self, client: httpx.Client, number: int, turn: int, chooser: random.Random) -> None:
        what = chooser.choices(("capture", "write", "ask", "forget", "forget all"), (10, 3, 5, 2, 1))[0]
        text = f"{chooser.choice(_vectors.WHO)} {chooser.choice(_vectors.DID)} lamp {number}-{turn} yesterday."
        if what == "capture":
            messages = [{"id": f"{turn}-{n}", "role": "user", "content": f"{text} Part {n}."} for n in range(4)]
            body = {"profile": PROFILE, "site": "campaign", "external_id": f"live-{number}-{turn}"}
            answer = _good(client.post("/v1/messages", json={**body, "messages": messages}))
            self.kept |= set(answer["message_ids"])
        elif what == "write":
            self.kept.add(_good(client.post("/v1/memories", json={"profile": PROFILE, "text": text}))["id"])
        elif what == "ask":
            _good(client.post("/v1/recall", json={"profile": PROFILE, "query": text}))
        elif what == "forget" and self.forgetting and self.memories:
            memory = self.memories.pop()
            _good(client.delete(f"/v1/memories/{memory}"))
            self.forgotten.add(memory)
        elif what == "forget all" and self.forgetting and self.conversations:
            conversation = self.conversations.pop()
            _good(client.delete(f"/v1/conversations/{conversation}"))
            self.forgotten |= {conversation, *(turn_id for turn_id, _ in self.turns[conversation])}
            self.forgotten_pks |= {pk for _, pk in self.turns[conversation]}


def _good(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
    return answer.json()


class Round:
    """One store, one moment, one kill, and what is wrong afterwards."""

    def __init__(self, number: int, state: dict[str, Any], of: Source, work: Path) -> None:
        self.random = random.Random(f"{state['seed']}-{number}")
        self.name = f"{state['seed']}-{number}"
        self.moment = MOMENTS[number % len(MOMENTS)]
        self.usual: dict[str, float] = state["usual"]
        self.of = of
        self.token: str = state["tokens"][self.moment.store]
        self.data = work / "round" / "data"
        self.fresh = work / "fresh" / "data"
        for data in (self.data, self.fresh):
            shutil.rmtree(data.parent, ignore_errors=True)
            data.parent.mkdir()
        shutil.copytree(work / "stores" / self.moment.store, self.data)
        self.index = Index(self.data)
        self.traffic: Traffic | None = None
        self.leaked: set[int] = set()

    # ------------------------------------------------------------------------------------------- before the kill

    def strike(self) -> str:
        """Brings the daemon to its moment and kills it; what the kill hit, or "" when it missed."""
        daemon = Daemon(self.data, self.token)
        try:
            hit = self.moment.reach(self, daemon)
        finally:
            if daemon.process.poll() is None:
                daemon.kill()
            if self.traffic:
                self.traffic.join()
            daemon.client.close()
        if self.traffic:
            self.leaked = self.index.pks() & self.traffic.forgotten_pks
        return hit

    def kill(self, daemon: Daemon) -> None:
        daemon.kill(group=self.random.random() < 0.5)

    def begin_traffic(self, daemon: Daemon, *, forgetting: bool = True) -> None:
        self.traffic = Traffic(daemon, self.data, self.name, forgetting=forgetting)

    def wait_until(self, there: Callable[[], bool], seconds: float, *, every: float = 0.0) -> bool:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if there():
                return True
            time.sleep(every)
        return False

    def ask(self, daemon: Daemon, number: int = 0, profile: str = PROFILE) -> Near:
        body = {"profile": profile, "query": self.of.questions[number], "limit": TOP}
        return [(hit["id"], hit["score"]) for hit in _good(daemon.client.post("/v1/recall", json=body))["hits"]]

    def build(self, daemon: Daemon) -> str:
        """Anywhere in the first build: mostly while cells are learnt and filled."""
        self.ask(daemon)
        if self.random.random() < 0.5:
            self.begin_traffic(daemon)
        done = self.wait_until(self.index.is_whole, self.random.uniform(0, self.usual["build"]), every=0.001)
        self.kill(daemon)
        left = "learning and filling cells" if self.index.left() == "nothing" else self.index.left()
        return "" if done or left == "whole" else left

    def write(self, daemon: Daemon) -> str:
        """As the first build writes its file."""
        self.ask(daemon)
        if self.random.random() < 0.5:
            self.begin_traffic(daemon)
        return self.kill_when_written(daemon)

    def grow(self, daemon: Daemon) -> str:
        """Anywhere in the build that captures bring about."""
        self.ask(daemon)
        self.begin_traffic(daemon, forgetting=False)
        with contextlib.closing(connect(self.data / FILE_NAME, readonly=True)) as db:
            self.wait_until(lambda: _counted(db) > EXACT, SETTLE_SECONDS, every=0.01)
        done = self.wait_until(self.index.is_whole, self.random.uniform(0.1, self.usual["build"]), every=0.001)
        self.kill(daemon)
        left = "learning and filling cells" if self.index.left() == "nothing" else self.index.left()
        return "" if done or left == "whole" else left

    def catch_up(self, daemon: Daemon) -> str:
        """While the first question waits for the file to be read and brought up to date."""
        asking, answered = self.begin_asking(daemon)
        time.sleep(self.random.uniform(0.1, 0.95) * self.usual["catch up"])
        missed = answered.is_set()
        self.kill(daemon)
        asking.join()
        return "" if missed else "reading the file and taking in changes"

    def write_again(self, daemon: Daemon) -> str:
        """As the file is written again: what went since lay in it, so that it is removed when it was read."""
        asking, _ = self.begin_asking(daemon)
        left = self.kill_when_written(daemon)
        asking.join()
        return left

    def begin_asking(self, daemon: Daemon) -> tuple[threading.Thread, threading.Event]:
        """Puts the first question that reads the file, in a thread, and says when it was answered."""
        self.ask(daemon, profile="nobody")  # the model is loaded then
        answered = threading.Event()

        def ask() -> None:
            with contextlib.suppress(httpx.TransportError):
                self.ask(daemon)
                answered.set()

        asking = threading.Thread(target=ask)
        asking.start()
        return asking, answered

    def write_at_the_end(self, daemon: Daemon) -> str:
        """As the file is written before the daemon ends by itself."""
        self.ask(daemon)
        self.begin_traffic(daemon)
        time.sleep(self.random.uniform(1, 3))
        assert self.traffic
        self.ask(daemon)
        daemon.process.terminate()
        return self.kill_when_written(daemon)

    def kill_when_written(self, daemon: Daemon) -> str:
        self.wait_until(
            lambda: self.index.is_being_written() or daemon.process.poll() is not None, SETTLE_SECONDS, every=0.0002
        )
        time.sleep(self.random.choice((0.0, self.random.uniform(0, 0.05))))
        if daemon.process.poll() is None:
            self.kill(daemon)
        left = self.index.left()
        return "" if left in {"whole", "nothing"} else left

    def reembed(self, daemon: Daemon) -> str:
        """When so many vectors are made again, and so many not."""
        # The last batch but one is the last that something waits behind.
        few = self.random.randrange(BATCH, FOREIGN_TURNS + FOREIGN_MEMORIES + 1)

        def so_far() -> bool:
            waiting = int(daemon.client.get("/v1/status").json()["indexing"])
            return 0 < waiting <= few

        if not self.wait_until(so_far, SETTLE_SECONDS, every=0.005):
            return ""
        time.sleep(self.random.uniform(0, 0.05))
        self.kill(daemon)
        with contextlib.closing(connect(self.data / FILE_NAME, readonly=True)) as db:
            begun = vector_sets.of(db, self.of.model) is not None
            return "with some vectors made again" if begun and vector_sets.count_waiting(db) else ""

    # ------------------------------------------------------------------------------------------- after the kill

    def check(self) -> tuple[list[str], float, bool]:
        """What is wrong, how long (s) it took to settle, and whether the fresh build finds what a full search does."""
        began = time.monotonic()
        daemon = self.settled(self.data)
        took = time.monotonic() - began
        try:
            answers = [self.ask(daemon, n) for n in range(QUESTIONS)]
            command = satchel("doctor", "--data", str(self.data))
            doctor = subprocess.run(command, capture_output=True, text=True, check=False)
        finally:
            daemon.stop()
        wrong = []
        if doctor.returncode:
            wrong += [f"doctor: {line}" for line in doctor.stdout.splitlines() if line.startswith("✗")] or ["doctor"]
        wrong += self.missing(answers)

        shutil.copytree(self.data, self.fresh, ignore=shutil.ignore_patterns(CELLS_FOLDER))
        if self.moment.store == "foreign":
            _vectors.make_foreign(self.fresh, self.of.rows.shape[1])
        daemon = self.settled(self.fresh)
        try:
            expected = [self.ask(daemon, n) for n in range(QUESTIONS)]
        finally:
            daemon.stop()
        different = sum(not _same(mine, theirs, 1e-4) for mine, theirs in zip(answers, expected, strict=True))
        if different:
            wrong.append(f"{different} of {QUESTIONS} questions are answered otherwise than after a fresh build")

        recovered, by_themselves = self.nearest(self.data)
        new, _ = self.nearest(self.fresh)
        full = self.full_search(self.fresh)
        different = sum(
            not _same(mine, theirs, self.moment.little) for mine, theirs in zip(recovered, new, strict=True)
        )
        if different:
            wrong.append(f"{different} of {len(new)} vectors have other neighbours than after a fresh build")
        if by_themselves:
            wrong.append(f"{by_themselves} of {BY_THEMSELVES} vectors are not found by themselves")
        exact = all(_same(mine, theirs, LITTLE) for mine, theirs in zip(new, full, strict=True))
        return wrong, took, exact

    def settled(self, data: Path) -> Daemon:
        """The daemon, once nothing waits and what recall needs is made."""
        daemon = Daemon(data, self.token)
        index = Index(data)
        with contextlib.closing(connect(data / FILE_NAME, readonly=True)) as db:

            def is_settled() -> bool:
                self.ask(daemon)  # what is to be built is built for a question
                answering = vector_sets.answering(db)
                made_by = answering is not None and answering.model == self.of.model
                waiting = daemon.client.get("/v1/status").json()["indexing"]
                return made_by and waiting == 0 and (_counted(db) <= EXACT or index.is_whole())

            try:
                settled = self.wait_until(is_settled, SETTLE_SECONDS, every=0.1)
            except httpx.HTTPError:
                daemon.stop()
                raise
        if not settled:
            daemon.stop()
            raise RuntimeError(f"the index of {data} did not settle within {SETTLE_SECONDS} s")
        time.sleep(0.3)  # between the stamp and the cells that answer, the file is read
        return daemon

    def missing(self, answers: Sequence[Near]) -> list[str]:
        """What should be in the database and is not, and what should not be and is."""
        wrong = []
        with contextlib.closing(connect(self.data / FILE_NAME, readonly=True)) as db:
            without = db.execute(
                "SELECT (SELECT count(*) FROM message m WHERE role IN ('user', 'assistant') AND content <> ''"
                " AND NOT EXISTS (SELECT 1 FROM turn_vector v WHERE v.pk = m.pk)) + (SELECT count(*) FROM memory y"
                " WHERE NOT EXISTS (SELECT 1 FROM memory_vector v WHERE v.pk = y.pk))"
            ).get
            ids = {row[0] for row in db.execute("SELECT id FROM message UNION ALL SELECT id FROM memory")}
            conversations = {row[0] for row in db.execute("SELECT id FROM conversation")}
        if without:
            wrong.append(f"{without} items have no vector and wait for none")
        if self.traffic:
            if lost := self.traffic.kept - ids:
                wrong.append(f"{len(lost)} acknowledged and lost")
            found = {hit for answer in answers for hit, _ in answer}
            if back := self.traffic.forgotten & (ids | conversations | found):
                wrong.append(f"{len(back)} forgotten and there again")
            if self.leaked:
                wrong.append(f"{len(self.leaked)} forgotten turns' vectors lay in the file that the kill left")
        return wrong

    def nearest(self, data: Path) -> tuple[list[Near], int]:
        """The nearest to each question, of turns and of memories, by the index as it lies there; and how many vectors
        are not found by themselves."""
        with contextlib.closing(Store(data)) as store:
            held = Neighbours(data / CELLS_FOLDER, store.read_now)
            profile = store.read_now(lambda db: log.profile_pk(db, PROFILE)) or 0

            def look(kind: Indexed, row: Rows, k: int) -> Near:
                return list(
                    store.read_now(
                        lambda db: held.nearest(db, kind, Meaning(self.of.model, row.tobytes()), profile=profile, k=k)
                    )
                )

            near = [look(kind, row, TOP) for kind in KINDS for row in self.of.asked]
            pks = store.read_now(lambda db: vectors.all_of(db, self.of.model, "turn", profile))
            # The latest too: what came while the index was killed is most easily missed.
            some = [*self.random.sample(pks[:-50], BY_THEMSELVES - 50), *pks[-50:]]
            _, rows = store.read_now(lambda db: vectors.whole(db, self.of.model, "turn", some))
            lost = sum(not found or found[0][1] < 0.9999 for found in (look("turn", row, 1) for row in rows))
            held.settle()
            held.close()
        return near, lost

    def full_search(self, data: Path) -> list[Near]:
        """The same by looking at every vector of the database."""
        found: list[Near] = []
        with contextlib.closing(connect(data / FILE_NAME, readonly=True)) as db:
            profile = log.profile_pk(db, PROFILE) or 0
            for kind in KINDS:
                pks, rows = vectors.whole(db, self.of.model, kind, vectors.all_of(db, self.of.model, kind, profile))
                for row in self.of.asked:
                    cosines = rows @ row
                    best = np.argsort(-cosines, kind="stable")[:TOP]
                    found.append([(pks[place], float(cosines[place])) for place in best])
        return found


class Moment(NamedTuple):
    """What is going on when the kill comes, in which store, and how the daemon is brought there. `little`: how far the
    similarities of the same vectors may lie apart, which is more where the model made them twice."""

    name: str
    store: str
    reach: Callable[[Round, Daemon], str]
    little: float = LITTLE


FIRST = Moment("first build", "first", Round.build)
WRITING = Moment("first build", "first", Round.write)
GROWING = Moment("growing", "nearly", Round.grow)
CATCHING_UP = Moment("catching up", "behind", Round.catch_up)
AGAIN = Moment("writing again", "behind", Round.write_again)
ENDING = Moment("on the way out", "whole", Round.write_at_the_end)
REEMBEDDING = Moment("re-embedding", "foreign", Round.reembed, 1e-4)

MOMENTS = (FIRST, REEMBEDDING, WRITING, CATCHING_UP, REEMBEDDING, AGAIN, FIRST, GROWING, REEMBEDDING, ENDING)


def _counted(db: Any) -> int:
    answering = vector_sets.answering(db)
    if answering is None:
        return 0
    state = vectors.state(db, answering.model, "turn", log.profile_pk(db, PROFILE) or 0)
    return state.count if state else 0


def _same(mine: Near, theirs: Near, little: float) -> bool:
    return len(mine) == len(theirs) and all(
        one == other or abs(near - nearness) <= little
        for (one, near), (other, nearness) in zip(mine, theirs, strict=True)
    )


def prepare(work: Path, state: dict[str, Any]) -> Source:
    """Makes the stores that the rounds begin with, and takes the times that kills are aimed by."""
    file, stores = work / "source.npz", work / "stores"
    if not file.exists():
        made = _vectors.source(state["seed"], SENTENCES, QUESTIONS)
        np.savez(file, model=made.model, sentences=made.sentences, rows=made.rows, questions=made.questions,
                 asked=made.asked)  # fmt: skip
    kept = np.load(file)
    of = Source(
        str(kept["model"]), list(map(str, kept["sentences"])), kept["rows"], list(map(str, kept["questions"])),
        kept["asked"],
    )  # fmt: skip
    if state["tokens"]:
        return of
    shutil.rmtree(stores, ignore_errors=True)
    for name, turns, known in (
        ("first", TURNS, MEMORIES),
        ("nearly", EXACT - 30, MEMORIES),
        ("foreign", FOREIGN_TURNS, FOREIGN_MEMORIES),
    ):
        print(f"making the store {name} …", flush=True)
        (stores / name).mkdir(parents=True)
        _vectors.fill(stores / name, of, turns=turns, known=known, seed=state["seed"])
        state["tokens"][name] = new_token(stores / name)
    _vectors.make_foreign(stores / "foreign", of.rows.shape[1])

    shutil.copytree(stores / "first", stores / "whole")
    state["usual"]["build"] = _seconds_of_build(stores / "whole", state["tokens"]["first"], of)
    shutil.copytree(stores / "whole", stores / "behind")
    _vectors.change_many(
        stores / "behind", of, moved=SAVED_EVERY - 5_000, dropped=2_500, added=3_000, seed=state["seed"]
    )
    shutil.copytree(stores / "behind", stores / "tried")
    state["usual"]["catch up"] = _seconds_of_catching_up(stores / "tried", state["tokens"]["first"], of)
    shutil.rmtree(stores / "tried")
    state["tokens"] |= dict.fromkeys(("whole", "behind"), state["tokens"]["first"])
    return of


def _recall(daemon: Daemon, question: str, profile: str = PROFILE) -> float:
    began = time.monotonic()
    _good(daemon.client.post("/v1/recall", json={"profile": profile, "query": question}))
    return time.monotonic() - began


def _seconds_of_build(data: Path, token: str, of: Source) -> float:
    daemon, index = Daemon(data, token), Index(data)
    _recall(daemon, of.questions[0])
    began = time.monotonic()
    while not index.is_whole():
        time.sleep(0.01)
    took = time.monotonic() - began
    daemon.stop()
    return took


def _seconds_of_catching_up(data: Path, token: str, of: Source) -> float:
    daemon = Daemon(data, token)
    _recall(daemon, of.questions[0], "nobody")
    took = _recall(daemon, of.questions[0])
    daemon.kill()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/campaign index-crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="kills that hit their moment")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="begin again instead of going on")
    options = parser.parse_args()

    work = work_folder("index-crash")
    if options.fresh:
        shutil.rmtree(work)
        work = work_folder("index-crash")
    path = work / "state.json"
    fresh: dict[str, Any] = {
        "seed": options.seed, "rounds": 0, "hits": {}, "missed": 0, "requests": 0, "inexact": 0, "wrong": [],
        "settled": [], "tokens": {}, "usual": {},
    }  # fmt: skip
    state = load(path, fresh)
    of = prepare(work, state)
    save(path, state)

    while sum(state["hits"].values()) < options.kills:
        this = Round(state["rounds"], state, of, work)
        hit = this.strike()
        try:
            wrong, took, exact = this.check()
        except (RuntimeError, httpx.HTTPError) as error:  # it died, or never settled: that is a finding, too
            wrong, took, exact = [f"could not be checked: {error}"], 0.0, True
        if hit:
            what = f"{this.moment.name}: {hit}"
            state["hits"] = Counter(state["hits"]) + Counter({what: 1})
        else:
            what = f"{this.moment.name}: missed"
            state["missed"] += 1
        state["requests"] += this.traffic.requests if this.traffic else 0
        state["inexact"] += not exact
        state["wrong"] += [f"round {state['rounds']}, {what}: {line}" for line in wrong]
        state["settled"].append(round(took, 2))
        state["rounds"] += 1
        save(path, state)
        print(f"{sum(state['hits'].values())}/{options.kills}  {what}, settled in {took:.1f} s, {wrong or 'all well'}",
              flush=True)  # fmt: skip

    figures = {
        "kills": sum(state["hits"].values()),
        **{f"kills in {what}": number for what, number in sorted(state["hits"].items())},
        "kills_before_or_after_their_moment": state["missed"],
        "requests_answered_meanwhile": state["requests"],
        "wrong_afterwards": len(state["wrong"]),
        "fresh_builds_that_differ_from_a_full_search": state["inexact"],
        "settled_after_start_median_s": median(state["settled"]),
        "settled_after_start_longest_s": max(state["settled"]),
    }
    report("index-crash", "Killed in the midst of indexing", figures, REMARKS)
    print(json.dumps(figures, indent=2))
    sys.exit(bool(state["wrong"]))


if __name__ == "__main__":
    main()
