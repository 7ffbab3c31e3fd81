"""web/asyncapi.json: that it is what its version of AsyncAPI asks for."""

import unittest

import asyncapi_rules
from papers import ASYNCAPI, OPENAPI, check, closed, nodes, table_words

DOCUMENT = closed(ASYNCAPI)


class DocumentTest(unittest.TestCase):
    def test_it_is_asyncapi(self):
        self.assertEqual(asyncapi_rules.faults(), [])

    def test_every_component_is_used(self):
        used = {node["$ref"] for _, node in nodes(ASYNCAPI) if isinstance(node, dict) and "$ref" in node}
        for kind, components in ASYNCAPI["components"].items():
            for name in components:
                self.assertIn(f"#/components/{kind}/{name}", used)

    def test_examples_are_what_their_schemas_say(self):
        for name, message in DOCUMENT["components"]["messages"].items():
            for example in message["examples"]:
                with self.subTest(name, example=example):
                    check(DOCUMENT, message["payload"], example["payload"])
                    if "headers" in message:
                        check(DOCUMENT, message["headers"], example["headers"])

    def test_schemas_of_both_documents_are_the_same(self):
        ours, theirs = ASYNCAPI["components"]["schemas"], OPENAPI["components"]["schemas"]
        for name in ("Channels", "StreamId", "StreamPositions", "NotificationId", "UserId", "Login", "Time", "Priority", "Topic"):
            self.assertEqual(ours[name], theirs[name], name)

    def test_every_frame_and_code_of_the_contract_is_there(self):
        codes = ASYNCAPI["components"]["schemas"]["Refusal"]["properties"]["code"]["enum"]
        self.assertEqual(set(table_words("| `code` of an `error` | meaning")) - set(codes), set())
        for action, table in (("send", "| `type` | `data` | when"), ("receive", "| `type` | `data` | effect")):
            self.assertEqual(set(table_words(table)) - set(asyncapi_rules.messages(action, "webSocket")), set())

    def test_every_frame_of_the_subprotocol_is_there(self):
        schemas = ASYNCAPI["components"]["schemas"]
        codes = schemas["Refusal"]["properties"]["code"]["enum"]
        self.assertEqual(schemas["RefusalV1"]["properties"]["code"]["enum"], codes)
        statuses = schemas["NotificationStatusV1"]["properties"]["status"]["enum"]
        self.assertEqual(table_words("| `status` | the notification"), statuses)
        for action, table in (("send", "| `type` that devices hear"), ("receive", "| `type` that devices say")):
            self.assertEqual(set(table_words(table)), set(asyncapi_rules.messages(action, "notifications")))

    def test_every_close_code_of_the_contract_is_told(self):
        description = ASYNCAPI["channels"]["webSocket"]["description"]
        for reason in ("going away", "no answer to two pings", "too slow", "too many messages", "resync needed"):
            self.assertIn(reason, description)
        for code in (1000, 1001, 1002, 1003, 1007, 1009, 1012, 1013, 4429):
            self.assertIn(str(code), description)


if __name__ == "__main__":
    unittest.main()
