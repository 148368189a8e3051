# shellcheck shell=bash
# What the tests need of the machine: looked for by what it does, installed from Debian's packages where we may.

# Programs (any of the names), and the package that carries them.
readonly NEEDED=(
    "cc|gcc libc6-dev"
    "postgres|postgresql"
    "prometheus|prometheus"
    "promtool|prometheus"
    "prometheus-alertmanager alertmanager|prometheus-alertmanager"
    "victoria-metrics victoria-metrics-prod|victoria-metrics"
    "postfix|postfix"
    "saslpasswd2|sasl2-bin libsasl2-modules libsasl2-modules-db"
    "chromium chromium-browser google-chrome|chromium fonts-dejavu-core"
    "systemd-analyze|systemd"
    "setpriv|util-linux"
    "ldd|libc-bin"
    "python3|python3 python3-venv"
)

# Whether one of the programs is there, also where Debian hides it.
have_program() {
    local name
    for name in "$@"; do
        if command -v "$name" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$name" >/dev/null; then
            return 0
        fi
    done
    return 1
}

# Prints "program|packages" of everything that is missing.
missing_programs() {
    local entry names
    for entry in "${NEEDED[@]}"; do
        read -ra names <<<"${entry%%|*}"
        have_program "${names[@]}" || printf '%s\n' "$entry"
    done
    if have_program saslpasswd2 && ! compgen -G '/usr/lib*/*/sasl2/libsasldb.so*' >/dev/null; then
        echo 'the SASL plugin sasldb|libsasl2-modules libsasl2-modules-db'
    fi
    if have_program python3 && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        echo 'the Python module venv|python3-venv'
    fi
}

# Runs a command as root: as ourselves or through sudo without a password; fails where neither is possible.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n -- "$@"
    else
        return 126
    fi
}

# Installs packages; removes none, so that it cannot cost anybody their mail server.
install_packages() {
    command -v apt-get >/dev/null || return 1
    as_root true || return 1
    if ! have_program postfix; then
        echo 'postfix postfix/main_mailer_type select No configuration' | as_root debconf-set-selections || return 1
    fi
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=400 -y -q --no-install-recommends --no-remove)
    as_root "${apt[@]}" install "$@" && return 0
    # Perhaps the lists of packages are old, or there are none yet.
    as_root "${apt[@]}" update && as_root "${apt[@]}" install "$@"
}

# Makes sure that everything is there, or names all that is not and fails.
require_packages() {
    local missing packages
    missing=$(missing_programs)
    [ -n "$missing" ] || return 0
    read -ra packages <<<"$(cut -d'|' -f2 <<<"$missing" | sort -u | tr '\n' ' ')"
    echo "installing what the tests need: ${packages[*]}"
    install_packages "${packages[@]}" || true
    missing=$(missing_programs)
    [ -n "$missing" ] || return 0
    {
        echo 'The tests cannot run: this is missing, and it could not be installed from here (apt-get as root or'
        echo 'through sudo without a password):'
        awk -F'|' '{ print "  " $1 "  (Debian: " $2 ")" }' <<<"$missing"
    } >&2
    return 1
}
