"""Another embedding model is chosen: the daemon answers with the former, tells how far it is, and survives kill -9."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.running import command, eventually, running
from models.helpers import with_twin
from satchel import config, terminal

TURNS = [f"On day {number} the ferry to the island was {number} minutes late." for number in range(150)]
ASKED = "My sister breeds small ponies in the north of Wales."


def test_a_change_of_the_embedding_model_from_its_choice_to_its_end(tmp_path: Path, models_folder: Path) -> None:
    models, data = tmp_path / "models", tmp_path / "satchel"
    with_twin(models, models_folder)
    with running(data, models=models) as daemon:

        def status() -> dict[str, Any]:
            return daemon.ok("GET", "/v1/status")

        def found() -> list[str]:
            hits = daemon.ok("POST", "/v1/recall", {"query": "Who in my family keeps little horses?"})["hits"]
            return [hit["text"] for hit in hits]

        daemon.ok("POST", "/v1/extraction", {"paused": True})
        daemon.capture(ASKED, *TURNS)
        eventually(lambda: status()["indexing"] == 0, what="the first vectors")
        assert status()["reembedding"] is None
        assert found()[0] == ASKED
        daemon.stop()

        config.set_value(data, "models.embed", "twin")
        daemon.start()
        now = eventually(
            lambda: (told := status()["reembedding"]) and told["done"] and told["rate"] and told, what="the beginning"
        )
        daemon.kill()
        assert (now["model"], now["former"], now["total"]) == ("twin", "all-MiniLM-L6-v2", len(TURNS) + 1)
        assert 0 < now["done"] < now["total"]
        assert now["rate"] > 0
        assert now["seconds_left"] > 0
        told = command("doctor", "--data", data, "--json", SATCHEL_MODELS=str(models)).stdout
        assert "all-MiniLM-L6-v2 answers meanwhile" in told

        daemon.start()
        assert found()[0] == ASKED
        again = status()["reembedding"]
        assert again is None or again["done"] >= now["done"], "it goes on where it was"
        eventually(lambda: status()["reembedding"] is None, what="the end")
        assert status()["indexing"] == 0
        assert found()[0] == ASKED
        daemon.stop()

        (models / "all-MiniLM-L6-v2.f16.gguf").unlink()
        daemon.start()
        assert found()[0] == ASKED, "the former model is not needed any more"


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            {"model": "new", "former": "old", "done": 3, "total": 9, "rate": 61.4, "seconds_left": 200},
            "3 of 9 embedded anew with new, 61 a minute, 3 min left; old answers meanwhile.",
        ),
        (
            {"model": None, "former": None, "done": 0, "total": 9, "rate": None, "seconds_left": None},
            "0 of 9 embedded anew; the former model is gone, so words answer meanwhile.",
        ),
    ],
)
def test_the_command_line_says_how_far_it_is_and_what_answers(told: dict[str, Any], line: str) -> None:
    assert terminal.reembedding_line(told) == line
