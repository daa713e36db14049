"""Pages of memories: narrowed, in an order, together all there are, and as cheap far down as at the top."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import apsw
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storing import NOON, Clock, capture, draft, quote, remember, turns

from satchel.store import Store, memories
from satchel.store.memories import Edit, Order
from satchel.types import Memory

SITES = ("chat.test", "other.test")


def fill(store: Store, clock: Clock) -> None:
    """Memories that differ in all that is asked for, changed in another order than they were made."""
    for number in range(24):
        site = SITES[number % 2]
        done = capture(store, [f"I said number {number}."], external_id=f"c{number}", site=site)
        (turn,) = turns(store, done.conversation_id)
        written = msgspec.structs.replace(
            draft(f"Number {number}.", quote(turn, f"number {number}")),
            said_by=("user", "assistant", "document")[number % 3],
            valid_from=NOON + number % 5,
        )
        remember(store, written)
    remember(store, draft("By hand."), by_hand=True)
    pks = store.read_now(lambda db: [int(str(pk)) for (pk,) in db.execute("SELECT pk FROM memory")])
    for pk in sorted(pks, key=lambda pk: pk * 7 % 13):
        clock.ms += pk % 2  # some change at the same time
        edit = Edit(observations=2 + pk % 4, pinned=pk % 6 == 0)
        store.write_now(lambda tx, pk=pk, edit=edit: memories.edit(tx, pk, edit, by="extraction", change="evidence"))


ORDERS: dict[Order, Callable[[Memory], Any]] = {
    "latest": lambda m: (-m.pinned, -m.updated_at),
    "oldest": lambda m: (-m.pinned, m.updated_at),
    "observed": lambda m: (-m.pinned, -m.observations, -m.updated_at),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_pages_together_are_all_that_match_in_their_order(store: Store, clock: Clock, data: st.DataObject) -> None:
    everything, _ = store.read_now(lambda db: memories.page(db, profiles=None, size=1000))
    if not everything:
        fill(store, clock)
        everything, _ = store.read_now(lambda db: memories.page(db, profiles=None, size=1000))
    order = data.draw(st.sampled_from(get_args(Order)))
    moment = st.none() | st.integers(NOON - 1, NOON + 6)
    only = {
        "site": data.draw(st.none() | st.sampled_from(SITES)),
        "since": data.draw(moment),
        "until": data.draw(moment),
        "pinned": data.draw(st.none() | st.booleans()),
        "said_by": data.draw(st.none() | st.sampled_from(["user", "assistant", "document"])),
    }
    size = data.draw(st.integers(1, 9))

    def wanted(memory: Memory) -> bool:
        number = memory.text.removeprefix("Number ").rstrip(".")
        site = SITES[int(number) % 2] if number.isdigit() else None
        return (
            only["site"] in (None, site)
            and (only["since"] is None or memory.valid_from >= only["since"])
            and (only["until"] is None or memory.valid_from < only["until"])
            and only["pinned"] in (None, memory.pinned)
            and only["said_by"] in (None, memory.said_by)
        )

    expected = [memory for memory in everything if wanted(memory)]
    found: list[Memory] = []
    for number in range(1, len(expected) // size + 2):
        items, total = store.read_now(
            lambda db, number=number: memories.page(db, profiles=("me",), order=order, page=number, size=size, **only)
        )
        assert total == len(expected)
        found += items
    assert {memory.id for memory in found} == {memory.id for memory in expected}
    assert len(found) == len(expected)
    keys = [ORDERS[order](memory) for memory in found]
    assert keys == sorted(keys)


@pytest.mark.parametrize("order", get_args(Order))
def test_what_a_page_passes_over_is_counted_off_an_index_and_not_read(store: Store, order: Order) -> None:
    plans: list[str] = []

    def look(db: apsw.Connection) -> None:
        asked: list[str] = []
        db.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: asked.append(event["sql"]))
        memories.page(db, profiles=("me",), order=order, page=500, since=NOON)
        db.trace_v2(0, None)
        for sql in asked:
            if sql.startswith(("SELECT y.pk FROM", "SELECT count(*)")):
                nothing = (None,) * sql.count("?")
                plans.append(" ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", nothing)))

    store.read_now(look)
    assert len(plans) == 2
    assert all("y USING COVERING INDEX memory_in_order" in plan for plan in plans), plans
    assert order != "latest" or "TEMP B-TREE FOR ORDER BY" not in plans[1]
