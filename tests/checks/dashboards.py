#!/usr/bin/env python3
"""The Grafana boards: nothing in them that Grafana's own model does not know, every query readable.

A board is decoded with Grafana's published model and encoded again. What the model does not know is lost on the way,
so each key that is missing afterwards is a key that Grafana would ignore, most often a misspelt one. Words out of
closed sets are compared with the sets of the model.
"""

import copy
import json
import pathlib

import promql_parser
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from lib.grafana_model import unknown_words
from lib.report import finish, report

BOARDS = pathlib.Path("dashboards")
# What Grafana puts in place of its variables in queries before Prometheus sees them.
VARIABLES = {"$__rate_interval": "5m", "$__interval": "1m", "$__range": "1h", "${__range_s}": "3600"}


def lost(before, after, path=""):
    """Paths of what is in `before` and not in `after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from lost(value, after[key], f"{path}.{key}")
            elif value not in (None, "", [], {}):
                yield f"{path}.{key} is not known to Grafana"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (old, new) in enumerate(zip(before, after)):
            yield from lost(old, new, f"{path}[{at}]")
    elif before != after:
        yield f"{path} is {before!r}, and Grafana reads {after!r}"


def unknown_parts(board):
    """Keys and words of a board that Grafana's model does not know."""
    try:
        decoded = Dashboard.from_json(board)
    except KeyError as error:
        return [f"Grafana knows no {error}"]
    return [*lost(board, json.loads(JSONEncoder().encode(decoded))), *unknown_words(decoded)]


def unknown_overrides(board):
    """The same for overrides, which the model does not look into: each is tried as a default of its panel."""
    for panel in panels(board):
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            for part in override["properties"]:
                trial = copy.deepcopy(panel)
                place = trial["fieldConfig"]["defaults"]
                *folders, name = part["id"].split(".")
                for folder in folders:
                    place = place.setdefault(folder, {})
                place[name] = part["value"]
                for problem in unknown_parts({"panels": [trial]}):
                    yield f"{panel['title']}: override of {override['matcher']['options']}: {problem}"


def panels(board):
    """All panels, those inside rows as well."""
    for panel in board.get("panels", []):
        yield panel
        yield from panel.get("panels", [])


def queries(board):
    """Pairs of a panel's title and one of its expressions."""
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield panel.get("title", "?"), target.get("expr", "")


def without_variables(expr, names):
    """An expression as Prometheus gets it, with a stand-in for each variable of the board."""
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    for name in names:
        expr = expr.replace(f"${{{name}}}", "any").replace(f"${name}", "any")
    return expr


def broken_queries(board):
    """Expressions that the query language does not know."""
    names = [variable["name"] for variable in board.get("templating", {}).get("list", [])]
    for title, expr in queries(board):
        try:
            promql_parser.parse(without_variables(expr, names))
        except ValueError as error:
            yield f"{title}: {expr!r}: {error}"


def missing_parts(board):
    """What every board and panel has to have."""
    for key in ("uid", "title", "schemaVersion"):
        if not board.get(key):
            yield f"the board has no {key}"
    ids = [panel.get("id") for panel in panels(board)]
    if len(set(ids)) != len(ids):
        yield f"panels share an id: {ids}"
    for panel in panels(board):
        if panel.get("type") in ("row", "text"):
            continue
        if not panel.get("title"):
            yield f"panel {panel.get('id')} has no title"
        if not panel.get("targets"):
            yield f"panel {panel.get('title')} asks for nothing"
        refs = [target.get("refId") for target in panel.get("targets", [])]
        if None in refs or len(set(refs)) != len(refs):
            yield f"panel {panel.get('title')}: each query needs a refId of its own, there are {refs}"


def check_board(path):
    """Checks one board."""
    board = json.loads(path.read_text(encoding="utf-8"))
    found = list(queries(board))
    report(f"{path}: nothing unknown to Grafana", unknown_parts(board))
    report(f"{path}: no override unknown to Grafana", unknown_overrides(board))
    report(f"{path}: nothing missing", missing_parts(board))
    report(f"{path}: {len(found)} queries", list(broken_queries(board)) or ([] if found else ["none"]))


def provisioning_problems(path):
    """A provisioning file is a mapping with apiVersion 1 and one list of data sources or boards."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        yield str(error)
        return
    if not isinstance(content, dict) or content.get("apiVersion") != 1:
        yield "apiVersion is not 1"
    elif not (content.get("datasources") or content.get("providers")):
        yield "there are neither datasources nor providers"


def check_itself(path):
    """Damaged boards are refused."""
    text = path.read_text(encoding="utf-8")
    for name, good, bad in (
        ("a misspelt key", '"editable":', '"editabel":'),
        ("a misspelt word", '"mode": "absolute"', '"mode": "absolut"'),
        ("a mapping that does not exist", '"type": "value"', '"type": "values"'),
    ):
        found = good in text and unknown_parts(json.loads(text.replace(good, bad, 1)))
        report(f"{name} is found", [] if found else ["it is not"])
    misspelt = json.loads(text.replace('"id": "custom.width"', '"id": "custom.widht"'))
    report("a misspelt override is found", [] if list(unknown_overrides(misspelt)) else ["it is not"])
    broken = {"panels": [{"id": 1, "title": "t", "targets": [{"expr": "sum(up"}]}]}
    report("a broken query is found", [] if list(broken_queries(broken)) else ["it is not"])


def main():
    """Runs every check."""
    register_default_plugins()
    boards = sorted(BOARDS.rglob("*.json"))
    files = (path for ending in ("*.yaml", "*.yml") for path in BOARDS.rglob(ending))
    provisioning = sorted(path for path in files if "provisioning" in path.parts)
    report("there are boards", [] if boards else [f"no *.json in {BOARDS}"])
    report("there are provisioning files", [] if provisioning else [f"none below {BOARDS}"])
    for path in boards:
        check_board(path)
    for path in provisioning:
        report(str(path), provisioning_problems(path))
    uids = [json.loads(path.read_text(encoding="utf-8")).get("uid") for path in boards]
    report("boards have uids of their own", [] if len(set(uids)) == len(uids) else [str(uids)])
    for path in boards[:1]:
        check_itself(path)
    finish()


if __name__ == "__main__":
    main()
