// Frames over a WebSocket, the way of choice.

import { parse, stringify } from "../lossless.js";
import { meaningOfClose } from "./closes.js";

/**
 * Runs one connection until it ends.
 *
 * @param {import("./hub.js").Hub} hub
 * @param {object} context
 * @param {object} context.parameters `since` and so on
 * @param {number} context.patienceMs silence after which `isStuck` is asked
 * @param {(say?: (frame: object) => void) => void} context.opened
 * @param {(frame: object) => void} context.heard
 * @param {(text: string) => void} context.garbled
 * @param {() => Promise<boolean>} context.isStuck whether the hub answers otherwise, so that this way is blocked
 * @param {AbortSignal} context.signal
 * @returns {Promise<object>} see closes.js, and `blocked`
 */
export function runWebSocket(hub, { parameters, patienceMs, opened, heard, garbled, isStuck, signal }) {
  return new Promise((resolve) => {
    const socket = new WebSocket(hub.webSocketAddress(parameters));
    let isOpen = false;
    let timer;

    const end = (meaning) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      resolve(meaning);
      // After `resolve`, so that what `close` causes comes too late to matter.
      socket.close(1000);
    };
    const stop = () => end({ reason: "closed by the page", code: 1000 });
    const wait = () => {
      timer = setTimeout(async () => {
        if (await isStuck()) end({ blocked: true, reason: isOpen ? "nothing came over the WebSocket" : "no WebSocket came about" });
        else wait();
      }, patienceMs);
    };

    signal.addEventListener("abort", stop);
    socket.addEventListener("open", () => {
      isOpen = true;
      opened((frame) => socket.readyState === WebSocket.OPEN && socket.send(stringify(frame)));
    });
    socket.addEventListener("message", ({ data }) => {
      clearTimeout(timer);
      if (signal.aborted) return;
      let frame;
      try {
        frame = parse(data);
      } catch (error) {
        garbled(error.message);
        return;
      }
      heard(frame);
    });
    // Browsers do not tell why a handshake failed.
    socket.addEventListener("close", ({ code, reason }) => end({ ...meaningOfClose(code, reason), neverOpened: !isOpen }));
    wait();
  });
}
