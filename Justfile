# The chores. `just` lists them; each line can be typed by hand as well.

_default:
    @just --list --unsorted

# The daemon, or any satchel command: just run search "hotel"
run *args:
    ./scripts/run {{args}}

# Everything that belongs in CI; with arguments, pytest alone with them
test *args:
    ./scripts/test {{args}}

# Put imports and layout in order
format:
    .venv/bin/python -m ruff check --fix .
    .venv/bin/python -m ruff format .

# What is wrong without running anything
lint:
    .venv/bin/python -m ruff check .
    .venv/bin/python -m ruff format --check .
    .venv/bin/python -m mypy

# Thousands of faults, soaks, full benchmarks; without a name, the list
campaign *args:
    ./scripts/campaign {{args}}

# Write the lock files again after pyproject.toml changed (just lock --upgrade for newer versions)
lock *args:
    ./scripts/lock {{args}}

# Remove what set-up made here; models and memories lie elsewhere and stay
clean:
    rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
