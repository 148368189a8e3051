"""How a check written in Python says what it found: one line "ok - what" or "not ok - what" each."""

import sys

_failed = 0


def report(what, problems):
    """Prints the line of one check; `problems` is what is wrong, empty when nothing is."""
    global _failed
    problems = list(problems)
    print(f"{'not ok' if problems else 'ok'} - {what}")
    for problem in problems:
        print(f"    {problem}")
    _failed += bool(problems)


def finish():
    """Ends the program; its exit code says whether a check failed."""
    sys.exit(1 if _failed else 0)
