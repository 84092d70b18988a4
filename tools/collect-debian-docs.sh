#!/bin/sh
# Collects real input for the demo: HTML documentation of Debian packages.
#
#     tools/collect-debian-docs.sh CACHE
#
# Downloads the packages named below with apt (nothing is installed, no root
# needed once apt has its lists), unpacks them and leaves
#
#     CACHE/html/PACKAGE/...   the HTML pages, one folder (= one domain) a package
#     CACHE/packages.tsv       package, version, SHA-256 of the .deb, files, bytes taken
#     CACHE/debs/              the downloaded packages, about 90 MB
#
# A package has a bound in megabytes of HTML, so that none dominates; where a
# package holds more, pages are taken evenly over its sorted list of files, the
# same ones each time.  Translations and generated source listings are left out.
#
# A folder appears under its final name only when it is complete, so an
# interrupted call is repaired by the next; a finished cache needs no network.
set -eu
export LC_ALL=C

say() { printf '%s\n' "$*" >&2; }
die() { say "collect-debian-docs: $*"; exit 1; }

[ $# = 1 ] || { say "usage: tools/collect-debian-docs.sh CACHE"; exit 2; }
mkdir -p "$1/debs" "$1/html" "$1/taken" 2>/dev/null || die "cannot make a cache in $1"
cache=$(cd "$1" && pwd)
for tool in apt-get apt-cache dpkg-deb tar awk find xargs sha256sum; do
    command -v $tool >/dev/null || die "$tool is missing; this script needs a Debian system"
done

# package, most megabytes of HTML, folder the pages lie in, paths left out (or -)
packages() {
    cat <<'TABLE'
python3.11-doc           20 usr/share/doc/python3.11/html                ^(genindex|search|whatsnew/changelog)
cppreference-doc-en-html 30 usr/share/cppreference/doc/html/en           -
apache2-doc              20 usr/share/doc/apache2-doc/manual/en          -
postgresql-doc-15        14 usr/share/doc/postgresql-doc-15/html         ^release-
sqlite3-doc              18 usr/share/doc/sqlite3                        -
git-doc                  20 usr/share/doc/git-doc                        -
debian-policy            20 usr/share/doc/debian-policy                  -
debian-reference-en      20 usr/share/debian-reference                   -
developers-reference     20 usr/share/developers-reference               -
rust-doc                 20 usr/share/doc/rust-doc/html                  ^(core|alloc|src|unstable-book|proc_macro|test)/|print\.html$
libreoffice-help-en-us   20 usr/share/libreoffice/help/en-US/text        -
anarchism                 5 usr/share/doc/anarchism/html                 -
python-django-doc        18 usr/share/doc/python-django-doc/html         ^(_modules/|genindex)
lilypond-doc-html        18 usr/share/doc/lilypond/html/Documentation    \.[a-z][a-z](_[A-Z]+)?\.html$|-big-page
octave-doc               20 usr/share/doc/octave                         /XREF
swi-prolog-doc           20 usr/share/swi-prolog/doc                     -
exim4-doc-html           20 usr/share/doc/exim4-doc-html/spec_html       -
libgtk-3-doc             14 usr/share/gtk-doc/html                       -
python-pandas-doc        18 usr/share/doc/python-pandas-doc/html         ^(_modules/|genindex|search)
cmake-doc                12 usr/share/doc/cmake-data/html                ^(genindex|search)
TABLE
}

# Fetches one package's .deb into CACHE/debs and prints its path.  apt checks
# the hash; the file gets its final name only after that.
download() {
    found=$(find "$cache/debs" -maxdepth 1 -name "${1}_*.deb" | sort | tail -n 1)
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        return
    fi
    rm -rf "$cache/debs/new"
    mkdir -p "$cache/debs/new"
    (cd "$cache/debs/new" && apt-get -q -o APT::Sandbox::User= -o Acquire::Retries=2 \
        -o Acquire::http::Timeout=20 download "$1" >apt.log 2>&1) || {
        say "$(grep '^[EW]:' "$cache/debs/new/apt.log" | head -n 1)"
        die "cannot download $1; is there a network? Call again to go on from here"
    }
    mv "$cache/debs/new/$1"_*.deb "$cache/debs/"
    find "$cache/debs" -maxdepth 1 -name "${1}_*.deb"
}

# Unpacks the .deb's pages and moves the ones within the bound to CACHE/html.
unpack() {
    package=$1 bound=$2 root=$3 without=$4 deb=$5
    tmp=$cache/unpack.tmp
    rm -rf "$tmp"
    mkdir -p "$tmp/all" "$tmp/some"
    # tar fails where a pattern matches nothing; dpkg-deb's own failure is kept in a file.
    { dpkg-deb --fsys-tarfile "$deb" 2>/dev/null || : >"$tmp/torn"; } |
        tar -xf - -C "$tmp/all" --no-same-owner --wildcards "./$root/*.htm*" "./$root/*.xhtml" \
            2>/dev/null || true
    [ ! -e "$tmp/torn" ] || die "$deb is damaged; remove it and call again"
    [ -d "$tmp/all/$root" ] || die "$package has no folder $root; its layout has changed"
    cd "$tmp/all/$root"
    find . -type f -name '*.*htm*' ! -name '*.gz' -printf '%s %P\n' | sort -k 2 |
        awk -v without="$without" '{ path = substr($0, index($0, " ") + 1) }
            without == "-" || path !~ without' >"$tmp/list"
    awk -v bound="$bound" 'NR == FNR { total += $1; next }
        { seen += $1 }
        total <= bound * 1e6 || taken + $1 / 2 <= seen * bound * 1e6 / total {
            taken += $1; print substr($0, index($0, " ") + 1) }' "$tmp/list" "$tmp/list" >"$tmp/chosen"
    [ -s "$tmp/chosen" ] || die "$package holds no HTML pages under $root"
    xargs -d '\n' cp --parents -t "$tmp/some" <"$tmp/chosen"
    chmod -R u+rwX,go+rX "$tmp/some"
    cd "$cache"
    rm -rf "html/$package"
    mv "$tmp/some" "html/$package"
    version=$(dpkg-deb -f "$deb" Version)
    printf '%s\t%s\t%s\t%s\t%s\n' "$package" "$version" "$(sha256sum <"$deb" | cut -d ' ' -f 1)" \
        "$(find "html/$package" -type f | wc -l)" \
        "$(find "html/$package" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }')" \
        >"$tmp/row"
    printf '%s\n' "$bound $root $without" >>"$tmp/row"
    mv "$tmp/row" "taken/$package"
    rm -rf "$tmp"
}

# taken/PACKAGE: the row of packages.tsv, then the line of the table it was made by.
is_taken() {
    [ -d "$cache/html/$1" ] && [ "$(tail -n 1 "$cache/taken/$1" 2>/dev/null)" = "$2" ]
}

missing=$(packages | while read -r package bound root without; do
    is_taken "$package" "$bound $root $without" || echo "$package"
done)
if [ -n "$missing" ]; then
    if [ -z "$(apt-cache madison debian-policy 2>/dev/null)" ] && [ "$(id -u)" = 0 ]; then
        say "apt has no package lists; fetching them (apt-get update)"
        apt-get -q update >/dev/null 2>&1 || true
    fi
    say "collecting documentation packages into $cache"
    count=0 total=$(packages | wc -l)
    packages | while read -r package bound root without; do
        count=$((count + 1))
        is_taken "$package" "$bound $root $without" && continue
        if [ -z "$(find "$cache/debs" -maxdepth 1 -name "${package}_*.deb")" ] &&
            ! apt-cache show "$package" >/dev/null 2>&1; then
            say "  $package: this system's apt does not know it; left out"
            continue
        fi
        rm -f "$cache/taken/$package"
        deb=$(download "$package")
        unpack "$package" "$bound" "$root" "$without" "$deb"
        head -n 1 "$cache/taken/$package" |
            awk -F '\t' -v i="$count" -v n="$total" \
                '{ printf "  %2d/%d %-25s %5d pages %6.1f MB\n", i, n, $1, $4, $5 / 1e6 }' >&2
    done
    rm -rf "$cache/debs/new"
fi

domains=$(find "$cache/taken" -type f | wc -l)
[ "$domains" -ge 10 ] || die "only $domains of the packages are to be had; ten are needed. \
Without package lists, run 'apt-get update' as root and call again"
{
    printf 'package\tversion\tsha256\tpages\tbytes\n'
    for taken in "$cache"/taken/*; do head -n 1 "$taken"; done
} >"$cache/packages.tsv.tmp"
mv "$cache/packages.tsv.tmp" "$cache/packages.tsv"
awk -F '\t' -v where="$cache/html" 'NR > 1 { pages += $4; bytes += $5 }
    END { printf "input: %d pages of %d packages, %.1f MB of HTML in %s\n", pages, NR - 1, bytes / 1e6, where }' \
    "$cache/packages.tsv" >&2
