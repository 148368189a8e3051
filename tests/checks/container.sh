#!/usr/bin/env bash
# The container file, read by hadolint; and the image's folder, made from the program we built and started in.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/checks/lib/check.sh

file=deploy/container/Containerfile
passes "$file" hadolint "$file"
printf 'FROM debian\nRUN sudo apt-get install curl\n' > "$scratch/Containerfile"
refuses 'a container file without a version is refused' DL3006 hadolint "$scratch/Containerfile"

program=${SYNCWATCH_TEST_PROGRAMS:-target/debug}/syncwatch
root=$scratch/root
passes 'the folder of the image is assembled' deploy/container/assemble-root.sh "$program" "$root"

# shellcheck disable=SC2329 # run by name
# Root may change the root; anybody else first becomes root of a name space of their own.
inside() {
    if [ "$(id -u)" -eq 0 ]; then
        chroot --userspec=10001:10001 "$root" "$@"
    else
        unshare --user --map-root-user chroot "$root" "$@"
    fi
}
chmod 0755 "$scratch"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# shellcheck disable=SC2329 # run by name
tells_its_version() {
    local output
    output=$(inside /usr/local/bin/syncwatch version 2>&1)
    echo "$output"
    grep -qF "$version" <<<"$output"
}
passes "the program runs in it with nothing else, and is $version" tells_its_version
refuses 'there is no shell in it' 'No such file or directory' inside /bin/sh -c true
passes 'it has certificates to trust' grep -q 'BEGIN CERTIFICATE' "$root/etc/ssl/certs/ca-certificates.crt"
finish
