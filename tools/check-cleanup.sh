#!/bin/sh
# Holds the one clean-up idiom (HACKING.md): no goto, and no function that asks
# more than three times whether all went well so far: its steps then go into a
# function that holds nothing and says TRY.
set -eu
cd "$(dirname "$0")/.."
find src -name '*.c' | sort | xargs awk '
FNR == 1 { inside = 0 }
/^\{/ { inside = 1; asked = 0; line = FNR }
/^\}/ {
    if (inside && asked > 3) {
        print FILENAME ":" line ": asks " asked " times for WINNOW_OK; put the steps into a function with TRY"
        bad = 1
    }
    inside = 0
}
inside && /if \([a-z_]+ == WINNOW_OK/ { asked++ }
inside && /^[ \t]*goto / { print FILENAME ":" FNR ": goto"; bad = 1 }
END { if (!bad) print "cleanup: ok"; exit bad }'
