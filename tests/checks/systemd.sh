#!/usr/bin/env bash
# The service unit: understood by systemd, and as confined as it was written to be.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/checks/lib/check.sh

# Exposure in tenths, as systemd-analyze counts it: 0 is a service that can do nothing, 96 one without any confinement.
readonly MOST_EXPOSURE=12
unit=deploy/systemd/syncwatch.service

# Verifying wants the program to be there; a copy names one that every machine has.
sed 's#^ExecStart=/usr/local/bin/syncwatch #ExecStart=/bin/true #' "$unit" > "$scratch/syncwatch.service"
passes "$unit starts the installed program" grep -q '^ExecStart=/usr/local/bin/syncwatch run ' "$unit"
passes "$unit is understood" systemd-analyze verify "$scratch/syncwatch.service"
passes "$unit is confined to an exposure of $MOST_EXPOSURE tenths" \
    systemd-analyze security --offline=yes --no-pager --threshold=$MOST_EXPOSURE "$scratch/syncwatch.service"

# verify warns about a misspelt key, and passes; a warning counts as a failure here.
# shellcheck disable=SC2329 # run by name
understood_without_a_warning() {
    local output
    output=$(systemd-analyze verify "$1" 2>&1) || { echo "$output"; return 1; }
    echo "$output"
    [ -z "$output" ]
}
passes "$unit gives no warning" understood_without_a_warning "$scratch/syncwatch.service"

mkdir "$scratch/bad"
sed 's/^ProtectSystem=/ProtectSytem=/' "$scratch/syncwatch.service" > "$scratch/bad/syncwatch.service"
refuses 'a misspelt key is refused' ProtectSytem understood_without_a_warning "$scratch/bad/syncwatch.service"
grep -vE '^(CapabilityBoundingSet|SystemCallFilter|ProtectSystem)=' "$scratch/syncwatch.service" > "$scratch/bad/syncwatch.service"
refuses 'a unit that is less confined is refused' 'Overall exposure' \
    systemd-analyze security --offline=yes --no-pager --threshold=$MOST_EXPOSURE "$scratch/bad/syncwatch.service"
finish
