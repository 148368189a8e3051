#!/usr/bin/env python3
"""The cards for Teams, as the snapshots of their tests hold them, against Microsoft's published schema.

The schema is the one of Adaptive Cards 1.4; Teams takes at most 28 KB for a whole message.
"""

import copy
import importlib.resources
import json
import pathlib

import jsonschema
from lib.report import finish, report

SNAPSHOTS = pathlib.Path("alerting/snapshots")
VERSION = "1.4"
MOST_BYTES = 28 * 1024
# What Teams adds to the schema ("Format cards in Teams"), and all of it that our cards use.
TEAMS_OWN = {"width": "Full"}
CARD_TYPE = "application/vnd.microsoft.card.adaptive"


def message_in(snapshot):
    """The message below a snapshot's header, which ends with the second line of dashes."""
    _, _, body = snapshot.read_text(encoding="utf-8").split("---\n", 2)
    return json.loads(body)


def official_schema():
    """The validator for Microsoft's schema."""
    file = importlib.resources.files("adaptive_cards") / "schemas" / f"schema-{VERSION}.json"
    return jsonschema.Draft6Validator(json.loads(file.read_text(encoding="utf-8")))


def problems_of(message, schema):
    """What is wrong with a message for Teams."""
    size = len(json.dumps(message, ensure_ascii=False).encode())
    if size > MOST_BYTES:
        yield f"{size} bytes are more than {MOST_BYTES}"
    if message.get("type") != "message" or not message.get("attachments"):
        yield "it is not a message with attachments"
    for attachment in message.get("attachments", []):
        if attachment.get("contentType") != CARD_TYPE:
            yield f"an attachment is {attachment.get('contentType')!r}"
        card = dict(attachment.get("content", {}))
        if card.pop("msteams", TEAMS_OWN) != TEAMS_OWN:
            yield f"msteams is not {TEAMS_OWN}"
        if card.get("version") != VERSION:
            yield f"the card says it is version {card.get('version')!r}"
        for error in schema.iter_errors(card):
            error = jsonschema.exceptions.best_match([error])
            yield f"{error.json_path}: {error.message[:200]}"


def damaged(message):
    """Copies of a good message, each with one thing wrong."""
    for name, damage in {
        "an element without its text": lambda card: card["body"].append({"type": "TextBlock"}),
        "a weight that does not exist": lambda card: card["body"].append(
            {"type": "TextBlock", "text": "x", "weight": "Bold"}
        ),
        "an element that does not exist": lambda card: card["body"].append({"type": "Text", "text": "x"}),
        "an extension that Teams does not know": lambda card: card.update(msteams={"widht": "Full"}),
        "too large a card": lambda card: card["body"].append({"type": "TextBlock", "text": "x" * MOST_BYTES}),
    }.items():
        bad = copy.deepcopy(message)
        damage(bad["attachments"][0]["content"])
        yield name, bad


def main():
    """Runs every check."""
    schema = official_schema()
    snapshots = sorted(SNAPSHOTS.glob("card_*.snap"))
    report("there are cards", [] if snapshots else [f"no card_*.snap in {SNAPSHOTS}"])
    for snapshot in snapshots:
        report(str(snapshot), problems_of(message_in(snapshot), schema))
    for snapshot in snapshots[:1]:
        for name, bad in damaged(message_in(snapshot)):
            report(f"{name} is found", [] if list(problems_of(bad, schema)) else ["it is not"])
    finish()


if __name__ == "__main__":
    main()
