"""Any text is a query: its content words are found, and it is never a syntax error."""

from collections.abc import Iterator

import apsw
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from satchel.recall.query import asks_about_past, content_words, fts_query, is_chinese, stem
from satchel.store.segment import segment

DOCUMENTS = [
    "My order is 550e8400-e29b-41d4-a716-446655440000 and it never came.",
    "我住在广州,喜欢吃早茶。我家的猫",
    "I work with C++ and write_snake_case() at nadia@example.org",
    "Der Zug nach München fährt um 8:15.",
    "La niña tomó café en Bogotá.",
    "서울에서 살고 있어요",
]


@pytest.fixture(scope="module")
def full_text() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2')")
    connection.executemany("INSERT INTO t(text) VALUES (?)", [(segment(text),) for text in DOCUMENTS])
    yield connection
    connection.close()


def found(connection: apsw.Connection, text: str) -> list[int]:
    query = fts_query(text)
    if query is None:
        return []
    rows = connection.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank", (query,))
    return [int(row[0]) - 1 for row in rows]  # type: ignore[call-overload]


pieces = st.sampled_from(
    ["AND", "OR", "NOT", "NEAR(", "text:", "550e8400-e29b", "😀", "👩‍👩‍👧", "我", "喜欢", "C++", "²", "ß",
     "İ", "क्या", "x", "\ud800", "\u0301", "\0"]
)  # fmt: skip
tricky = st.lists(pieces | st.sampled_from("\"'*^:-(){}+#_ "), max_size=12).map("".join)


@given(st.text() | tricky)
@example('"')
@example("NEAR(a b, 5)")
@example("a\0b")
@example("text : -^ *")
def test_no_text_is_a_syntax_error(full_text: apsw.Connection, text: str) -> None:
    found(full_text, text)


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("where is 550e8400-e29b?", 0),
        ("order 550e8400-e29b-41d4-a716-446655440000", 0),
        ("广州有什么好吃的?", 1),
        ("猫", 1),
        ("C++", 2),
        ("nadia@example.org", 2),
        ("write_snake_case", 2),
        ("muenchen MÜNCHEN munchen", 3),
        ("cafe bogota nina", 4),
        ("서울 맛집", 5),
    ],
)
def test_words_names_and_identifiers_are_found(full_text: apsw.Connection, text: str, document: int) -> None:
    assert found(full_text, text)[0] == document


@pytest.mark.parametrize(
    "text", ["", "   ", "?!", "what is it that you have", "你是什么?", "\0", "😀", '""', "es la que"]
)
def test_a_text_without_content_words_asks_for_nothing(text: str) -> None:
    assert fts_query(text) is None


def test_content_words_leave_grammar_out() -> None:
    assert content_words("What should I cook for my sister's birthday in Turin?") == [
        "cook", "sister", "birthday", "turin",
    ]  # fmt: skip
    assert content_words("我的猫叫什么名字?") == ["猫叫", "名字"]


def test_a_long_question_keeps_its_rarest_words() -> None:
    query = fts_query("Guangzhou " + " ".join(f"cat{'abcdefghijklmnopqrstuvwxyz'[i % 26] * (i // 26 + 1)}"
                                              for i in range(60)), max_terms=8)  # fmt: skip
    assert query is not None
    assert query.count(" OR ") == 7
    assert '"guangzhou"' in query


def test_a_huge_question_is_read_at_both_ends() -> None:
    assert "turin" in content_words("zebra " * 100_000 + "Turin")


@pytest.mark.parametrize(
    "query",
    ["Where did I live before?", "What did I use to do for a living?", "my previous job", "我以前住在哪里?",
     "Which car was I driving when I was a student?", "Wo habe ich früher gewohnt?", "昔の仕事"],
)  # fmt: skip
def test_questions_about_the_past(query: str) -> None:
    assert asks_about_past(query)


@pytest.mark.parametrize(
    "query",
    ["What should I do before dinner?", "Where do I live?", "plan a trip", "我住在哪里?", "Write a poem"],
)
def test_questions_about_the_present(query: str) -> None:
    assert not asks_about_past(query)


def test_language_of_the_question() -> None:
    assert is_chinese("国庆节我想出去玩,推荐一个城市")
    assert is_chinese("用Python写一个函数")
    assert not is_chinese("What does 你好 mean in English?")
    assert not is_chinese("東京でおすすめのホテルは?")
    assert not is_chinese("")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("hotels", "hotel"),
        ("planned", "planning"),
        ("cities", "city"),
        ("loves", "loving"),
        ("trips", "trip"),
    ],
)
def test_forms_of_a_word_meet(a: str, b: str) -> None:
    assert stem(a) == stem(b)
