"""What version 3.0 of AsyncAPI asks of a document, as far as ours goes: PyPI has no validator that knows it.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import jsonschema

from papers import ASYNCAPI, find, nodes, resolved

# The fields that an object may have, those that it must have marked with `!`.
FIELDS = {
    "root": "asyncapi! id info! servers defaultContentType channels operations components",
    "info": "title! version! description termsOfService contact license tags externalDocs",
    "server": "host! protocol! protocolVersion pathname description title summary variables security tags externalDocs bindings",
    "channel": "address messages title summary description servers parameters tags externalDocs bindings",
    "operation": "action! channel! title summary description security tags externalDocs bindings traits messages reply",
    "reply": "address channel messages",
    "message": "headers payload correlationId contentType name title summary description tags externalDocs bindings examples"
    " traits",
    "example": "headers payload name summary",
    "components": "schemas servers channels operations messages securitySchemes serverVariables parameters correlationIds"
    " replies replyAddresses externalDocs tags operationTraits messageTraits serverBindings channelBindings operationBindings"
    " messageBindings",
}


def faults() -> list[str]:
    """Everything that is wrong with the document, in words."""
    found: list[str] = []

    def fields(kind: str, path: str, node: dict) -> None:
        known = FIELDS[kind].split()
        required = {name.rstrip("!") for name in known if name.endswith("!")}
        found.extend(f"{path}: {name} is missing" for name in required - node.keys())
        found.extend(f"{path}: {name} is no field of this" for name in node.keys() - {name.rstrip("!") for name in known})

    def reference(path: str, node: dict, *allowed: str) -> None:
        if list(node) != ["$ref"] or not node["$ref"].startswith(tuple(f"#/{start}" for start in allowed)):
            found.append(f"{path}: must be a reference to {' or '.join(allowed)}")

    for path, node in nodes(ASYNCAPI):
        if isinstance(node, dict) and "$ref" in node:
            try:
                find(ASYNCAPI, node["$ref"])
            except (KeyError, TypeError):
                found.append(f"{path}: {node['$ref']} does not exist")
    if found:
        return found

    fields("root", "#", ASYNCAPI)
    if ASYNCAPI["asyncapi"] != "3.0.0":
        found.append("#/asyncapi: is not 3.0.0")
    fields("info", "#/info", ASYNCAPI["info"])
    fields("components", "#/components", ASYNCAPI["components"])
    for name, server in ASYNCAPI["servers"].items():
        fields("server", f"#/servers/{name}", server)
    for name, channel in ASYNCAPI["channels"].items():
        path = f"#/channels/{name}"
        fields("channel", path, channel)
        for server in channel["servers"]:
            reference(f"{path}/servers", server, "servers/")
        for message in channel["messages"].values():
            reference(f"{path}/messages", message, "components/messages/")
    for name, operation in ASYNCAPI["operations"].items():
        path = f"#/operations/{name}"
        fields("operation", path, operation)
        if operation["action"] not in ("send", "receive"):
            found.append(f"{path}: the action is neither send nor receive")
        for part in [operation, *([operation["reply"]] if "reply" in operation else [])]:
            reference(path, part["channel"], "channels/")
            for message in part["messages"]:
                # Those of the very channel, not the components that it names.
                reference(path, message, f"{part['channel']['$ref'][2:]}/messages/")
        if "reply" in operation:
            fields("reply", f"{path}/reply", operation["reply"])
    for name, message in ASYNCAPI["components"]["messages"].items():
        path = f"#/components/messages/{name}"
        fields("message", path, message)
        for example in message["examples"]:
            fields("example", f"{path}/examples", example)
    for schema in schemas():
        jsonschema.Draft202012Validator.check_schema(schema)
    return found


def schemas():
    yield from ASYNCAPI["components"]["schemas"].values()
    for message in ASYNCAPI["components"]["messages"].values():
        yield message["payload"]
        yield message.get("headers", {})
    for channel in ASYNCAPI["channels"].values():
        yield channel.get("bindings", {}).get("ws", {}).get("query", {})


def messages(action: str, channel: str) -> dict[str, dict]:
    """The messages that the hub sends or receives on a channel, by the type of their frame; replies are sent."""
    found = {}
    for operation in ASYNCAPI["operations"].values():
        parts = [operation] if operation["action"] == action else []
        parts += [operation["reply"]] if action == "send" and "reply" in operation else []
        for part in parts:
            if part["channel"]["$ref"] == f"#/channels/{channel}":
                for message in part["messages"]:
                    message = resolved(ASYNCAPI, message)
                    found[message["name"]] = message
    return found
