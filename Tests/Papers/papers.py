"""The two documents that tools read, and what the tests need to judge answers by them."""

import copy
import datetime
import json
import pathlib
import re
import socket
import sys
import urllib.error
import urllib.request

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Browser"))

from harness import Hub, eventually  # noqa: E402, F401  the tests take them from here

OPENAPI = json.loads((ROOT / "web/openapi.json").read_text(encoding="utf-8"))
ASYNCAPI = json.loads((ROOT / "web/asyncapi.json").read_text(encoding="utf-8"))
PROTOCOL = (ROOT / "docs/PROTOCOL.md").read_text(encoding="utf-8")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def find(document: dict, reference: str):
    """What a `#/…` reference names."""
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def resolved(document: dict, node: dict) -> dict:
    while "$ref" in node:
        node = find(document, node["$ref"])
    return node


def nodes(node, path="#"):
    """Every object and array below `node` with its path."""
    if isinstance(node, (dict, list)):
        yield path, node
        for name, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from nodes(child, f"{path}/{name}")


def operations():
    """Every operation of the OpenAPI document: path, method, operation, and its parameters with those of the path."""
    for path, item in OPENAPI["paths"].items():
        for method in METHODS:
            if method in item:
                given = [*item.get("parameters", []), *item[method].get("parameters", [])]
                yield path, method, item[method], [resolved(OPENAPI, parameter) for parameter in given]


def closed(document: dict) -> dict:
    """A copy in which objects have no other members than those that are described.

    Readers ignore what they do not know, so the documents leave objects open. A test wants to hear of a member that
    nobody described. What is sent to the hub stays open: it ignores unknown members by contract.
    """
    document = copy.deepcopy(document)
    open_names = {name for name in document["components"]["schemas"] if name.endswith("Request")}
    for path, node in nodes(document):
        if not isinstance(node, dict) or node.get("type") != "object" or "properties" not in node:
            continue
        if not any(path.startswith(f"#/components/schemas/{name}") for name in open_names):
            node.setdefault("additionalProperties", False)
    return document


def check(document: dict, schema: dict, value) -> None:
    """Raises where `value` is not what `schema`, a part of `document`, says."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"], **schema}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(value)


def table_words(heading: str) -> list[str]:
    """The words in backquotes of the table whose head begins with `heading`, from the first column that has any."""
    rows = re.search(rf"^{re.escape(heading)}.*\n\| ---.*\n((?:\|.*\n)+)", PROTOCOL, re.MULTILINE)[1]
    words = []
    for row in rows.splitlines():
        cell = next(cell for cell in row.split("|") if "`" in cell)
        words += re.findall(r"`([\w.]+)`", cell)
    return words


class Answer:
    def __init__(self, status: int, headers, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


def call(hub: Hub, method: str, path: str, body=None, **headers: str) -> Answer:
    """One request; a status of 400 or more is an answer like any other."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        named.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(hub.url + path, data=data, headers=named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def redis(hub: Hub, *words: str) -> None:
    """One command for the Redis of a hub."""
    with socket.create_connection(("127.0.0.1", hub.redis_port), timeout=10) as link:
        link.sendall(" ".join(words).encode() + b"\r\n")
        link.recv(64)


def in_an_hour() -> str:
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()
