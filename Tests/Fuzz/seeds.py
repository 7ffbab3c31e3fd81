"""Writes the inputs that the fuzzers begin with, a folder for each target, beside this file.

Inputs that found something are kept beside them under names that begin with `found-`; this script leaves them alone.
"""

import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent


def frame(first: int, payload: bytes, mask: bytes | None = b"\x01\x02\x03\x04", length: bytes | None = None) -> bytes:
    """A frame of RFC 6455; `length` replaces its shortest form."""
    flag = 0x80 if mask else 0
    if length is None:
        size = len(payload)
        if size < 126:
            length = bytes([size])
        elif size < 65_536:
            length = b"\x7e" + struct.pack(">H", size)
        else:
            length = b"\x7f" + struct.pack(">Q", size)
    if mask:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes([first, length[0] | flag]) + length[1:] + (mask or b"") + payload


TEXT, MORE, LAST, BINARY, CLOSE, PING, PONG = 0x81, 0x00, 0x80, 0x82, 0x88, 0x89, 0x8A
FIRST = 0x01
PARTY = "🎉".encode()
NOTIFICATION = b"550e8400-e29b-41d4-a716-446655440000"

WEBSOCKET = {
    "text": frame(TEXT, b'{"type":"sync.request"}'),
    "text-empty": frame(TEXT, b""),
    "text-126": frame(TEXT, b"a" * 126),
    "text-at-limit": frame(TEXT, b"a" * 300),
    "text-over-limit": frame(TEXT, b"a" * 301),
    "text-unmasked": frame(TEXT, b"hi", None),
    "text-not-utf8": frame(TEXT, b"a\xff"),
    "text-overlong": frame(TEXT, b"\xc0\x80"),
    "text-surrogate": frame(TEXT, b"\xed\xa0\x80"),
    "two-texts": frame(TEXT, b"one") + frame(TEXT, "zwölf".encode(), b"\x00\x00\x00\x00"),
    "fragments": frame(FIRST, b"Gr\xc3") + frame(PING, b"p") + frame(MORE, b"\xbc") + frame(PONG, b"") + frame(LAST, b"n"),
    "fragments-of-character": frame(FIRST, PARTY[:1]) + frame(MORE, PARTY[1:3]) + frame(LAST, PARTY[3:]),
    "fragments-cut-character": frame(FIRST, PARTY[:2]) + frame(LAST, b""),
    "fragments-at-limit": frame(FIRST, b"a" * 150) + frame(LAST, b"b" * 150),
    "fragments-over-limit": frame(FIRST, b"a" * 150) + frame(LAST, b"b" * 151),
    "fragment-inside-another": frame(FIRST, b"a") + frame(FIRST, b"b"),
    "nothing-to-continue": frame(LAST, b"a"),
    "binary": frame(BINARY, b"\x00\xff"),
    "pings": frame(PING, b"") + frame(PING, b"p" * 125) + frame(TEXT, b"x"),
    "ping-too-long": frame(PING, b"p" * 126),
    "ping-fragmented": frame(0x09, b"p"),
    "close-1000": frame(CLOSE, b"\x03\xe8bye"),
    "close-without-code": frame(PING, b"1") + frame(CLOSE, b"") + frame(TEXT, b"late"),
    "close-half-code": frame(CLOSE, b"\x03"),
    "close-forbidden-code": frame(CLOSE, b"\x03\xed"),
    "close-4999": frame(CLOSE, b"\x13\x87"),
    "close-reason-not-utf8": frame(CLOSE, b"\x03\xe8\xc3"),
    "reserved-bit": frame(0xC1, b"a"),
    "reserved-opcode": frame(0x83, b"a"),
    "length-not-shortest-16": frame(TEXT, b"a", length=b"\x7e\x00\x01"),
    "length-not-shortest-64": frame(TEXT, b"a", length=b"\x7f" + bytes(7) + b"\x01"),
    "length-claims-64-bits": frame(TEXT, b"a", length=b"\x7f" + b"\xff" * 8),
    "length-claims-63-bits": frame(TEXT, b"a", length=b"\x7f\x7f" + b"\xff" * 7),
}

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
READY = b'{"type":"ready","data":{"replayed":0}}'
PUSH = b'{"type":"notification.push","data":{"notification_id":"n","stream_id":"7-1","message":"hi","status":"unread","read":false}}'
SERVER = {
    "answer-and-frames": ANSWER + frame(TEXT, READY, None) + frame(PING, b"", None),
    "refusal": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n",
    "accepted": b"HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\nidempotent-replayed: true\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "length-no-number": b"HTTP/1.1 200 OK\r\ncontent-length: 1x\r\n\r\n",
    "no-colon": b"HTTP/1.1 200 OK\r\ncontent-length\r\n\r\n",
    "bare-line-feeds": b"HTTP/1.1 200 OK\n\n\r\n\r\n",
    "status-only": b"HTTP/1.1 200\r\n\r\n",
    "http-1.0": b"HTTP/1.0 200 OK\r\n\r\n",
    "frames": frame(TEXT, PUSH, None) + frame(BINARY, b"\x00", None) + frame(PONG, b"p", None) + frame(CLOSE, b"\x03\xe8", None),
    "frame-126": frame(TEXT, b"a" * 126, None),
    "frame-masked": frame(TEXT, b"a"),
    "frame-fragment": frame(FIRST, b"a", None),
    "frame-claims-much": frame(TEXT, b"", None, b"\x7f" + b"\xff" * 8),
    "ping-too-long": frame(PING, b"p" * 126, None),
    "message-push": PUSH,
    "message-error": b'{"type":"error","data":{"code":"busy","message":"later"}}',
}


