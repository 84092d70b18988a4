#!/bin/sh
# tools/collect-debian-docs.sh with an apt of our own, which needs no network:
# what it collects, that a second call needs no apt, that a download that fails
# leaves nothing half done, and that a bound takes pages from the whole list.
set -eu
export LC_ALL=C
script=$(readlink -f "$1")
command -v dpkg-deb >/dev/null || { echo "skipped: no dpkg-deb"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin" "$tmp/store"
fail() { echo "FAILED: $*"; exit 1; }

# The script's own table says which packages there are and where pages lie.
sed -n '/^    cat <<.TABLE.$/,/^TABLE$/p' "$script" | sed '1d;$d' >"$tmp/table"
while read -r package _ root _; do
    mkdir -p "$tmp/root/DEBIAN" "$tmp/root/$root"
    printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.c>\nDescription: d\n' \
        "$package" >"$tmp/root/DEBIAN/control"
    echo "<p>$package</p>" >"$tmp/root/$root/a page.html"
    echo "no page" >"$tmp/root/$root/notes.txt"
    if [ "$package" = anarchism ]; then # 8 MB where 5 are wanted
        for i in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/zero >"$tmp/root/$root/$i.html"; done
    fi
    dpkg-deb --root-owner-group --build "$tmp/root" "$tmp/store/${package}_1_all.deb" >/dev/null
    rm -rf "$tmp/root"
done <"$tmp/table"
packages=$(wc -l <"$tmp/table")

cat >"$tmp/bin/apt-get" <<END
#!/bin/sh
for last; do :; done
[ -e "$tmp/broken" ] && [ "\$last" = git-doc ] && { touch git-doc_1_all.deb; echo "E: no network"; exit 100; }
cp "$tmp/store/\${last}"_*.deb .
END
cat >"$tmp/bin/apt-cache" <<END
#!/bin/sh
[ "\$1 \$2" = "show octave-doc" ] && exit 100
echo known
END
chmod +x "$tmp/bin/apt-get" "$tmp/bin/apt-cache"
PATH=$tmp/bin:$PATH

# A download that fails: a sentence, exit 1, and the packages before it stay.
touch "$tmp/broken"
sh "$script" "$tmp/cache" 2>"$tmp/out" && fail "a failed download went unnoticed"
grep -q "cannot download git-doc" "$tmp/out" || fail "no sentence: $(cat "$tmp/out")"
grep -q "E: no network" "$tmp/out" || fail "apt's reason is not told"
[ -d "$tmp/cache/html/sqlite3-doc" ] || fail "what was done before is gone"
[ ! -e "$tmp/cache/html/git-doc" ] || fail "a torn download counts as done"
[ ! -e "$tmp/cache/packages.tsv" ] || fail "an unfinished cache is listed"

# The next call goes on; a package that apt does not know is left out.
rm "$tmp/broken"
sh "$script" "$tmp/cache" 2>"$tmp/out" || fail "$(cat "$tmp/out")"
grep -q "octave-doc: this system's apt does not know it; left out" "$tmp/out" || fail "octave-doc"
[ "$(find "$tmp/cache/html" -mindepth 1 -maxdepth 1 | wc -l)" = $((packages - 1)) ] || fail "packages"
[ -f "$tmp/cache/html/git-doc/a page.html" ] || fail "a name with a blank is lost"
[ ! -e "$tmp/cache/html/git-doc/notes.txt" ] || fail "files that are no pages were taken"
[ "$(wc -l <"$tmp/cache/packages.tsv")" = "$packages" ] || fail "packages.tsv"

# Half of what is over the bound goes, evenly.
taken=$(cd "$tmp/cache/html/anarchism" && echo *)
[ "$taken" = "1.html 3.html 5.html 6.html 8.html" ] || fail "bound: $taken"

# A finished cache asks neither apt nor the network.
mv "$tmp/bin/apt-get" "$tmp/bin/apt-get.gone"
printf '#!/bin/sh\necho "asked for $*" >&2\nexit 100\n' >"$tmp/bin/apt-get"
chmod +x "$tmp/bin/apt-get"
sh "$script" "$tmp/cache" 2>"$tmp/out" || true
grep -q "asked for" "$tmp/out" && fail "a finished cache asked apt for a download"

# A damaged package is named.
echo torn >"$tmp/cache/debs/git-doc_1_all.deb"
rm -rf "$tmp/cache/html/git-doc"
sh "$script" "$tmp/cache" 2>"$tmp/out" && fail "a damaged package went unnoticed"
grep -q "git-doc_1_all.deb is damaged" "$tmp/out" || fail "no sentence: $(cat "$tmp/out")"
echo "collect: ok"
