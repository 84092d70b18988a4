#!/bin/sh
# Manual pages and shell completions, written by the program itself out of its tables of options.
#   tools/make-manuals.sh WINNOW PREFIX      fills PREFIX/share
set -eu
winnow=$1 share=$2/share
mkdir -p "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
    "$share/fish/vendor_completions.d"
"$winnow" help --man | gzip -9n >"$share/man/man1/winnow.1.gz"
"$winnow" help --json | sed -n 's/^    "command": "\(.*\)",/\1/p' | while read -r command; do
    # shellcheck disable=SC2086
    "$winnow" help --man $command | gzip -9n >"$share/man/man1/winnow-$(echo "$command" | tr ' ' '-').1.gz"
done
"$winnow" help --completion bash >"$share/bash-completion/completions/winnow"
"$winnow" help --completion zsh >"$share/zsh/site-functions/_winnow"
"$winnow" help --completion fish >"$share/fish/vendor_completions.d/winnow.fish"
