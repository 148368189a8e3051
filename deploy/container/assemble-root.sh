#!/bin/sh
# Collects all that a program needs to run, and nothing else, in a folder: no shell, no package manager, no tools.
#
#   assemble-root.sh PROGRAM FOLDER
#
# Run in the container build; the tests run it as well and start the program in what it made.
set -eu

program=$1
root=$2
user=10001

mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/etc/syncwatch" "$root/var/lib/syncwatch" "$root/tmp"
chmod 1777 "$root/tmp"
cp "$program" "$root/usr/local/bin/syncwatch"
chmod 0755 "$root/usr/local/bin/syncwatch"

# The loader and the libraries, at the paths where the loader looks for them.
ldd "$program" | sed -n 's#^[^/]*\(/[^ ]*\).*#\1#p' | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done

# Whom to trust, who we are, and where names are looked up.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo "syncwatch:x:$user:$user::/var/lib/syncwatch:/nonexistent" > "$root/etc/passwd"
echo "syncwatch:x:$user:" > "$root/etc/group"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
