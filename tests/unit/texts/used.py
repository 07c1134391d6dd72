"""Which keys of ``backend/texts`` the code uses, found by reading it."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend import errors, key_command, settings, start_block, usage
from backend.core import options
from backend.core.conversion import STAGES
from backend.core.webhooks import EVENTS
from backend.errors import BY_CODE, GatewayError
from backend.web.openapi.components import HEADERS, PARAMETERS, TAGS
from backend.web.openapi.document import RECEIVER_ANSWERS
from backend.web.routes import operations

ROOT = Path(__file__).resolve().parents[3]
BACKEND = ROOT / "backend"
NAMES_A_KEY = {
    "text": (0, ""),
    "in_every_language": (0, ""),
    "words": (0, "plain."),
    "Kind": (0, "accepted."),
    "WrongSetting": (2, "accepted."),
    "TableField": (0, "accepted."),
    "NotUsable": (0, "accepted.bucket."),
    "CannotStart": (0, "start."),
    "finding": (0, "start."),
}
"""What is called with a key: at which place it stands, and what is put before it."""
PARTS_OF_A_CODE = ("title", "detail", "happened", "advice")
AT_THE_EDGE = {"request_id", "address", "command", "form_command", "fetch", "example"}
"""Placeholders that every edge fills by itself."""


@dataclass(frozen=True)
class Use:
    """``given`` are the parameters that the place fills in; None: they cannot be seen."""

    place: str
    key: str
    given: frozenset[str] | None


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Place, function and call, throughout the backend."""
    for path in sorted([*BACKEND.rglob("*.py"), ROOT / "gunicorn.conf.py", ROOT / "run.py"]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield f"{path.relative_to(ROOT)}:{node.lineno}", name, node


def keywords(call: ast.Call) -> frozenset[str] | None:
    """The names that are given, be it as keywords or as a dictionary; None where they cannot be seen."""
    names: list[str | None] = [word.arg for word in call.keywords]
    for argument in call.args[1:]:
        if isinstance(argument, ast.Dict):
            names += [getattr(key, "value", None) for key in argument.keys]
    return None if None in names else frozenset(name for name in names if name is not None)


def words_of(node: ast.expr) -> list[str]:
    """Every text that an argument may be, as far as it stands there."""
    if isinstance(node, ast.IfExp):
        return [*words_of(node.body), *words_of(node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [word for value in node.values for word in words_of(value)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def raised() -> Iterator[tuple[str, type[GatewayError], ast.Call]]:
    """Every ``errors.Kind(…)`` and ``Kind(…)``, with its place."""
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, GatewayError)}
    for place, name, call in calls():
        if name in kinds:
            yield place, kinds[name], call


def variant_of(call: ast.Call) -> str:
    return str(call.args[0].value) if call.args and isinstance(call.args[0], ast.Constant) else ""


def looked_up() -> Iterator[Use]:
    for place, name, call in calls():
        if name == "Kind" and not place.startswith("backend/settings/"):
            continue  # those of the conversion options have their own words
        at, before = NAMES_A_KEY.get(name, (len(call.args), ""))
        if at < len(call.args):
            yield from (Use(place, before + word, keywords(call)) for word in words_of(call.args[at]))


def used_keys(known: set[str]) -> set[str]:
    """Those of ``known`` that something uses."""
    used = {use.key for use in looked_up()} | {"list_separator"}
    used |= {f"errors.{code}.{part}" for code in BY_CODE for part in PARTS_OF_A_CODE}
    used |= {f"settings.{each.metadata['env']}.{part}" for each in settings.table() for part in ("meaning", "default")}
    used |= {f"plain.{stage}" for stage in STAGES}
    used |= {f"key_command.{option}" for option in key_command.OPTIONS}
    used |= {key for key in known if key.startswith("variants.")}  # of what the codec calls them: test_variants
    used |= {f"usage.{word}" for word in (*usage.ROLES, *usage.COMMANDS)} | {f"usage.about.{part}" for part in ("head", "roles", "commands", "foot")}
    used |= {f"start_block.{row}.{part}" for row in start_block.ROWS for part in ("name", "what")}
    used |= set(keys_of_the_description())
    source = "".join(path.read_text("utf-8") for path in BACKEND.rglob("*.py"))
    variants = {key for key in known if re.fullmatch(r"errors\.\w+\.\w+\.(title|detail)", key)}
    return used | {key for key in variants if f'"{key.split(".")[2]}"' in source}


def keys_of_the_description() -> Iterator[str]:
    """Those of ``/api/openapi.json``, by the tables that it is made of."""
    for table, names in (("tags", TAGS), ("tag_names", TAGS), ("parameters", PARAMETERS), ("headers", HEADERS), ("options", options.schema())):
        yield from (f"api.{table}.{name}" for name in names)
    yield from (f"api.webhooks.{name}" for name in (*(event.replace(".", "_") for event in EVENTS), *RECEIVER_ANSWERS))
    for each in operations():
        yield f"api.operations.{each.id}.summary"
        for status, answer in each.answers.items():
            yield f"api.answers.{answer.shared}" if answer.shared else f"api.operations.{each.id}.{status}"
