#!/bin/sh
# Installs with apt what building (and, asked for "test", testing) winnow needs
# and this machine lacks.  Says nothing and does nothing where all is there.
#   tools/install-deps.sh [test]
set -eu
build='cmake ninja-build pkg-config gcc g++ libsimdjson-dev libzstd-dev zlib1g-dev libbrotli-dev
    libyaml-dev libsqlite3-dev libuchardet-dev libutf8proc-dev libpcre2-dev libxxhash-dev libcurl4-openssl-dev libexpat1-dev libssl-dev libcld2-dev'
test='libcmocka-dev libgumbo-dev clang-format clang-tidy shellcheck sqlite3 zstd python3 python3-venv libxml2-utils'

wanted=$build
[ "${1:-}" = test ] && wanted="$build $test"
missing=
for package in $wanted; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "winnow needs these packages; install them as root:" >&2
        echo "    apt-get install$missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "installing with apt:$missing"
log=$(mktemp)
# shellcheck disable=SC2086  # the list is words on purpose
if ! { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt could not install them; the whole log is in $log" >&2
    exit 1
fi
rm -f "$log"
