"""Chinese, Japanese and Korean become findable; everything else passes untouched."""

import time

from hypothesis import given
from hypothesis import strategies as st

from satchel.store.segment import segment


def test_a_chinese_run_becomes_overlapping_pairs() -> None:
    assert segment("我喜欢猫").split() == ["我喜", "喜欢", "欢猫", "猫"]
    assert segment("我的iPhone手机").split() == ["我的", "的", "iPhone", "手机", "机"]
    assert segment("猫").split() == ["猫"]
    assert segment("서울에서 살아요").split() == ["서울", "울에", "에서", "서", "살아", "아요", "요"]
    assert segment("東京タワー").split()[:2] == ["東京", "京タ"]


@given(st.text(st.characters(max_codepoint=0x2FFF)))
def test_other_text_is_the_very_same_object(text: str) -> None:
    assert segment(text) is text


@given(st.text())
def test_nothing_is_lost(text: str) -> None:
    assert set(segment(text)) - {" "} == set(text) - {" "}


def test_a_megabyte_takes_no_time() -> None:
    began = time.process_time()
    segment("plain café words " * 60_000)
    segment("我喜欢在广州吃早茶" * 30_000)
    assert time.process_time() - began < 1
