#!/usr/bin/env bash
# The documents that are generated from the code are as the code says.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/checks/lib/check.sh

program=${SYNCWATCH_TEST_PROGRAMS:-target/debug}/syncwatch
passes 'generated documents are up to date' "$program" generate --check
passes 'generated documents are written' "$program" generate --root "$scratch"
echo 'by hand' >> "$scratch/docs/metrics.md"
refuses 'an edited document is found' docs/metrics.md "$program" generate --check --root "$scratch"
finish
