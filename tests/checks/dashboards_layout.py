#!/usr/bin/env python3
"""The Grafana boards: panels that neither overlap nor leave the screen, variables that exist and are used.

Grafana takes all of this without a word and shows something else than was meant.
"""

import itertools
import json
import pathlib
import re

from lib.report import finish, report

BOARDS = pathlib.Path("dashboards")
COLUMNS = 24
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Variables of Grafana's own begin with two underscores.
VARIABLE = re.compile(r"\$\{?([a-z][a-z0-9_]*)")


def rectangles(board):
    """Title and place of every panel."""
    for panel in board["panels"]:
        grid = panel["gridPos"]
        yield panel["title"], (grid["x"], grid["y"], grid["x"] + grid["w"], grid["y"] + grid["h"])


def misplaced(board):
    """Panels that overlap or stand out of the screen."""
    places = list(rectangles(board))
    for title, (left, top, right, bottom) in places:
        if not (0 <= left < right <= COLUMNS and 0 <= top < bottom):
            yield f"{title} stands out of the screen"
    for (one, a), (other, b) in itertools.combinations(places, 2):
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
            yield f"{one} and {other} overlap"


def data_sources(value, path="board"):
    """Every reference to a data source, with its path; Grafana's own one for annotations aside."""
    if isinstance(value, dict):
        source = value.get("datasource")
        if source is not None and source.get("uid") != "-- Grafana --":
            yield path, source
        for key, item in value.items():
            yield from data_sources(item, f"{path}.{key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from data_sources(item, f"{path}[{at}]")


def fixed_data_sources(board):
    """Data sources that are not the one the reader picks; a panel without any falls back to some default."""
    for path, source in data_sources(board):
        if source != DATA_SOURCE:
            yield f"{path} asks {source}"
    for panel in board["panels"]:
        asked = [panel, *panel.get("targets", [])] if panel["type"] != "row" else []
        if any("datasource" not in part for part in asked):
            yield f"{panel['title']} or a query of it names no data source"


def variable_problems(board):
    """Variables that are used and not defined, or the other way round."""
    defined = {variable["name"] for variable in board["templating"]["list"]}
    used = set(VARIABLE.findall(json.dumps(board)))
    for name in sorted(used - defined):
        yield f"${name} is not defined"
    for name in sorted(defined - used):
        yield f"${name} is not used"


def unexplained(board):
    """Panels without a description: the reader of a wall did not build it."""
    for panel in board["panels"]:
        if panel["type"] != "row" and not panel.get("description"):
            yield f"{panel['title']} has no description"


def check_itself(board):
    """Damaged boards are refused."""
    text = json.dumps(board)
    grid = json.dumps(board["panels"][0]["gridPos"])
    for name, check, bad in (
        ("an overlap", misplaced, text.replace(json.dumps(board["panels"][1]["gridPos"]), grid)),
        ("a fixed data source", fixed_data_sources, text.replace("${datasource}", "prometheus-1", 1)),
        ("an unknown variable", variable_problems, text.replace("$tenant", "$tennant", 1)),
    ):
        report(f"{name} is found", [] if list(check(json.loads(bad))) else ["it is not"])


def main():
    """Runs every check."""
    boards = sorted(BOARDS.rglob("*.json"))
    report("there are boards", [] if boards else [f"no *.json in {BOARDS}"])
    for path in boards:
        board = json.loads(path.read_text(encoding="utf-8"))
        report(f"{path}: every panel has its place", misplaced(board))
        report(f"{path}: the reader picks the data source", fixed_data_sources(board))
        report(f"{path}: variables are defined and used", variable_problems(board))
        report(f"{path}: every panel is explained", unexplained(board))
    for path in boards[:1]:
        check_itself(json.loads(path.read_text(encoding="utf-8")))
    finish()


if __name__ == "__main__":
    main()
