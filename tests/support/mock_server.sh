# mock_server.sh -- to be sourced: a mock server for a test in shell.
#
# $mock names the program.  start RULES (again) gives one with these rules: its address
# in $url, its log in log.  $server is its process, which the caller's trap ends.
# shellcheck shell=sh disable=SC2034,SC2154
server=
start() {
    [ -n "$server" ] && { kill "$server"; wait "$server" 2>/dev/null; }
    rm -f port
    "$mock" "$1" port log 900 &
    server=$!
    for _ in $(seq 100); do [ -s port ] && break; sleep 0.05; done
    url=http://127.0.0.1:$(cat port)
}
