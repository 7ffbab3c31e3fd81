"""web/openapi.json: that it is what its version of OpenAPI asks for, and that it names what the server has."""

import re
import unittest
import urllib.parse

from openapi_spec_validator import OpenAPIV31SpecValidator

from papers import OPENAPI, ROOT, Hub, call, check, closed, nodes, operations, resolved, table_words


class DocumentTest(unittest.TestCase):
    def test_it_is_openapi(self):
        OpenAPIV31SpecValidator(OPENAPI).validate()

    def test_every_component_is_used(self):
        used = {node["$ref"] for _, node in nodes(OPENAPI) if isinstance(node, dict) and "$ref" in node}
        for kind, components in OPENAPI["components"].items():
            for name in components:
                self.assertIn(f"#/components/{kind}/{name}", used)

    def test_examples_are_what_their_schemas_say(self):
        document = closed(OPENAPI)
        for path, node in nodes(document):
            if not isinstance(node, dict) or "schema" not in node:
                continue
            examples = {name: resolved(document, example)["value"] for name, example in node.get("examples", {}).items()}
            if "example" in node:
                examples["example"] = node["example"]
            for name, value in examples.items():
                with self.subTest(path, example=name):
                    check(document, node["schema"], value)

    def test_every_answer_has_an_example(self):
        for path, method, operation, _ in operations():
            for status, answer in operation["responses"].items():
                for media, content in resolved(OPENAPI, answer).get("content", {}).items():
                    if "json" in media:
                        self.assertTrue(content.get("examples"), f"{method} {path} {status}")

    def test_operations_are_named_and_told(self):
        names = [operation["operationId"] for _, _, operation, _ in operations()]
        self.assertEqual(len(names), len(set(names)))
        tags = {tag["name"] for tag in OPENAPI["tags"]}
        self.assertEqual({tag for _, _, operation, _ in operations() for tag in operation["tags"]}, tags)

    def test_every_problem_code_is_there(self):
        codes = set(OPENAPI["components"]["schemas"]["ErrorCode"]["anyOf"][0]["enum"])
        self.assertEqual(set(table_words("| status | `error` | when")), codes)
        self.assertEqual({code for code in codes if code not in OPENAPI["components"]["examples"]}, set())
        lists = [node for _, node in nodes(OPENAPI["components"]["responses"]) if isinstance(node, list)]
        told = {code for code in codes if any(code in one for one in lists)}
        self.assertEqual(told, codes, "no answer has these")


class ServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Hub()
        cls.addClassCleanup(cls.hub.stop)

    def test_the_server_serves_it(self):
        answer = call(self.hub, "GET", "/openapi.json")
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(answer.json, OPENAPI)

    def test_it_has_the_methods_of_the_server(self):
        """A path answers 405 to a method that it does not have, and lists those that it has."""
        missing, other = [], {}
        for path, item in OPENAPI["paths"].items():
            methods = {method.upper() for method in item if method != "parameters"}
            methods |= {"OPTIONS", "HEAD"} if "GET" in methods else {"OPTIONS"}
            answer = call(self.hub, "PATCH", filled(path))
            allowed = set((answer.headers["Allow"] or "").split(", "))
            if answer.status == 404:
                missing.append(path)
            elif (answer.status, allowed) != (405, methods):
                other[path] = f"{answer.status}, {sorted(allowed)} and not {sorted(methods)}"
        self.assertEqual(missing, [], "the server has none of these")
        self.assertEqual(other, {})

    def test_it_has_the_paths_of_the_server(self):
        """The other way round: what stands in the server's own table."""
        written = {re.sub(r"{\w+}", "*", path) for path in OPENAPI["paths"]}
        self.assertEqual(served_paths() - written, set())


def served_paths() -> set[str]:
    """The paths of the server's table, `*` for any segment: rows in Routes.swift, some of them for both names of the inbox
    and for each of its verbs."""
    routes = ROOT / "Sources/CarillonHTTP/Routes"
    table = (routes / "Routes.swift").read_text(encoding="utf-8")
    constants = {"base": r"\(base)", **dict(re.findall(r'static let (\w+) = "(/[^"]+)"', table))}
    rows = [text or constants[name] for text, name in re.findall(r'\((?:"([^"]+)"|(\w+)), \[\.', table)]
    inbox = (routes / "InboxRoutes.swift").read_text(encoding="utf-8")
    bases = re.findall(r'\("(/api/[^"]+)", \.\w+\)', inbox)
    verbs = re.findall(r'"(\w+)"', re.search(r"static let verbs = \[(.*?)\]", inbox, re.DOTALL)[1])
    assert len(rows) > 10 and bases and verbs, "the table has another form now"
    paths = set()
    for row in rows:
        for base in bases:
            for verb in verbs:
                paths.add(row.replace("\\(base)", base).replace("\\($0)", verb))
    return paths


def filled(path: str) -> str:
    """`path` with the examples of its parameters."""
    examples = {p["name"]: p["example"] for name, p in OPENAPI["components"]["parameters"].items() if p["in"] == "path"}
    return re.sub(r"{(\w+)}", lambda match: urllib.parse.quote(str(examples[match[1]]), safe=""), path)


if __name__ == "__main__":
    unittest.main()
