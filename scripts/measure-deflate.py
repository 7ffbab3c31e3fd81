#!/usr/bin/env python3
"""What permessage-deflate (RFC 7692) would cost per push, and save: zlib alone, on frames as the hub writes them.

`fresh` compresses each message on its own (no context takeover, so no memory per device), `kept` goes on with the window of the
messages before, which has to be kept for each device."""

import json
import random
import time
import uuid
import zlib

FRAMES = 5_000
WORDS = (
    "your order has been shipped and will arrive tomorrow between ten and noon please sign for it at the door thank you"
).split()


def frame(words: int) -> bytes:
    data = {
        "notification_id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
        "stream_id": f"{1_795_313_181_525 + random.randrange(10**6)}-0",
        "message": " ".join(random.choice(WORDS) for _ in range(words)),
        "created_at": "2026-11-22T02:06:21.525Z",
        "source": "orders",
        "status": "unread",
        "read": False,
    }
    return json.dumps({"type": "notification.push", "data": data}, separators=(",", ":")).encode()


def measure(frames: list[bytes], window_bits: int, memory_level: int, keeps: bool) -> tuple[float, float]:
    """Microseconds per frame, and what is left of its bytes."""
    empty = zlib.compressobj(1, zlib.DEFLATED, -window_bits, memory_level)
    state, left = empty, 0
    started = time.process_time()
    for text in frames:
        state = state if keeps else empty.copy()
        # RFC 7692 section 7.2.1: the four bytes that end a flush are not sent.
        left += len(state.compress(text)) + len(state.flush(zlib.Z_SYNC_FLUSH)) - 4
    return (time.process_time() - started) / len(frames) * 1e6, left / sum(map(len, frames))


random.seed(1)
print("frame    window  state per device  fresh           kept")
for words in (8, 36, 360):
    frames = [frame(words) for _ in range(FRAMES)]
    size = sum(map(len, frames)) // FRAMES
    for window_bits, memory_level in ((15, 8), (9, 1)):
        state = (1 << (window_bits + 2)) + (1 << (memory_level + 9))
        fresh, kept = (measure(frames, window_bits, memory_level, keeps) for keeps in (False, True))
        print(
            f"{size:5} B  {1 << window_bits:5} B  {state:14} B  "
            f"{fresh[0]:5.1f} us, {fresh[1]:4.0%}  {kept[0]:5.1f} us, {kept[1]:4.0%}"
        )
