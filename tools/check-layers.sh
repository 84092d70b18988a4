#!/bin/sh
# Checks every #include "module/..." under src/ against src/LAYERS, that
# *_internal.h headers are included only from their own module, and that no
# include climbs with "../".
set -eu
cd "$(dirname "$0")/.."
if grep -rnE '^#[ \t]*include[ \t]+"[^"]*\.\./' src include; then
    echo 'layers: includes are written from the root, never with "../"'
    exit 1
fi
if grep -rnE '(^|[^_a-z])qsort\(' src | grep -v '^src/base/sort.h:'; then
    echo 'layers: an empty list is NULL, which qsort() may not get: sort() of base/sort.h takes it'
    exit 1
fi
grep -rnoE '^#[ \t]*include[ \t]+"[a-z_]+/[a-z0-9_]+\.h"' src | awk '
BEGIN {
    while ((getline line < "src/LAYERS") > 0) {
        if (line ~ /^[ \t]*(#|$)/) continue
        n = split(line, w, /[ \t:]+/)
        rank[w[1]] = ++rows
        listed[w[1]] = (line ~ /:/)
        for (i = 2; i <= n; i++) if (w[i] != "") may[w[1], w[i]] = 1
        may[w[1], "base"] = 1
    }
}
{
    split($0, part, ":"); file = part[1]
    match($0, /"[^"]+"/); inc = substr($0, RSTART + 1, RLENGTH - 2)
    split(file, f, "/"); from = f[2]
    split(inc, t, "/"); to = t[1]
    if (to == "winnow" || to == from) next
    if (!(from in rank) || !(to in rank)) { print file ": unknown module in " inc; bad = 1; next }
    if (inc ~ /_internal\.h$/) { print file ": " inc " is private to " to; bad = 1 }
    if (rank[to] <= rank[from]) { print file ": " from " may not look up to " to; bad = 1 }
    else if (listed[from] && !((from, to) in may)) { print file ": " from " may not use " to; bad = 1 }
}
END { if (!bad) print "layers: ok"; exit bad }'
