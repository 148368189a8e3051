#!/usr/bin/env bash
# The alert rules for Prometheus, each file with unit tests of its own, and the example configuration: read by promtool.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/checks/lib/check.sh

mapfile -t rules < <(find dashboards -name '*.rules.yml' | sort)
mapfile -t tests < <(find dashboards -name '*.test.yml' | sort)
[ "${#rules[@]}" -gt 0 ] || not_ok 'there are alert rules' 'no file dashboards/**/*.rules.yml'

for file in "${rules[@]}"; do
    passes "$file" promtool check rules --lint-fatal "$file"
    passes "$file has tests" grep -lF "$(basename "$file")" "${tests[@]}" /dev/null
    # Every alert of the file is expected by a test.
    while read -r alert; do
        passes "alert $alert is tested" grep -hE "alertname: *$alert\$" "${tests[@]}" /dev/null
    done < <(sed -n 's/^ *- alert: *//p' "$file")
done
for file in "${tests[@]}"; do
    passes "$file" promtool test rules "$file"
done

passes 'the example of a configuration' promtool check config dashboards/prometheus/scrape.example.yml
printf 'groups: [{name: g, rules: [{alert: A, expr: "up ="}]}]\n' > "$scratch/bad.rules.yml"
refuses 'a rule with a broken expression is refused' 'could not parse expression' promtool check rules "$scratch/bad.rules.yml"
finish