def request(line: str = "POST /api/v1/notify HTTP/1.1", *fields: str, body: str = "", host: str = "Host: a.example") -> bytes:
    return "\r\n".join([line, *([host] if host else []), *fields, "", ""]).encode() + body.encode()


JSON = "Content-Type: application/json"
POST = "POST /api/v1/notify HTTP/1.1"
HTTP = {
    "usual": request(POST, JSON, "Content-Length: 2", body="{}"),
    "usual-many-fields": request(POST, "Accept: */*", "User-Agent: t/1.0", JSON + "; charset=utf-8", "X-Empty:", "Content-Length: 2", "Connection: keep-alive", "Idempotency-Key: \"8e03\"", body="{}"),
    "pipelined": 3 * request(POST, JSON, "Content-Length: 2", body="{}"),
    "closes": request(POST, JSON, "Content-Length: 2", "Connection: close", body="{}rest"),
    "pipelined-then-get": request(POST, JSON, "Content-Length: 0") + request("GET /health HTTP/1.1"),
    "body-at-limit": request(POST, JSON, "Content-Length: 64", body="x" * 64),
    "body-over-limit": request(POST, JSON, "Content-Length: 65", body="x" * 65),
    "body-in-part": request(POST, JSON, "Content-Length: 20", body="{"),
    "head-in-part": request(POST, JSON)[:-2],
    "chunked": request(POST, JSON, "Transfer-Encoding: chunked", body="2\r\n{}\r\n0\r\n\r\n"),
    "length-and-chunked": request(POST, JSON, "Content-Length: 2", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
    "chunked-after-strange-space": request(POST, JSON, "Transfer-Encoding:\vchunked", "Content-Length: 2", body="{}"),
    "lengths-differ": request(POST, JSON, "Content-Length: 2", "Content-Length: 3", body="{}"),
    "lengths-in-one": request(POST, JSON, "Content-Length: 2, 2", body="{}"),
    "length-plus": request(POST, JSON, "Content-Length: +2", body="{}"),
    "length-leading-zero": request(POST, JSON, "Content-Length: 02", body="{}"),
    "length-tab": request(POST, JSON, "Content-Length:\t2", body="{}"),
    "length-huge": request(POST, JSON, "Content-Length: 18446744073709551618", body="{}"),
    "folded": request(POST, JSON, "X: 1", " folded", "Content-Length: 2", body="{}"),
    "blank-before-colon": request(POST, JSON, "Content-Length : 2", body="{}"),
    "bare-line-feed": request(POST, JSON, "X: 1\nContent-Length: 2", "Content-Length: 0"),
    "bare-carriage-return": request(POST, JSON, "X: 1\rContent-Length: 2", "Content-Length: 0"),
    "zero-byte": request(POST, JSON, "X: a\0b", "Content-Length: 0"),
    "two-hosts": request(POST, "Host: b.example", JSON, "Content-Length: 0"),
    "no-host": request(POST, JSON, "Content-Length: 0", host=""),
    "expect": request(POST, JSON, "Expect: 100-continue", "Content-Length: 2"),
    "upgrade": request(POST, JSON, "Connection: upgrade", "Upgrade: websocket", "Content-Length: 0"),
    "connection-list": request(POST, JSON, "Connection: close, te", "Content-Length: 0"),
    "http-1.0": request("POST /api/v1/notify HTTP/1.0", JSON, "Content-Length: 0"),
    "websocket": request("GET /ws?user_id=1&login=alice HTTP/1.1", "Upgrade: websocket"),
    "websocket-longer-path": request("GET /wsx HTTP/1.1"),
    "other": request("GET /health HTTP/1.1"),
}

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", KEY]
GET = "GET /ws?user_id=1&login=alice HTTP/1.1"
HANDSHAKE = {
    "usual": request(GET, *UPGRADE),
    "with-frames": request(GET, *UPGRADE) + frame(TEXT, b"{}") + frame(PING, b"p"),
    "no-query": request("GET /ws HTTP/1.1", *UPGRADE),
    "subprotocol": request(GET, *UPGRADE, "Sec-WebSocket-Protocol: x, notifications.v1+json", "Origin: http://a.example"),
    "lists": request(GET, "Upgrade: h2c, WebSocket", "Connection: keep-alive, Upgrade", *UPGRADE[2:]),
    "length-zero": request(GET, *UPGRADE, "Content-Length: 0"),
    "length-twice": request(GET, *UPGRADE, "Content-Length: 0", "Content-Length: 0"),
    "body": request(GET, *UPGRADE, "Content-Length: 2", body="{}"),
    "chunked": request(GET, *UPGRADE, "Transfer-Encoding: chunked"),
    "key-twice": request(GET, *UPGRADE, KEY),
    "key-short": request(GET, *UPGRADE[:3], "Sec-WebSocket-Key: dGhl"),
    "version-8": request(GET, *UPGRADE[:2], "Sec-WebSocket-Version: 8", KEY),
    "no-upgrade": request(GET),
    "no-host": request(GET, *UPGRADE, host=""),
    "other-path": request("GET /wss HTTP/1.1", *UPGRADE),
    "post": request("POST /ws HTTP/1.1", *UPGRADE),
    "http-1.0": request("GET /ws HTTP/1.0", *UPGRADE),
    "fragment-in-target": request("GET /ws?a#b HTTP/1.1", *UPGRADE),
    "two-blanks": request("GET  /ws HTTP/1.1", *UPGRADE),
    "folded": request(GET, "X: 1", " 2", *UPGRADE),
    "bare-line-feed": request(GET, *UPGRADE).replace(b"\r\nUpgrade", b"\nUpgrade"),
    "control-character": request(GET, "X: \x01", *UPGRADE),
    "latin-1": request(GET, "X: \u00fc", *UPGRADE),
    "tabs": request(GET, "Upgrade:\twebsocket\t", *UPGRADE[1:]),
    "head-at-limit": request(GET, *UPGRADE, "X: " + "x" * (512 - len(request(GET, *UPGRADE, "X: ")))),
    "head-over-limit": request(GET, *UPGRADE, "X: " + "x" * (513 - len(request(GET, *UPGRADE, "X: ")))),
    "endless": b"GET /ws HTTP/1.1\r\n" + b"X: 1\r\n" * 90,
}

DOCUMENTS = {
    "everything": '{"a":[1,-2.5,3e4,0.1E-2,true,false,null,[],{}],"":"","b":"Gr\u00fc\u00dfe \\"\U0001f600\\" \\u00e9\\ud83d\\ude00\\n\\/\\b\\f\\r\\t"}',
    "spaces": " \t\r\n{ \"a\" : [ 1 , 2 ] }\n",
    "text": '"x"',
    "number": "-0.0e+00",
    "largest-integer": "9223372036854775807",
    "beyond-integers": "[9223372036854775808,-9223372036854775808,1e308]",
    "beyond-doubles": "[1e309,-1e999,1e-999]",
    "leading-zero": "[01]",
    "lone-minus": "[-]",
    "no-digits": "[1.,.5,1e]",
    "comma-at-end": '{"a":[1,],}',
    "comma-alone": "[,]",
    "name-twice": '{"a":1,"a":2,"\\u0061":3}',
    "names-of-one-look": '{"\u00e9":1,"e\u0301":2}',
    "lone-surrogate": '["\\ud800","\\udc00"]',
    "surrogates-swapped": '"\\udc00\\ud800"',
    "escape-unknown": '"\\x"',
    "escape-cut": '"\\u00',
    "control-character": '"a\tb"',
    "zero-escaped": '"\\u0000"',
    "noncharacter": '"\\uffff\U0010ffff"',
    "nested-64": "[" * 64 + "]" * 64,
    "nested-65": "[" * 65 + "]" * 65,
    "byte-order-mark-in-text": '["\ufeffa","\\ufeffa"]',
    "two-documents": "{}{}",
    "words": "[true,false,null,nul]",
}
JSON_INPUTS = {name: text.encode() for name, text in DOCUMENTS.items()} | {
    "byte-order-mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"a":1}'.encode("utf-16-le"),
    "not-utf8": b'"\xff"',
    "overlong": b'"\xc0\xaf"',
    "surrogate-in-utf8": b'"\xed\xa0\x80"',
    "empty": b"",
}

TARGET = '"target":[{"id":1,"login":"alice"}]'
MESSAGES = {
    "post": '{' + TARGET + ',"message":"hello"}',
    "post-everything": '{' + TARGET + ',"message":"a\\"b","created_at":"2024-01-01T12:00:00+01:00","source":"s","title":"t","type":"order.shipped","channel":"orders","priority":"high","data":{"a":[1]},"ttl_seconds":900,"collapse_key":"k"}',
    "post-aliases": '{"recipients":[{"id":1,"login":"a"}],"content":"hi","metadata":{},"event_type":"e"}',
    "post-content-as-data": '{' + TARGET + ',"message":"m","content":{"x":1}}',
    "post-channel": '{"audience":{"channel":"orders"},"message":"m"}',
    "post-all": '{"audience":{"all":true},"message":"m"}',
    "post-text-id": '{"target":[{"id":"u-1","login":"a"}],"message":"m"}',
    "post-both": '{' + TARGET + ',"audience":{"all":true},"message":"m"}',
    "post-names-escaped": '{"t\\u0061rget":[{"i\\u0064":1,"login":"\\u0061"}],"m\\u0065ssage":"m"}',
    "post-names-twice": '{"message":"one",' + TARGET + ',"message":"two","target":[{"id":2,"login":"b"}]}',
    "post-wrong": '{"target":[{},1,{"id":-1,"login":""}],"message":1,"ttl_seconds":0,"priority":"x"}',
    "post-message-over-limit": '{' + TARGET + ',"message":"' + "m" * 201 + '"}',
    "post-time-with-fraction": '{' + TARGET + ',"message":"m","created_at":"2024-12-31T23:59:60.5Z"}',
    "stored": '{"notification_id":"n","message":"m","created_at":"2024-01-01T12:00:00Z","source":"","target":{"id":1,"login":"alice"},"title":"t"}',
    "stored-odd": '{"message":1,"data":[],"target":{"id":"x","login":"\\u0000"},"audience":{"channel":" "},"data":{"a":{}}}',
    "read": '{"type":"notification.read","data":{"notification_id":"n","stream_id":"7-1"}}',
    "read-many": '{"type":"notification.read","data":[{"notification_id":"n","stream_id":"7-1"},{"notification_id":"m","stream_id":"8-0@orders"}]}',
    "sync": '{"type":"sync.request","data":{"limit":1e3,"before":"9-0","since":null}}',
    "retention": '{"type":"retention.set","data":{"days":15}}',
    "subscribe": '{"type":"subscribe","data":{"channels":["orders","orders","news"]}}',
    "subscribe-v1": '{"type":"subscribe","data":{"userId":"1","channels":["orders"]}}',
    "ack-v1": '{"type":"ack","data":{"notificationId":"n"}}',
    "missed-v1": '{"type":"requestMissedNotifications","data":{"since":"2024-01-01T12:00:00Z"}}',
    "unknown": '{"type":"a\\"b\\u0000","data":1}',
}

REDIS = {
    "simple": b"+OK\r\n:42\r\n:-7\r\n-ERR no such key\r\n",
    "strings": b"$5\r\nhello\r\n$0\r\n\r\n$-1\r\n$4\r\n\r\n\r\n\r\n",
    "arrays": b"*0\r\n*-1\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
    "stream-entry": b"*1\r\n*2\r\n$3\r\nbus\r\n*1\r\n*2\r\n$15\r\n1700000000123-0\r\n*2\r\n$1\r\nd\r\n$6\r\nprobe\n\r\n",
    "error-inside": b"*2\r\n:1\r\n-WRONGTYPE x\r\n",
    "nested-8": b"*1\r\n" * 8 + b":1\r\n",
    "nested-9": b"*1\r\n" * 9 + b":1\r\n",
    "integer-largest": b":9223372036854775807\r\n:-9223372036854775808\r\n",
    "integer-too-large": b":9223372036854775808\r\n",
    "integer-leading-zero": b":01\r\n",
    "integer-minus-zero": b":-0\r\n",
    "integer-empty": b":\r\n",
    "length-negative": b"$-2\r\n",
    "length-claims-much": b"$9223372036854775807\r\nx",
    "array-claims-much": b"*1000000\r\n:1\r\n",
    "array-claims-too-much": b"*2147483648\r\n",
    "carriage-return-inside": b"+a\rb\r\n",
    "string-without-end": b"$1\r\nxyz+OK\r\n",
    "not-utf8": b"+\xff\r\n$1\r\n\xff\r\n",
    "resp3": b"%1\r\n+a\r\n:1\r\n_\r\n",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
}

TEXTS = {
    "query": "user_id=1&login=alice&since=1640995200000-0,5-0@,7-1@orders",
    "query-escaped": "user_id=%75-1&login=a%2Bb&channels=a,%C3%A9",
    "query-broken": "a=%&b=%zz&c=%ff&d=%C3&=&&e",
    "query-inbox": "limit=100&offset=0&unread_only=true&archived=any&type=a,b&from=2024-01-01T00:00:00Z&to=2025-01-01T00:00:00%2B01:00&q=x",
    "query-cursor": "cursor=7-1@orders&wait=60",
    "query-page": "page=3&limit=20",
    "stream-id": "1640995200000-0",
    "stream-id-short": "5",
    "stream-id-largest": "18446744073709551615-18446744073709551615",
    "stream-id-too-large": "18446744073709551616-0",
    "stream-id-zeros": "0005-00",
    "place": "7-1@orders",
    "place-everybody": "7-1@",
    "positions": "1-1,2-2@,3-3@orders,4-4@\u00e9,5-5@e\u0301",
    "topic": "or\u00e9ders/\U0001f389",
    "time": "2024-02-29T23:59:60.123456789+23:59",
    "time-first": "0000-01-01T00:00:00Z",
    "time-last": "9999-12-31T23:59:59.999z",
    "time-below": "0000-01-01T00:00:00+00:01",
    "time-before-1970": "1969-12-31t23:59:59.5-00:00",
    "time-no-leap-year": "1900-02-29T00:00:00Z",
    "user-key": "1-alice",
    "user-key-escaped": "a%2Db%7B-alice-2",
    "user-key-broken": "%-%zz",
    "user-id": "9223372036854775807",
    "user-id-too-large": "9223372036854775808",
    "user-id-text": "u:{1}-%\u00fc",
    "origins": "https://app.example, http://localhost:3000,https://[::1]:8443,moz-extension://0a",
    "origins-default-ports": "HTTP://A.example:80,https://b.example:443",
    "origins-odd": "http://a:,http://[1],://,a://b/c",
    "field-read": "read:550e8400-e29b-41d4-a716-446655440000",
    "field-subscription": "sub:orders",
    "combining-mark": "\u0301x",
    "query-combining-mark": "channels=a,%CC%81b&since=7-1@%CC%81x",
    "quotes": "a\"b\\c\x01\x7f\u2028",
}

BUS = {
    "push": 'push 1-alice 7-1 0-0 n {"a b":"\u00e9"}\n',
    "push-without-payload": "push 1-alice 7-1 ? n\n",
    "push-without-id": "push 1-alice 7-1 0-0  {}\n",
    "push-large": "push 1-alice 7-1 0-0 n " + "x" * 4_097 + "\n",
    "read": "read 1-alice 7-1 n 1\ncleared 1-alice 7-1 n\n",
    "inbox": "inbox 1-alice snooze 99 7-1 n 8-0 m\ninbox 1-alice count -\n",
    "inbox-unknown-action": "inbox 1-alice pin - 7-1 n\n",
    "inbox-odd-number": "inbox 1-alice snooze +07 7 n\n",
    "topic": "topic @orders 7-1 0-0 n {}\ntopic @ 7-1 ? n\n",
    "topic-inbox": "topicinbox 1-alice seen - @orders 7-1 n\n",
    "topic-read": "topicread 1-alice @orders 7-1 n\ntopics 1-alice\n",
    "withdrawn": "withdrawn @ withdraw 7-1 n\nwithdrawn @orders collapse 7-1 n\n",
    "changed": "changed 1-alice\ntidings 1-alice x\n",
    "words": "joined\nrestarted\nresync\nprobe\n",
    "cut": "push 1-alice 7-1",
    "empty-line": "probe\n\n",
    "name-with-cr-lf": "1-a\r\nprobe",
    "name-with-combining-mark": "\u0301-a",
    "name-with-blank": "1-a b",
    "blanks": "push  1-alice  7-1\nread 1-alice 7-1  n\n",
}

TARGETS = {
    "websocket": WEBSOCKET,
    "handshake": HANDSHAKE,
    "server-frames": SERVER,
    "http": HTTP,
    "json": JSON_INPUTS,
    "messages": MESSAGES,
    "redis": REDIS,
    "texts": TEXTS,
    "bus": BUS,
}


def main() -> None:
    for target, inputs in TARGETS.items():
        folder = HERE / target
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith("found-"):
                old.unlink()
        for name, content in inputs.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


main()
