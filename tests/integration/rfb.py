# SPDX-License-Identifier: Apache-2.0
"""A WebSocket (RFC 6455) client just large enough to speak RFB (RFC 6143) through nova-novncproxy."""
import base64
import os
import socket
import struct
import urllib.parse


class WebSocket:
    """Binary messages over one connection; recv(n) gives exactly n bytes of the stream they make."""

    def __init__(self, url, seconds=20):
        parts = urllib.parse.urlsplit(url)
        query = urllib.parse.parse_qs(parts.query)
        path = query["path"][0] if "path" in query else "?" + parts.query
        self.socket = socket.create_connection((parts.hostname, parts.port), seconds)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /{path.lstrip('/')} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                             f"Sec-WebSocket-Protocol: binary\r\nOrigin: http://{parts.netloc}\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.socket.recv(1)
            if not more:
                raise ConnectionError(f"closed during the upgrade: {head!r}")
            head += more
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise ConnectionError(f"refused: {head.splitlines()[0].decode()}")
        self.buffer = b""

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError("closed by the proxy")
            data += more
        return data

    def frame(self):
        first, second = self.exactly(2)
        size = second & 127
        if size == 126:
            size = struct.unpack(">H", self.exactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.exactly(8))[0]
        data = self.exactly(size)
        if first & 15 == 8:
            raise ConnectionError(f"closed by the proxy: {data[2:].decode(errors='replace')}")
        return data

    def recv(self, count):
        while len(self.buffer) < count:
            self.buffer += self.frame()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def send(self, data):
        mask = os.urandom(4)
        self.socket.sendall(struct.pack(">BB", 0x82, 0x80 | len(data)) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def close(self):
        self.socket.close()


def handshake(url):
    """The RFB handshake to its end: (name of the desktop, width, height)."""
    web = WebSocket(url)
    try:
        version = web.recv(12)
        if not version.startswith(b"RFB 003."):
            raise AssertionError(f"no RFB greeting but {version!r}")
        web.send(b"RFB 003.008\n")
        count = web.recv(1)[0]
        types = web.recv(count)
        if 1 not in types:
            raise AssertionError(f"security type None is not offered: {list(types)}")
        web.send(b"\x01")
        if struct.unpack(">I", web.recv(4))[0] != 0:
            raise AssertionError("the security handshake failed")
        web.send(b"\x01")  # shared
        width, height = struct.unpack(">HH", web.recv(4))
        web.recv(16)
        name = web.recv(struct.unpack(">I", web.recv(4))[0]).decode()
        return name, width, height
    finally:
        web.close()
