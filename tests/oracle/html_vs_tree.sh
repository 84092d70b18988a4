#!/bin/sh
# Every page of data/html through html_vs_tree.  Exit 77: no data here.
set -u
data=${WINNOW_DATA:-$(dirname "$0")/../../../shared/data}
[ -f "$data/html/html.tar.zst" ] || { echo "skipped: no $data/html/html.tar.zst"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
zstd -dcq "$data/html/html.tar.zst" | tar -x -C "$tmp" || exit 1
find "$tmp" -name '*.html' -print0 | xargs -0 "$1"
