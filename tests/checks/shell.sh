#!/usr/bin/env bash
# The shell scripts of the project, read by shellcheck.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/checks/lib/check.sh

mapfile -t scripts < <(grep -rlE '^#!(/usr/bin/env bash|/bin/sh)|^# shellcheck shell=' --exclude-dir={target,.git,.venv} .)
for script in "${scripts[@]}"; do
    passes "$script" shellcheck --external-sources --source-path=. --severity=style "$script"
done

# shellcheck disable=SC2016
printf '#!/bin/sh\nrm $1\n' > "$scratch/bad.sh"
refuses 'a script with an unquoted argument is refused' SC2086 shellcheck "$scratch/bad.sh"
finish
