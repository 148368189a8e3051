# shellcheck shell=bash
# The Python side of the checks: a virtual environment below the build folder, made anew when its list changes.

# Prints the folder of the environment that holds the packages of a requirements file.
#   python_environment REQUIREMENTS FOLDER
python_environment() {
    local requirements=$1 sum folder
    # The interpreter is part of the name: an environment does not survive its upgrade.
    sum=$({ cat "$requirements"; python3 --version; } | sha256sum | cut -c1-16)
    folder=$2/python-$sum
    if [ ! -e "$folder/complete" ]; then
        rm -rf "$folder"
        python3 -m venv "$folder" || return 1
        "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2 || return 1
        touch "$folder/complete"
    fi
    printf '%s\n' "$folder"
}
