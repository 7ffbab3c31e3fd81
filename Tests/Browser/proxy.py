"""What stands between some browsers and the hub: a proxy that lets no WebSocket through, and one that buffers streams as well."""

import http.client
import http.server
import threading
import urllib.parse

# Those belong to one connection, not to what passes through.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "content-length"}


class Proxy:
    """Listens on a port of its own and asks the hub. `paths` collects what was asked for."""

    def __init__(self, hub_url: str, buffers_streams: bool = False):
        self.hub = urllib.parse.urlsplit(hub_url)
        self.buffers_streams = buffers_streams
        self.paths: list[str] = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"proxy": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def do_GET(self):  # noqa: N802, the name that http.server asks for
        self.proxy.paths.append(self.path)
        if self.headers.get("Upgrade"):
            self.send_error(403, "no WebSockets here")
            return
        upstream = http.client.HTTPConnection(self.proxy.hub.hostname, self.proxy.hub.port, timeout=120)
        try:
            self._pass(upstream)
        except OSError:
            # One of the two sides went away.
            self.close_connection = True
        finally:
            upstream.close()

    do_PUT = do_POST = do_DELETE = do_OPTIONS = do_GET  # noqa: N815

    def _pass(self, upstream: http.client.HTTPConnection) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        is_stream = answer.getheader("Content-Type", "").startswith("text/event-stream")
        if is_stream and self.proxy.buffers_streams:
            # Until it has all of it, nothing is passed on.
            answer.read()
            self.close_connection = True
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if is_stream:
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            while piece := answer.read1(65536):
                self.wfile.write(piece)
            return
        content = answer.read()
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass
