"""Requests that schemathesis makes of web/openapi.json, right ones and wrong ones, against a real server."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from papers import OPENAPI, Hub, closed

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)
EXAMPLES = 8
SEED = 20240101
# They answer with streams without end, which the scripted sessions are for.
STREAMS = ("/ws", "/api/v1/stream")


def document() -> dict:
    """What is asked for: nothing that waits, and no member in an answer that nobody described."""
    document = closed(OPENAPI)
    for path in STREAMS:
        del document["paths"][path]
    document["components"]["parameters"]["Wait"]["schema"]["maximum"] = 0
    return document


class FuzzTest(unittest.TestCase):
    def test_no_answer_is_outside_the_document(self):
        # Under `text` an id may be all that the document says.
        hub = Hub(USER_IDS="text")
        self.addCleanup(hub.stop)
        folder = tempfile.TemporaryDirectory(prefix="carillon-papers-")
        self.addCleanup(folder.cleanup)
        openapi = pathlib.Path(folder.name, "openapi.json")
        openapi.write_text(json.dumps(document()))
        run = subprocess.run(
            [
                str(pathlib.Path(sys.executable).with_name("st")),
                "run",
                str(openapi),
                f"--url={hub.url}",
                f"--checks={','.join(CHECKS)}",
                f"--max-examples={EXAMPLES}",
                f"--seed={SEED}",
                "--phases=examples,coverage,fuzzing",
                "--continue-on-failure",
                "--no-shrink",
                "--request-timeout=10",
                "--suppress-health-check=all",
                "--warnings=off",
                "--no-color",
            ],
            cwd=folder.name,
            capture_output=True,
            text=True,
        )
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr + hub.server_log()[-2000:])


if __name__ == "__main__":
    unittest.main()
