"""Every attack of the corpus, tried on a daemon with the real models, fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.running import Running, command, running
from attacks.corpus import Attack, Tried, judge, load, plant, unprintable

ATTACKS = load()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("attacks") / "data") as daemon:
        yield daemon


@pytest.fixture(scope="module")
def planted(daemon: Running, request: pytest.FixtureRequest) -> dict[str, Tried]:
    """All that are to be tried, planted before the first is judged: they are read meanwhile."""
    wanted = {item.callspec.params["attack"].id for item in request.session.items if "attack" in item.fixturenames}
    return {attack.id: plant(daemon, attack) for attack in ATTACKS if attack.id in wanted}


def test_there_are_many_attacks_each_with_a_name_of_its_own() -> None:
    assert len(ATTACKS) >= 120
    assert len({attack.id for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.id for attack in ATTACKS])
def test_it_fails(daemon: Running, planted: dict[str, Tried], attack: Attack) -> None:
    tried = planted[attack.id]
    judge(daemon, tried)
    if attack.limit is not None:
        assert tried.wrong, f"{attack.tries}: it fails now; take its `limit` out"
    else:
        assert not tried.wrong, f"{attack.tries}: {tried.wrong}"


def test_after_all_of_them_the_list_of_memories_is_plain_text(daemon: Running, planted: dict[str, Tried]) -> None:
    pages = [command("memories", "--data", daemon.data, "--size", "1000", "--page", page) for page in ("1", "2")]
    assert len(planted) < len(ATTACKS) or len(pages[0].stdout) > 100_000
    for page in pages:
        assert unprintable(page.stdout) == []


def test_after_all_of_them_the_log_holds_none_of_their_words(daemon: Running, planted: dict[str, Tried]) -> None:
    log = daemon.errors.read_text("utf-8")
    assert not {words for words in ("Zorbex", "lighthouse", "Brackwater", "evil", "obey") if words in log}
    assert unprintable(log) == []
