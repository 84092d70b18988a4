#!/bin/sh
# Control sequences of ids, texts, sources, names and options are shown, not sent; a
# document on standard output stays byte for byte.
#   tests/fault/terminal.sh WINNOW
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
esc=$(printf '\033')
c1=$(printf '\302\233')
bidi=$(printf '\342\200\256')
clean() { # COMMAND...: neither stream holds ESC, BEL, a C1 control or an override
    "$@" >out 2>err
    LC_ALL=C grep -aq "$esc\|$c1\|$bidi\|$(printf '\007')" out err && { cat -v out err; fail "$* sends a control sequence"; }
    return 0
}
cat >in.jsonl <<'J'
{"id":"e\u001b]0;owned\u0007","text":"a \u001b[2J b\u009b31m \u202etxt","source":"s\u001b[31m\n\u202e"}
J
clean "$bin" dedup in.jsonl -o o
clean "$bin" explain o "$(printf 'e\033]0;owned\007')"
grep -q 'a \\u001b\[2J b\\u009b31m \\u202etxt' out || { cat -v out; fail "the text is not shown"; }
clean "$bin" explain o "no$esc[31m"
clean "$bin" count --by source in.jsonl
grep -q '^s\\u001b\[31m\\u000a\\u202e	1	' out || { cat -v out; fail "the source is not one field"; }
odd="x$esc[31m$bidi.jsonl"
cp in.jsonl "$odd" && echo '{' >>"$odd"
clean "$bin" count "$odd"
grep -q 'x\\u001b\[31m\\u202e.jsonl, line 2' err || { cat -v err; fail "the name is not shown"; }
clean "$bin" count --by shard "$odd"
clean "$bin" dedup "$odd" -o "p$esc[31m"
clean "$bin" dedup "$odd" -o "p$esc[31m"
clean "$bin" verify "p$esc[31m"
clean "$bin" report "p$esc[31m" --json
clean "$bin" dedup --log-json -v "$odd" -o q
clean "$bin" rules --rate "$esc[31m" in.jsonl
clean "$bin" "nothing$esc[31m"
clean "$bin" help "nothing$esc[31m"
clean "$bin" dedup "--$esc[31m=x" in.jsonl
clean "$bin" dedup --on-bad "$esc[31m" in.jsonl
clean "$bin" count "missing$esc[31m"
clean "$bin" train "$odd" --tokenizer "$esc[31m" -o m
clean "$bin" score --model "$esc[31m" in.jsonl -o s
printf 'winnow: 1\ninput: [in.jsonl]\nstages: ["de\\edup"]\n' >r.yaml
clean "$bin" run r.yaml
printf '\033[31m' >bad.yaml
clean "$bin" run bad.yaml
# The page of the report is read in terminals and browsers.
"$bin" dedup -q in.jsonl -o o2 && "$bin" report -q o2 || fail "report"
LC_ALL=C grep -aq "$esc\|$c1\|$bidi" o2/report.html && fail "the report holds a control sequence"
# Documents are not messages.
printf '{"id":"a","text":"raw \177 \302\233 \342\200\256"}\n' >raw.jsonl
"$bin" dedup -q raw.jsonl -o - 2>/dev/null | cmp - raw.jsonl || fail "a document was changed on its way out"
echo "terminal: ok"
