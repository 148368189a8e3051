# shellcheck shell=bash
# How a check written in shell says what it found: one line "ok - what" or "not ok - what" each.

set -uo pipefail
findings=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

ok() {
    echo "ok - $*"
}

# What was checked, and what is wrong with it.
not_ok() {
    echo "not ok - $1"
    echo "    ${2//$'\n'/$'\n'    }"
    findings=$((findings + 1))
}

# Passes when the command succeeds.
#   passes WHAT COMMAND...
passes() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then ok "$what"; else not_ok "$what" "$output"; fi
}

# Passes when the command fails and says why: what shows that a check can fail.
#   refuses WHAT WORDS COMMAND...
refuses() {
    local what=$1 words=$2 output
    shift 2
    if output=$("$@" 2>&1); then
        not_ok "$what" "passed, and should not have"
    elif grep -qF -e "$words" <<<"$output"; then
        ok "$what"
    else
        not_ok "$what" "failed without saying \"$words\": $output"
    fi
}

# Ends a check; to be its last command.
finish() {
    exit "$((findings > 0))"
}
