#!/usr/bin/env python3
"""Sends a notification to users: send.py "Your order has been shipped" 1:alice 2:bob

CARILLON_URL says where the hub is (http://localhost:8080). Prints a line for each user: who, and the notification's id.
"""

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("CARILLON_URL", "http://localhost:8080") + "/api/v1/notify"
ATTEMPTS = 5


class Refused(Exception):
    """What the hub says of a request that it will not take."""


def send(message: str, users: list[dict], **more) -> list[dict]:
    """Stores one notification for each user and returns the rows of the answer.

    All attempts carry the same key, so the hub stores each notification once, however often it is asked.
    """
    body = json.dumps({"target": users, "message": message, **more}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    pause = 1.0
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(urllib.request.Request(URL, body, headers), timeout=10) as answer:
                return json.load(answer)["results"]
        except urllib.error.HTTPError as error:
            with error:
                problem = describe(error)
                # 409: an attempt that seemed lost is still under way.
                if error.code not in (409, 503):
                    raise Refused(problem) from None
                pause = float(error.headers.get("Retry-After") or pause)
        except (OSError, http.client.HTTPException) as error:
            problem = str(error)
        if attempt < ATTEMPTS:
            print(f"{problem}; trying again in {pause:g} s", file=sys.stderr)
            time.sleep(pause)
            pause = min(pause * 2, 30)
    raise Refused(f"given up after {ATTEMPTS} attempts: {problem}")


def describe(error: urllib.error.HTTPError) -> str:
    """The words of an application/problem+json answer, with what is wrong where."""
    try:
        problem = json.load(error)
        lines = [f"{problem['status']} {problem['error']}: {problem['detail']}"]
        return "\n".join(lines + [f"  {field['pointer']}: {field['detail']}" for field in problem.get("errors", [])])
    except (ValueError, KeyError):
        return f"{error.code} {error.reason}"


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 64
    users = []
    for text in sys.argv[2:]:
        number, _, login = text.partition(":")
        users.append({"id": int(number) if number.isdecimal() else number, "login": login})
    try:
        for row in send(sys.argv[1], users, source="example"):
            print(f"{row['target']['id']}:{row['target']['login']}", row["notification_id"])
    except Refused as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
