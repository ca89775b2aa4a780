# What script/city and script/test share: Debian packages, a Python, a virtual environment.
# POSIX sh, to be read with `.`; the caller has set -eu and $root, the repository's folder.
#
# Exit code 4: something this machine needs is missing and could not be installed; stderr says what.

MISSING=4
PYTHON_LEAST="3.11"

say() {
    printf '%s\n' "$*" >&2
}

# installed NAME|OTHER...: whether one of these Debian packages is installed.
installed() {
    for one in $(printf '%s' "$1" | tr '|' ' '); do
        if dpkg-query -W -f '${Status}' "$one" 2>/dev/null | grep -q 'ok installed'; then
            return 0
        fi
    done
    return 1
}

# available NAME|OTHER...: print the first of these packages that this release has.
available() {
    for one in $(printf '%s' "$1" | tr '|' ' '); do
        if apt-cache show "$one" >/dev/null 2>&1; then
            printf '%s' "$one"
            return 0
        fi
    done
    printf '%s' "${1%%|*}"
}

# need_packages PACKAGE...: install what is missing of these Debian packages, as root or with sudo that
# asks for no password; otherwise say what to install and leave with code 4. NAME|OTHER means either.
need_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "This is neither Debian nor Ubuntu: going on with what is installed. On Debian it would be: $*"
        return 0
    fi
    missing=""
    for package in "$@"; do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0

    if [ "$(id -u)" -eq 0 ]; then
        root_do=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        root_do="sudo -n"
    else
        names=""
        for package in $missing; do
            names="$names $(available "$package")"
        done
        say "These Debian packages are missing, and neither root nor sudo without a password is here:$names"
        say "Install them with: sudo apt-get install$names"
        exit "$MISSING"
    fi

    say "Installing Debian packages:$missing"
    # A list of packages that cannot be refreshed may still be good enough.
    $root_do env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || say "apt-get update failed: going on"
    names=""
    for package in $missing; do
        names="$names $(available "$package")"
    done
    # $names is a list of words on purpose.
    # shellcheck disable=SC2086
    if ! $root_do env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends $names >&2; then
        say "apt-get could not install:$names"
        exit "$MISSING"
    fi
}

# want_package PACKAGE WORDS: install a package where this release has it; otherwise say what goes without.
want_package() {
    command -v dpkg-query >/dev/null 2>&1 || return 0
    if installed "$1"; then
        return 0
    fi
    if ! apt-cache show "$1" >/dev/null 2>&1; then
        say "This release has no package $1 (Debian has it from 12 on, Ubuntu from 22.04): $2"
        return 0
    fi
    need_packages "$1"
}

# need_headers PYTHON: have what an extension in C is built with for this Python.
need_headers() {
    need_packages gcc libc6-dev
    include=$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    if [ ! -e "$include/Python.h" ]; then
        number=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        need_packages "python$number-dev|python3-dev"
    fi
}

# new_enough PYTHON: whether this is a Python that citycard runs on.
new_enough() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(sys.version_info < tuple(map(int, sys.argv[1].split("."))))' \
            "$PYTHON_LEAST" 2>/dev/null
}

# find_python: print the first Python that is new enough: $PYTHON, python3, or one with its number.
find_python() {
    for one in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$one"; then
            command -v "$one"
            return 0
        fi
    done
    return 1
}

# python_venv FOLDER: make a virtual environment there, unless a good one is there already.
python_venv() {
    # Some tools make environments without pip: that is mended, not thrown away.
    if new_enough "$1/bin/python" && {
        "$1/bin/python" -m pip --version || "$1/bin/python" -m ensurepip
    } >/dev/null 2>&1; then
        return 0
    fi
    find_python >/dev/null || need_packages python3
    if ! python=$(find_python); then
        say "Python $PYTHON_LEAST or newer is missing: install it, or name one in PYTHON."
        exit "$MISSING"
    fi
    # Debian ships venv without the part that puts pip into a new environment.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        number=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        need_packages "python$number-venv|python3-venv"
    fi
    if ! "$python" -m venv --clear "$1" >&2; then
        say "$python could not make a virtual environment in $1."
        exit "$MISSING"
    fi
}

# install_editable VENV FOLDER...: install these distributions in place; quick when nothing changed.
install_editable() {
    venv=$1
    shift
    for folder in "$@"; do
        cat "$folder/pyproject.toml"
    done | cksum >"$venv/citycard-wanted"
    if cmp -s "$venv/citycard-wanted" "$venv/citycard-installed"; then
        return 0
    fi
    # "core plugins/transit" becomes "-e core -e plugins/transit".
    for folder in "$@"; do
        set -- "$@" -e "$folder"
        shift
    done
    say "Installing citycard into $venv"
    if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2; then
        say "pip could not install citycard into $venv."
        exit "$MISSING"
    fi
    mv "$venv/citycard-wanted" "$venv/citycard-installed"
}
