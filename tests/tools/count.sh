# shellcheck shell=bash
# Counting what passed and what failed, from the output of each runner.

passed=0
failed=0

# Adds the results in a log to the totals. A runner that failed without naming a failure counts as one, and so does
# one that ran nothing.
#   count_results PATTERN-FUNCTION LOG EXIT-CODE WHAT
count_results() {
    local good=0 bad=0
    read -r good bad < <("$1" "$2")
    if [ "$3" -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "FAILED: $4 ended with exit code $3" >&2
        bad=1
    elif [ $((good + bad)) -eq 0 ]; then
        echo "FAILED: $4 ran nothing" >&2
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
}

without_colour() {
    sed 's/\x1b\[[0-9;]*m//g' "$1"
}

# The sum of the numbers in front of a word, e.g. "3 passed".
sum_before() {
    grep -oE "[0-9]+ $1" | awk '{ sum += $1 } END { print sum + 0 }'
}

# cargo nextest: "Summary [ 1.0s] 9 tests run: 5 passed (1 slow), 2 failed, 1 timed out, 1 skipped".
# What is skipped was not run, and a test that is not run has not passed.
results_of_nextest() {
    local line
    line=$(without_colour "$1" | grep -E '^ *Summary \[' | tail -n 1)
    echo "$(sum_before passed <<<"$line") $(sum_before '(failed|exec failed|timed out|skipped)' <<<"$line")"
}

# cargo test: "test result: ok. 5 passed; 0 failed; 0 ignored; ..." once per program.
results_of_cargo_test() {
    local lines
    lines=$(without_colour "$1" | grep -E '^test result: ')
    echo "$(sum_before passed <<<"$lines") $(sum_before '(failed|ignored)' <<<"$lines")"
}

# Our own checks: a line "ok - what" or "not ok - what" each.
results_of_checks() {
    echo "$(grep -c '^ok - ' "$1") $(grep -c '^not ok - ' "$1")"
}
