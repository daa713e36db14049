# Read by run, test, extension and campaign: finds the project's root, and sets up what is missing.
# When everything is ready this costs one `cksum` and nothing else.

unset CDPATH
came_from=$PWD
cd -P -- "${BASH_SOURCE[0]%/*}/.."
root=$PWD
cd -- "$came_from" 2>/dev/null || true

fail() {
    printf 'satchel: %s\n' "$1" >&2
    exit 1
}

# What an environment was set up from. It names the root because an editable install holds absolute paths.
fingerprint() {
    printf '%s\n' "$root"
    cd -- "$root" && cksum pyproject.toml models/manifest.toml scripts/setup.py scripts/locks/*.txt
}

is_recent_python() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [[ -n ${SATCHEL_PYTHON:-} ]]; then
        is_recent_python "$SATCHEL_PYTHON" || fail "SATCHEL_PYTHON names $SATCHEL_PYTHON, which is not a Python 3.11 or newer: name another, or unset it."
        python=$SATCHEL_PYTHON
        return
    fi
    for python in python3.13 python3.12 python3.11 python3.14 python3 python; do
        is_recent_python "$python" && return
    done
    local remedy="install one from https://www.python.org/downloads"
    if command -v apt-get >/dev/null; then
        remedy="install one (sudo apt install python3 python3-venv, where that is recent enough)"
    elif command -v dnf >/dev/null; then
        remedy="install one (sudo dnf install python3.13)"
    elif command -v brew >/dev/null; then
        remedy="install one (brew install python@3.13)"
    fi
    fail "Python 3.11 or newer is needed and none was found: $remedy, or name one with SATCHEL_PYTHON=/path/to/python3."
}

# ensure_ready run|test
ensure_ready() {
    local wanted stamp=$root/.venv/ready-$1
    wanted=$(fingerprint)
    if [[ -x $root/.venv/bin/python && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
        return
    fi
    find_python
    "$python" "$root/scripts/setup.py" "$1" "$wanted" || exit
}

# The extension's packages, as its lock file has them. Nothing of theirs runs while they are installed.
# ensure_packages FOLDER WHAT: what npm's lock file there names.
ensure_packages() {
    local wanted folder=$root/$1 stamp=$root/$1/node_modules/.ready
    wanted=$(cd -- "$folder" && cksum package-lock.json)
    if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then
        return
    fi
    command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' \
        || fail "$2 needs Node.js 20 or newer, which is not here: install it with your system's package manager or from nodejs.org."
    echo "The packages of $2 …" >&2
    local log
    log=$(mktemp)
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >"$log" 2>&1 </dev/null \
        || { tail -n 5 "$log" >&2; fail "npm could not install the packages of $2: see $log."; }
    rm -f "$log"
    printf '%s\n' "$wanted" >"$stamp"
}

ensure_extension() {
    ensure_packages extension "building the extension"
}

# Running Satchel needs none of it: what pages load is in the repository.
ensure_dashboard() {
    ensure_packages backend/satchel/dashboard "checking the dashboard"
}
