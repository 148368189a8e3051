#!/usr/bin/env bash
# The closing line of the tests is only as good as its counting: each runner's output as it is, and what is counted.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/checks/lib/check.sh
. tests/tools/count.sh

# counts FUNCTION EXPECTED LOG-TEXT
counts() {
    printf '%s\n' "$3" > "$scratch/log"
    passes "$1 counts $2" test "$("$1" "$scratch/log")" = "$2"
}

# totals EXPECTED EXIT-CODE LOG-TEXT: what a run of our checks adds to the closing line.
totals() {
    local counted
    printf '%s\n' "$3" > "$scratch/log"
    counted=$(
        passed=0 failed=0
        count_results results_of_checks "$scratch/log" "$2" 'a check' 2>/dev/null
        echo "$passed $failed"
    )
    passes "exit code $2 with \"${3%%$'\n'*}\" adds $1" test "$counted" = "$1"
}

counts results_of_nextest '5 0' '     Summary [  41.233s] 5 tests run: 5 passed, 0 failed, 0 skipped'
counts results_of_nextest '355 12' \
    '     Summary [  41.233s] 367 tests run: 355 passed (2 slow, 1 leaky), 9 failed, 1 timed out, 2 skipped'
counts results_of_nextest '1 1' $'\e[32m     Summary\e[0m [   0.1s] \e[1m2\e[0m tests run: \e[1m1\e[0m passed, \e[1m1\e[0m failed'
counts results_of_nextest '0 0' 'error: could not compile'
counts results_of_cargo_test '7 3' 'test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out
test result: FAILED. 2 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out'
counts results_of_checks '2 1' $'ok - a\nnot ok - b\n    why\nok - c'

totals '1 0' 0 'ok - a'
totals '1 1' 1 $'ok - a\nnot ok - b'
totals '1 1' 2 $'ok - a\nline 7: no such command'
totals '0 1' 0 'nothing was checked'
finish
