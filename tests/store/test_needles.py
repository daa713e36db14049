from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from satchel.store import needles
from satchel.store.needles import LONGEST, SHORTEST, Needles

alphabet = st.sampled_from(b"abAB\0\xff")
haystacks = st.lists(alphabet, max_size=200).map(bytes)


@given(
    wanted=st.sets(st.lists(alphabet, max_size=60).map(bytes), max_size=40),
    buffers=st.lists(haystacks, max_size=4),
    cuts=st.lists(st.tuples(st.integers(0, 190), st.integers(3, 60)), max_size=10),
    few=st.sampled_from((0, needles.FEW)),
)
def test_exactly_what_stands_in_a_buffer_is_found(
    wanted: set[bytes], buffers: list[bytes], cuts: list[tuple[int, int]], few: int
) -> None:
    for buffer in buffers:
        wanted |= {buffer[start : start + length] for start, length in cuts}
    before, needles.FEW = needles.FEW, few
    try:
        looking = Needles(wanted)
        for buffer in buffers:
            looking.look(buffer.lower())
    finally:
        needles.FEW = before
    looked_for = {one[:LONGEST].lower() for one in wanted if len(one) >= SHORTEST}
    assert looking.found == {one for one in looked_for if any(one in buffer.lower() for buffer in buffers)}
    assert looking.left == looked_for - looking.found
