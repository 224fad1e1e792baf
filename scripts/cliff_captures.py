"""Captures in which every exchange is unlike all others in one respect: what a program remembers does not help it there."""

import gzip
import random
import struct

START = 1_795_334_400 * 10**6
CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
CONNECTIONS = 64
SEGMENT = 1400


class Capture:
    """A pcap file with plain TCP segments on a few kept-alive connections."""

    def __init__(self, out):
        self.out, self.now, self.sequences = out, START, {}
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def frame(self, upwards, port, sequence, acknowledged, payload):
        source, target = (CLIENT, SERVER) if upwards else (SERVER, CLIENT)
        ports = (port, 80) if upwards else (80, port)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0, source, target)
        tcp = struct.pack(">HHIIBBHHH", *ports, sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF, 0x50, 0x18, 65535, 0, 0)
        frame = b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + ip + tcp + payload
        self.now += 10
        self.out.write(struct.pack("<IIII", self.now // 10**6, self.now % 10**6, len(frame), len(frame)) + frame)

    def exchange(self, number, request, response):
        port = 20_000 + number % CONNECTIONS
        sent, answered = self.sequences.get(port, (1, 1))
        for at in range(0, len(request), SEGMENT):
            part = request[at:at + SEGMENT]
            self.frame(True, port, sent, answered, part)
            sent += len(part)
        for at in range(0, len(response), SEGMENT):
            part = response[at:at + SEGMENT]
            self.frame(False, port, answered, sent, part)
            answered += len(part)
        self.sequences[port] = (sent, answered)


def word(number):
    return "".join(chr(97 + number // 26**place % 26) for place in range(5))


def words(chance, count):
    return b" ".join(word(chance.getrandbits(22)).encode() for _ in range(count))


def messages(kind, number, chance):
    """Path, host, more request fields, status, more response fields and the response's body."""
    path, host, fields, status, answer, body = "/v1/orders", "h.example", "", 403, "", b'{"error":"denied"}'
    if kind == "refusals":
        path, fields = f"/v1/orders/{number}?x={number}", f"Authorization: Bearer key-{number}\r\n"
        body = b'{"error":"denied %s"}' % words(chance, 2)
    elif kind == "field-names":
        fields = "".join(f"X-{word(number)}-{at}: v{at}\r\n" for at in range(90))
    elif kind == "error-bodies":
        body = b"<html><h1>Denied</h1><p>%s</p></html>" % words(chance, 150)
    elif kind == "gzip-bodies":
        text = b'{"error":"denied","list":["%s"]}' % words(chance, 2000).replace(b" ", b'","')
        body, answer = gzip.compress(text, 1), "Content-Encoding: gzip\r\n"
    elif kind == "paths":
        path, status = f"/{word(number % 700)}/{word(number)}/{word(number * 3)}", 200
    elif kind == "hosts":
        host, status = f"{word(number)}{number}.example", 200
    return path, host, fields, status, answer, body


# What differs, with the number of exchanges of the larger of two captures; the smaller has a quarter.
KINDS = {"refusals": 40_000, "field-names": 4_000, "error-bodies": 20_000, "gzip-bodies": 800, "paths": 80_000, "hosts": 80_000}


def write(kind, exchanges, out):
    capture, chance = Capture(out), random.Random(403)
    for number in range(exchanges):
        path, host, fields, status, answer, body = messages(kind, number, chance)
        content = b'{"a":%d}' % number
        request = (f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{fields}Content-Type: application/json\r\n"
                   f"Content-Length: {len(content)}\r\n\r\n").encode() + content
        media = "text/html" if body.startswith(b"<") else "application/json"
        response = (f"HTTP/1.1 {status} X\r\nServer: nginx\r\n{answer}Content-Type: {media}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        capture.exchange(number, request, response)
