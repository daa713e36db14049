"""What touches health, politics, religion or sex is seen, by words or by meaning; what only sounds like it mostly
passes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recall.situations import MEMORIES, candidate
from satchel.recall import sensitive
from satchel.special.judge import Judge
from satchel.special.language import is_english
from satchel.special.lexicon import CATEGORIES, by_words
from satchel.types import Candidate, Category, ModelError

ROOT = Path(__file__).parents[2]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]

BY_WORDS: list[tuple[str, set[Category]]] = [
    ("I've been sober for three years", {"health"}),
    ("metformin every morning", {"health"}),
    ("my chemo starts Monday", {"health"}),
    ("The user's daughter Mia is allergic to peanuts.", {"health"}),
    ("The user has Parkinson's disease", {"health"}),
    ("X-ray at nine, kidney stones again", {"health"}),
    ("I voted for them twice", {"politics"}),
    ("shop steward and proud union member", {"politics"}),
    ("The user is a left-wing activist.", {"politics"}),
    ("we fast in Ramadan", {"religion"}),
    ("The user keeps kosher", {"religion"}),
    ("my rabbi says hello", {"religion"}),
    ("I'm bi and out at work", {"sex"}),
    ("The user found a date on Grindr.", {"sex"}),
    ("HIV positive, undetectable", {"health", "sex"}),
    ("我有高血压,每天要吃药", {"health"}),
    ("奶奶每天念佛", {"religion"}),
    ("上次大选我投票了", {"politics"}),
    ("我是同性恋", {"sex"}),
]
HARMLESS = [
    "The app's health check fails every night.",
    "That bug is a pain.",
    "I'm sick of meetings",
    "Jordan is my colleague",
    "He is my ex-husband's brother.",
    "The user religiously backs up her disk.",
    "The sex of the kitten is unknown",
    "a political thriller I enjoyed reading",
    "lithium-ion batteries are heavy",
    "stroke width of two pixels",
    "Our rabbit is called Flopsy.",
    "The tax return is due in July.",
    "The user rents a room behind the church.",
    "we deliver bread to the hospital kitchen",
    "My aunt is a retired midwife",
    "上礼拜天我们去爬山",
    "这个毛病修好了",
]

# Written after the lexicon and the corpus, and kept out of both.
TOUCHING = [
    "Two cups of coffee and my hands tremble, the neurologist forbids it",
    "The user was operated on for a hernia in spring.",
    "I faint when I stand up too fast",
    "My husband forgets our names lately",
    "twelve weeks now, we'll tell the grandparents on Sunday",
    "Nothing with nuts for Ella, we'd end up in A&E",
    "thirty days without a drop",
    "The user's son has a stutter.",
    "I get shots in my eye every month",
    "I've been off work since my nerves gave out",
    "she stopped eating after the divorce and weighs 41 kilos",
    "my kid is on the autism waiting list",
    "The user takes something for his thyroid",
    "insulin pump alarms wake us at night",
    "I'm on beta blockers",
    "since the crash I have no feeling below the waist",
    "I wear compression stockings for my veins",
    "he's been smoke-free since New Year, gum helps",
    "We had a stillbirth in 2019",
    "hay fever ruins May for me",
    "I always vote for the Social Democrats",
    "The user collects signatures against the new airport.",
    "my father was a party secretary in the GDR",
    "I'm an anarchist, ask me anything",
    "we went on strike for better pay",
    "the user thinks that parliament should be dissolved",
    "I campaign for a united Ireland",
    "My brother joined the far right and we don't speak",
    "I deliver leaflets for the Greens before every election",
    "taxing the rich is the only fair way",
    "The user was expelled from university for demonstrating.",
    "I'm a deacon in our parish",
    "The user's wedding was in a mosque.",
    "we don't do Christmas, we're Hindus",
    "I pray before every flight",
    "no electricity for us on the Sabbath",
    "my grandmother left me her rosary",
    "I gave up on God after the war",
    "The user is preparing for her bat mitzvah.",
    "I became a Buddhist in Nepal",
    "my sister converted to Islam when she married",
    "we read a psalm at the grave",
    "My husband and I are both men",
    "I take the pill",
    "the user is a trans man",
    "I met somebody through a dating app",
    "we have not had sex since the birth",
    "my daughter has a girlfriend and I'm fine with that",
    "I'm asexual",
    "The user's brother is gay.",
    "help me tell my wife about my affair",
    "I buy condoms online",
]
TOUCHING_IN_CHINESE = [
    "我爸爸心脏不好",
    "我怀孕十二周了",
    "下个月要做手术",
    "我有哮喘,随身带喷雾",
    "孩子对鸡蛋过敏",
    "我每周去看心理咨询师",
    "奶奶得了白内障",
    "我戒烟两年了",
    "最近总是头晕",
    "我是糖尿病人",
    "我是左撇子,而且色盲",
    "她得了红斑狼疮",
    "我是共青团员",
    "我支持民主党",
    "我不相信政府",
    "我参加过抗议活动",
    "我们公司的工会主席是我",
    "我每天祷告",
    "我们家信天主教",
    "我吃清真",
    "我去少林寺出家过一年",
    "我是佛教徒",
    "我是双性恋",
    "我们用避孕套",
    "我哥哥出柜了",
]
EVERYDAY = [
    "The user lives in Ghent with two flatmates.",
    "I prefer window seats",
    "My sister works as an architect",
    "we bought a blue sofa",
    "The user plays the oboe in an orchestra.",
    "answers in French please",
    "I cycle to the office every day",
    "The user's car is a red Skoda.",
    "I like my eggs soft",
    "we go to Brittany in August",
    "My laptop runs Fedora",
    "The user studies law in Bologna.",
    "I collect old maps",
    "our dog is afraid of thunder",
    "The user enjoys science fiction novels.",
    "I moved to Rotterdam last year",
    "My boss is called Ingrid",
    "I'm learning to sail",
    "We have a vegetable garden",
    "The user dislikes loud restaurants.",
    "I own a bakery",
    "use metric units",
    "The user's favourite colour is green.",
    "I write my thesis in LaTeX",
    "my train was late again",
    "The user wants to buy a flat next year.",
    "I usually shop on Saturdays",
    "we watch a film every Friday",
    "The user has three brothers.",
    "I bake bread at weekends",
]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


def left_out(judge: Judge, texts: Sequence[str], vectors: NDArray[np.float32]) -> list[bool]:
    doubts = judge.doubtful(vectors)
    return [bool(by_words(text)) or doubt for text, doubt in zip(texts, doubts, strict=True)]


# Words


@pytest.mark.parametrize(("text", "touched"), BY_WORDS)
def test_a_word_of_a_category_gives_it_away(text: str, touched: set[Category]) -> None:
    assert by_words(text) == touched


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_sounds_like_it_is_not_it(text: str) -> None:
    assert by_words(text) == frozenset()


@given(st.sampled_from([text for text, _ in BY_WORDS]), st.sampled_from(HARMLESS))
def test_a_harmless_sentence_beside_it_hides_nothing(special: str, harmless: str) -> None:
    assert by_words(f"{harmless} {special}") == by_words(f"{special}\n{harmless}") == by_words(special)


@given(st.text())
def test_any_text_has_its_categories(text: str) -> None:
    assert by_words(text) <= set(CATEGORIES)


@pytest.mark.parametrize(
    "text", ["I HAVE DIABETES", "the user’s seizures", "ｉｎｓｕｌｉｎ", "Anti-depressants, antidepressants"]
)
def test_case_width_and_quotes_do_not_hide_a_word(text: str) -> None:
    assert by_words(text) == {"health"}


# Meaning


def test_these_statements_are_not_the_corpus() -> None:
    corpus = {
        json.loads(line).get("text", "").casefold().strip(" .!")
        for file in (ROOT / "models" / "corpus").glob("*/*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    ours = {text.casefold().strip(" .!") for text in [*TOUCHING, *TOUCHING_IN_CHINESE, *EVERYDAY, *NEAR]}
    assert not ours & corpus


def test_almost_nothing_special_is_let_through(judge: Judge, embed: Embed) -> None:
    out = left_out(judge, TOUCHING, embed(TOUCHING))
    passed = [text for text, is_out in zip(TOUCHING, out, strict=True) if not is_out]
    assert len(passed) <= 0.04 * len(TOUCHING), passed


def test_most_that_is_special_in_chinese_is_marked() -> None:
    passed = [text for text in TOUCHING_IN_CHINESE if not by_words(text)]
    assert len(passed) <= 0.16 * len(TOUCHING_IN_CHINESE), passed


def test_most_of_everyday_life_is_let_through_and_hardly_anything_of_it_marked(judge: Judge, embed: Embed) -> None:
    vectors = embed(EVERYDAY)
    out = [text for text, is_out in zip(EVERYDAY, left_out(judge, EVERYDAY, vectors), strict=True) if is_out]
    assert len(out) <= 0.4 * len(EVERYDAY), out
    marked = [text for text, likely in zip(EVERYDAY, judge.likely(vectors), strict=True) if likely or by_words(text)]
    assert len(marked) <= 0.1 * len(EVERYDAY), marked


def test_meaning_finds_what_words_miss(judge: Judge, embed: Embed) -> None:
    texts = ["I get shots in my eye every month", "my nerves gave out and I stayed at home"]
    assert [by_words(text) for text in texts] == [frozenset(), frozenset()]
    assert judge.doubtful(embed(texts)) == [True, True]


# Near the border, written after the corpus; nobody should see a warning at their daughter's birthday.
NEAR = [
    "The user's daughter Mia turns seven in June.",
    "My son Leo turns five in April",
    "our baby was born on a Tuesday",
    "The user's statistics homework is due on Monday.",
    "I sleep like a log after football",
    "we love Thai food",
    "The user has been married for twelve years.",
    "my girlfriend moved in last week",
    "I'm an electrician at a hospital",
    "The user trains for a marathon.",
    "my niece learns the violin",
    "our flat is opposite the church",
    "The user's campaign for the new shoe starts in May.",
    "my grandfather is 84 and paints",
    "I like my coffee black",
    "The user wears size 43 shoes.",
    "my team won the league",
    "we celebrate Christmas with fondue",
    "The user's kids are three and six.",
    "my wife is a better driver than I am",
]


def test_family_food_and_sport_are_seldom_marked(judge: Judge, embed: Embed) -> None:
    marked = [text for text, likely in zip(NEAR, judge.likely(embed(NEAR)), strict=True) if likely or by_words(text)]
    assert len(marked) <= 0.2 * len(NEAR), marked
    assert NEAR[0] not in marked


def test_doubts_about_some_categories_are_no_more_than_those_about_all(judge: Judge, embed: Embed) -> None:
    texts = ["my chemo starts on Monday", "I voted for them twice"]
    assert judge.doubtful(embed(texts), ("health",)) == [True, False]
    assert judge.doubtful(embed(texts), ("politics", "religion")) == [False, True]
    assert judge.doubtful(embed(texts), ()) == [False, False]


def test_what_is_marked_is_never_let_through(judge: Judge) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3000, judge.dimensions)).astype(np.float32) / 4
    likely, doubtful = judge.likely(rows), judge.doubtful(rows)
    assert 100 < sum(map(bool, likely)) < 2900
    assert all(doubt for marked, doubt in zip(likely, doubtful, strict=True) if marked)


def test_nothing_in_nothing_out(judge: Judge) -> None:
    assert judge.likely(np.zeros((0, 384), dtype=np.float32)) == []
    assert judge.doubtful(np.zeros((0, 384), dtype=np.float32)) == []


def test_vectors_of_another_size_are_an_error(judge: Judge) -> None:
    with pytest.raises(ValueError, match="reshape"):
        judge.likely(np.zeros((1, 385), dtype=np.float32))


@pytest.mark.parametrize("data", [b"", b"{}", b"not json"])
def test_damaged_weights_say_what_to_do(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "special.json"
    file.write_bytes(data)
    with pytest.raises(ModelError, match="train_special"):
        Judge.load(file)


def test_weights_for_other_categories_are_refused(tmp_path: Path) -> None:
    trained = msgspec.json.decode((ROOT / "models" / "special.json").read_bytes())
    trained["categories"] = trained["categories"][::-1]
    file = tmp_path / "special.json"
    file.write_bytes(msgspec.json.encode(trained))
    with pytest.raises(ModelError, match="train_special"):
        Judge.load(file)


def test_importing_the_room_does_not_import_numpy() -> None:
    code = "import sys, satchel.special.judge, satchel.recall.sensitive; sys.exit('numpy' in sys.modules)"
    environment = {"PYTHONPATH": str(ROOT / "backend")}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


# Languages


def test_english_is_told_from_other_languages() -> None:
    assert all(is_english(text) for text in [*EVERYDAY, *TOUCHING])
    others = (
        "Ich habe eine Katze und wohne in Graz",
        "J'habite à Nantes avec mon frère",
        "Tengo un gato en Bilbao",
        "я живу в Туле",
        "東京に住んでいます",
    )
    assert not any(is_english(text) for text in [*others, *TOUCHING_IN_CHINESE])


# Hits


def turn(text: str) -> Candidate:
    return candidate("t", text, kind="turn")


def no_vector(_: str) -> None:
    return None


def test_a_hit_is_marked_by_its_text_its_reasoning_and_its_quotes(judge: Judge) -> None:
    hits = [
        candidate("text", "The user takes insulin."),
        candidate("reason", "The user may prefer aisle seats.", reasoning="Because of a bladder infection."),
        candidate("quote", "The user walks daily.", quotes={"m": "since my bypass surgery I walk daily"}),
        candidate("none", "The user likes trains."),
    ]
    sensitive.mark(hits, judge, {})
    assert [hit.special for hit in hits] == [("health",), ("health",), ("health",), ()]


def test_words_alone_keep_a_hit_back_and_harmless_ones_go_on(judge: Judge) -> None:
    hits = [candidate("a", "The user takes insulin."), candidate("b", "The user likes trains.")]
    assert [hit.id for hit in sensitive.not_plainly_special(hits, judge, {})] == ["b"]


def test_a_doubtful_vector_keeps_a_hit_back(judge: Judge, embed: Embed) -> None:
    texts = ("I get shots in my eye every month", "We watch a film every Friday night.")
    hits = [candidate(text, text) for text in texts]
    stored = dict(zip(texts, (row.tobytes() for row in embed(texts)), strict=True))
    assert [hit.id for hit in sensitive.not_plainly_special(hits, judge, stored)] == [texts[1]]


def test_a_stored_vector_marks_what_words_miss(judge: Judge, embed: Embed) -> None:
    hits = [turn("I get shots in my eye every month"), turn("I get shots in my eye every month")]
    hits[1].id = "without"
    likely = max(judge.probabilities(embed([hits[0].text]))[0])
    sensitive.mark(hits, judge, {"t": embed([hits[0].text])[0].tobytes()})
    threshold = json.loads((ROOT / "models" / "special.json").read_text("utf-8"))["likely"]
    assert bool(hits[0].special) == (likely >= threshold)
    assert hits[1].special == ()


def test_a_text_without_a_vector_is_not_cleared(judge: Judge) -> None:
    hit = turn("I prefer window seats")
    assert sensitive.cleared([hit], judge, no_vector) == ([], [hit])
    assert sensitive.cleared([hit], judge, {}.get) == ([], [hit])


@pytest.mark.parametrize(
    "text", ["我喜欢坐火车旅行", "Ich fahre am liebsten mit der Bahn", "I like trains. 我喜欢坐火车旅行"]
)
def test_what_is_not_english_is_never_cleared(judge: Judge, text: str) -> None:
    hit = turn(text)
    any_vector = np.zeros(384, dtype=np.float32).tobytes()
    assert sensitive.cleared([turn("I like trains.")], judge, lambda _: any_vector)[1] == []
    assert sensitive.cleared([hit], judge, lambda _: any_vector) == ([], [hit])


def test_one_doubtful_sentence_keeps_a_long_turn_back(judge: Judge, embed: Embed) -> None:
    plain = "My laptop runs the latest Fedora. We watch a film every Friday night. I bake bread on most weekends."
    long = turn(f"{plain} I get shots in my eye every month. {plain}")
    vectors = {piece: embed([piece])[0].tobytes() for piece in sensitive.pieces(long) or ()}
    assert len(vectors) == 4
    assert sensitive.cleared([long], judge, vectors.get) == ([], [long])
    assert sensitive.cleared([turn(plain)], judge, vectors.get)[1] == []


def test_what_is_too_long_to_look_at_is_not_cleared() -> None:
    assert sensitive.pieces(turn("I like this train very much indeed. " * 13)) is None
    assert sensitive.pieces(turn("word " * 200)) is None


@given(st.text(st.characters(max_codepoint=126)))
def test_no_letter_of_a_text_escapes_its_pieces(text: str) -> None:
    pieces = sensitive.pieces(turn(text))
    if pieces is not None:
        assert re.sub(r"[^a-zA-Z]", "", "".join(pieces)) == re.sub(r"[^a-zA-Z]", "", text)


def test_of_what_a_whole_person_says_the_special_parts_are_left_out(judge: Judge, embed: Embed) -> None:
    texts = {name: text for name, (_, text, _) in MEMORIES.items()}
    out = dict(zip(texts, left_out(judge, list(texts.values()), embed(list(texts.values()))), strict=True))
    assert all(out[name] for name in ("daughter", "knee", "sleep", "mother"))
    assert sum(out.values()) <= 0.5 * len(out), [name for name, is_out in out.items() if is_out]
