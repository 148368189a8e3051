"""Words that Grafana's published model does not know.

The model reads any text where it has a closed set of words, so a misspelt one survives a round trip. The sets stand in
the annotations of its classes; this walks over a decoded board and compares.
"""

import enum
import sys
import typing


def unknown_words(value, path="board"):
    """Paths of texts that are not in the set their place has."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from unknown_words(item, f"{path}[{at}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from unknown_words(item, f"{path}.{key}")
    elif type(value).__module__.startswith("grafana_foundation_sdk."):
        yield from _words_of(value, path)


def _words_of(thing, path):
    """Compares the attributes of one object of the model with their annotations."""
    initializer = type(thing).__init__
    hints = typing.get_type_hints(initializer, vars(sys.modules[type(thing).__module__]))
    for name, value in vars(thing).items():
        yield from unknown_words(value, f"{path}.{name}")
        words = _closed_set(hints.get(name))
        if words and value is not None and getattr(value, "value", value) not in words:
            yield f"{path}.{name} is {value!r}, which is none of {sorted(words)}"


def _closed_set(hint):
    """The words of an enumeration, also behind an Optional; `None` for every other annotation."""
    for candidate in (hint, *typing.get_args(hint)):
        if isinstance(candidate, type) and issubclass(candidate, enum.Enum):
            return {member.value for member in candidate}
    return None
