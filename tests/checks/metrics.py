#!/usr/bin/env python3
"""Every metric that a board or a rule asks for is one that the documents list: docs/metrics.md is generated."""

import pathlib
import re

from lib.report import finish, report

REFERENCE = pathlib.Path("docs/metrics.md")
FOLDER = pathlib.Path("dashboards")
NAME = re.compile(r"\bsyncwatch_[a-z0-9_]+\b")
# What the text format adds to the name of a histogram.
SUFFIXES = ("", "_bucket", "_sum", "_count")


def listed():
    """Names in the first column of the reference, with those a histogram has besides."""
    rows = re.findall(r"^\| `(syncwatch_[a-z0-9_]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name + suffix for name in rows for suffix in SUFFIXES}


def main():
    """Runs the check for each file."""
    known = listed() if REFERENCE.exists() else set()
    report(f"{REFERENCE} lists metrics", [] if known else ["it lists none"])
    files = sorted(file for ending in ("*.json", "*.yml", "*.yaml") for file in FOLDER.rglob(ending))
    asking = [file for file in files if NAME.search(file.read_text(encoding="utf-8"))]
    report("boards and rules ask for metrics", [] if asking else [f"no file in {FOLDER} does"])
    for file in asking:
        names = set(NAME.findall(file.read_text(encoding="utf-8")))
        report(f"{file}: {len(names)} metrics", [f"{name} does not exist" for name in sorted(names - known)])
    finish()


if __name__ == "__main__":
    main()
