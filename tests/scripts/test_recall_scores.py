"""What scripts/bench_recall_quality.py counts as found, and how it reads its files: the parts without a model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from eval_support import recall_data, recall_scores
from eval_support.recall_data import Place, Question
from eval_support.recall_scores import RECALL, WAYS, Answer, Outcome

FIRST, SECOND, THIRD = ("chat", 0), ("chat", 1), ("other", 0)


def written(folder: Path, content: Any) -> Path:
    path = folder / "set.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_recall_is_the_share_of_the_evidence_that_the_first_hits_stand_for() -> None:
    hits = [{THIRD}, {FIRST, THIRD}, set[Place](), {SECOND}]
    assert recall_scores.recall_at({FIRST, SECOND}, hits, 1) == 0
    assert recall_scores.recall_at({FIRST, SECOND}, hits, 2) == 0.5
    assert recall_scores.recall_at({FIRST, SECOND}, hits, 10) == 1
    assert recall_scores.recall_at({FIRST}, [], 10) == 0


def test_the_reciprocal_is_of_the_first_hit_that_is_evidence() -> None:
    assert recall_scores.reciprocal({FIRST, SECOND}, [{THIRD}, {SECOND}, {FIRST}]) == 0.5
    assert recall_scores.reciprocal({FIRST}, [{THIRD}]) == 0


def test_fusion_prefers_what_several_rankings_hold() -> None:
    assert recall_scores.fused([[1, 2, 3], [3, 4]], 10) == [3, 1, 2, 4]
    assert recall_scores.fused([[1, 2], [2, 1]], 1) == [1]
    assert recall_scores.fused([[], [7]], 5) == [7]


def answered(*hits: frozenset[Place], kept: bool) -> Answer:
    outcome = Outcome(hits=hits, tokens=40, ms=2.0)
    return Answer(
        question=Question(text="Where?", category="temporal", evidence=frozenset({FIRST})),
        outcomes=dict.fromkeys(WAYS, outcome),
        context=frozenset({FIRST}),
        context_tokens=30,
        embedding_ms=8.0,
        kept=kept,
    )


def test_what_extraction_did_not_keep_counts_only_as_not_kept() -> None:
    answers = [answered(frozenset({SECOND}), frozenset({FIRST}), kept=True), answered(kept=False)]
    overall, by_category, rest = recall_scores.tables("a set", "preferences", answers)
    assert overall.rows[0] == (RECALL, 100.0, 100.0, 100.0, 50.0, 40.0, 2.0)
    assert by_category.rows[0][:3] == ("temporal", 1, 100.0)
    assert [str(cell) for cell in rest.rows[0]] == ["preferences that extraction kept", "50.0% (1/2)"]


def test_locomo_is_read_with_its_dates_roles_and_the_evidence_that_exists(tmp_path: Path) -> None:
    said = [
        {"speaker": "Ann", "dia_id": "D1:1", "text": "I moved."},
        {"speaker": "Bo", "dia_id": "D1:2", "text": "Where?"},
    ]
    when = "1:56 pm on 8 May, 2023"
    talk = {"speaker_a": "Ann", "speaker_b": "Bo", "session_1": said, "session_1_date_time": when}
    qa = [
        {"question": "Who?", "category": 1, "evidence": ["D1:1; D:1:2", "D9:9"]},
        {"question": "Nothing?", "category": 5, "evidence": ["D1:1"]},
        {"question": "Nowhere?", "category": 2, "evidence": ["D4:36"]},
    ]
    (life,) = recall_data.read(written(tmp_path, [{"qa": qa, "conversation": talk}]), None).lives
    (question,) = life.questions
    assert question.category == "multi-hop"
    assert question.evidence == {("session_1", 0), ("session_1", 1)}
    assert [turn.role for turn in life.conversations[0].turns] == ["user", "assistant"]
    assert life.conversations[0].at == 1_683_554_160_000


def test_beam_cites_turns_by_number_in_lists_and_by_role(tmp_path: Path) -> None:
    def turn(number: int, role: str, content: str) -> dict[str, Any]:
        return {"role": role, "id": number, "content": content, "time_anchor": "March-15-2024"}

    batches = [
        {"batch_number": 1, "turns": [[turn(0, "user", "Plan it ->-> 1,1"), turn(1, "assistant", "Done.")]]},
        {"batch_number": 2, "turns": [[turn(2, "user", "Again")]]},
    ]
    probes = {
        "knowledge_update": [{"question": "What?", "source_chat_ids": {"original_info": [0], "updated_info": [2]}}],
        "event_ordering": [{"question": "Which?", "source_chat_ids": [1, [2]]}],
        "abstention": [{"question": "Never?"}],
    }
    (life,) = recall_data.read(written(tmp_path, {"1": {"chat": batches, "probing_questions": probes}}), None).lives
    assert [question.evidence for question in life.questions] == [
        {("batch 1", 0), ("batch 2", 0)},
        {("batch 1", 1), ("batch 2", 0)},
    ]
    assert life.conversations[0].turns[0].content == "Plan it"


def test_prefeval_users_told_the_same_however_many_are_asked(tmp_path: Path) -> None:
    items = [{"preference": f"I like dish {number}.", "question": f"Dinner {number}?"} for number in range(60)]
    path = written(tmp_path, {"food": {"explicit": items}})
    whole, short = recall_data.read(path, None), recall_data.read(path, 3)
    assert [len(life.questions) for life in whole.lives] == [50, 10]
    assert [len(life.questions) for life in short.lives] == [3]
    assert short.lives[0].conversations == whole.lives[0].conversations
    assert len(whole.lives[0].conversations) == 150
    said = {conversation.id: conversation.turns[0].content for conversation in whole.lives[0].conversations}
    assert all(said[place[0]][start:end].startswith("I like") for place, (start, end) in whole.lives[0].spans.items())


def test_longmemeval_sessions_are_one_users_and_each_questions_own_are_its_evidence(tmp_path: Path) -> None:
    def item(name: str, *dates: str) -> dict[str, Any]:
        said = [{"role": "user", "content": "Hi.", "date": date} for date in dates]
        return {"id": name, "question_type": "temporal", "conversation": said, "questions": [{"question": "When?"}]}

    late, early = "2023/05/30 (Tue) 21:48", "2023/05/01 (Mon) 08:00"
    suite = recall_data.read(written(tmp_path, {"data": [item("a", late, late), item("b", early, late)]}), None)
    (life,) = suite.lives
    assert suite.unit == "sessions"
    assert [conversation.id for conversation in life.conversations] == ["b 0", "a 0", "b 1"]
    assert life.questions[1].evidence == {("b 0", 0), ("b 1", 0)}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([{"qa": [{"question": "Who?"}], "conversation": {}}], "looks like LoCoMo, but"),
        ([{"qa": [], "conversation": {}}], "holds no question"),
        ({"exchanges": []}, "recall is measured with"),
        ([], "recall is measured with"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(tmp_path: Path, content: Any, told: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SystemExit, match=told) as stopped:
        recall_data.read(path, None)
    assert str(stopped.value).startswith(str(path))
