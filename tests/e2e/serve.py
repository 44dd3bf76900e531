#!/usr/bin/env python3
"""Serves the files of a directory on the loopback, badly where a path says so.

    serve.py DIRECTORY [CERTIFICATE KEY]

Prints the port and runs until its input ends.

    /x              the file, with a strong ETag, and ranges
    /404            there is nothing
    /broken/x       ends early each time, after half of what is asked for
    /once/x         ends early the first time
    /weak/x         ends early each time, and has no ETag
    /hang           headers, and then nothing
    /to?URL         a redirect
    /large          a body without end
"""
import hashlib
import http.server
import pathlib
import ssl
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(sys.argv[1])
seen = set()


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.close_connection = True
        path, _, query = self.path.partition("?")
        kind, _, name = path.lstrip("/").partition("/")
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", urllib.parse.unquote(query))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif kind == "hang":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.flush()
            time.sleep(60)
        elif kind == "large":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            while True:
                self.wfile.write(b"\0" * 65536)
        else:
            self.send_file(kind if name else "", name or kind)

    def send_file(self, how, name):
        file = ROOT / name
        if not file.is_file():
            self.send_error(404)
            return
        data = file.read_bytes()
        tag = '"%s"' % hashlib.sha256(data).hexdigest()[:16]
        begin = 0
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and self.headers.get("If-Range") == tag:
            begin = int(wanted[6:].split("-")[0])
        self.send_response(206 if begin else 200)
        if how != "weak":
            self.send_header("ETag", tag)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        part = data[begin:]
        first = self.path not in seen
        seen.add(self.path)
        if how in ("broken", "weak") or (how == "once" and first):
            part = part[:max(1, len(part) // 2)]
        self.wfile.write(part)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
