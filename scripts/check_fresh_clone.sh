#!/usr/bin/env bash
# Runs the README's commands as a newcomer would: in a new clone of HEAD, with an empty home, in a path with a space.
# What was not committed, or is installed here by accident, is missing there. Usage:
#   scripts/check_fresh_clone.sh                run `make run`, ask for a decision, look into the shop, stop it
#   scripts/check_fresh_clone.sh test [ARGS]    run `make test`, with ARGS for pytest
set -euo pipefail

repository="$(cd "$(dirname "$0")/.." && pwd)"
place="$(mktemp -d)"
clone="$place/a clone"
service=""

leave() {
    if [ -n "$service" ]; then kill -- "-$service" 2>/dev/null || true; wait "$service" 2>/dev/null || true; fi
    rm -rf "$place"
}
trap leave EXIT

# Nothing of this session reaches the clone but where to find programs and how to reach a package index from here.
kept=(PATH="$PATH" HOME="$place/home" TMPDIR="${TMPDIR:-/tmp}" LANG=C.UTF-8
    CONSENT_PORT="${CONSENT_PORT:-8137}" SHOP_PORT="${SHOP_PORT:-8138}" THIRD_PARTY_PORT="${THIRD_PARTY_PORT:-8139}")
while IFS='=' read -r name value; do kept+=("$name=$value"); done \
    < <(env | grep -E '^(PIP_[A-Z_]+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|https?_proxy|HTTPS?_PROXY|(no_proxy|NO_PROXY))=' || true)

clean() { env -i "${kept[@]}" "$@"; }

mkdir "$place/home"
git clone --quiet --no-hardlinks "$repository" "$clone"
cd "$clone"

if [ "${1:-run}" = test ]; then
    shift
    clean make test ARGS="$*"
    exit 0
fi

set -m # a process group of its own, so that the service ends with its make
clean make run > "$place/output" 2>&1 &
service=$!
set +m

for _ in $(seq 600); do
    if grep -q '^decision ' "$place/output" || ! kill -0 "$service" 2>/dev/null; then break; fi
    sleep 0.5
done
if ! grep '^decision ' "$place/output" > "$place/decision"; then
    echo "make run did not come up; it said:" >&2
    cat "$place/output" >&2
    exit 1
fi

cat "$place/output"
sed 's/^decision *//' "$place/decision" > "$place/first_decision.sh"
answer="$(clean bash "$place/first_decision.sh" 2>/dev/null)"
echo "$answer" | python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert answer["categories"]["strictly_necessary"] == {"allow": True, "reason": "exempt"}, answer
assert answer["categories"]["advertising"] == {"allow": False, "reason": "no_record"}, answer
'
echo "a fresh clone decides"

# The first page of the shop that it started sets the session and nothing else of the many things that it tries to set.
shop="$(sed -n 's/^shop *//p' "$place/output")"
clean curl --silent --fail --dump-header "$place/head" --output "$place/page" "$shop/products/teapot"
grep -q '<h1>Ember teapot</h1>' "$place/page"
set_by_shop="$(grep -ic '^set-cookie:' "$place/head" || true)"
if [ "$set_by_shop" != 1 ] || ! grep -iq '^set-cookie: session=' "$place/head"; then
    echo "the shop set more than its session before any answer:" >&2
    cat "$place/head" >&2
    exit 1
fi
echo "its shop asks before it sets a cookie"
