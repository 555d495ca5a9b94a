#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into fuzz/seeds/, one file a meaning.

    fuzz/make_seeds.py

The files are kept in the repository; run it again after a change here.
"""
import os
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def write(target, name, data):
    folder = os.path.join(HERE, "seeds", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def http():
    """One byte for the splits, then what a client sends."""
    def request(line, *headers, body=""):
        return "\r\n".join([line, "Host: a", *headers, "", body])

    write("http", "get", "0" + request("GET / HTTP/1.1"))
    write("http", "get_byte_by_byte", "1" + request("GET /main.js?a=1&b=%20 HTTP/1.1"))
    write("http", "pipelined", "7" + 3 * request("GET /r/stand%20up HTTP/1.1", "Accept: */*"))
    write("http", "http_1_0", "2" + request("GET / HTTP/1.0", "Connection: keep-alive"))
    write("http", "options_star", "0" + request("OPTIONS * HTTP/1.1"))
    write("http", "empty_lines_first", "3\r\n\r\n" + request("HEAD /a HTTP/1.1"))
    write("http", "post_length", "4" + request("POST /a HTTP/1.1", "Content-Length: 5",
                                               body="hello") + request("GET /b HTTP/1.1"))
    write("http", "post_chunked",
          "1" + request("POST /a HTTP/1.1", "Transfer-Encoding: chunked",
                        body="5;name=\"value\"\r\nhello\r\n0\r\nTrailer: x\r\n\r\n")
          + request("GET /b HTTP/1.1"))
    write("http", "expect_continue", "5" + request("POST /a HTTP/1.1", "Expect: 100-continue",
                                                   "Content-Length: 2", body="{}"))
    write("http", "upgrade", "6" + request(
        "GET /api/v1/meet HTTP/1.1", "Connection: keep-alive, Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    write("http", "length_and_chunked", "0" + request(
        "POST / HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"))
    write("http", "folded_line", "0" + request("GET / HTTP/1.1", "A: b\r\n c"))
    write("http", "bare_line_feeds", "0GET / HTTP/1.1\nHost: a\n\n")
    write("http", "two_hosts", "0" + request("GET / HTTP/1.1", "Host: b"))
    write("http", "no_host", "0GET / HTTP/1.1\r\n\r\n")
    write("http", "http_2", "0PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    write("http", "range", "0bytes=0-99")
    write("http", "range_from_the_end", "0bytes=-5")
    write("http", "chunks", "21\r\na\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n")
    write("http", "chunks_trailers", "10\r\nA: b\r\nC: d\r\n\r\nGET /")
    write("http", "percent", "0/a%2Fb%20c%zz")
    write("http", "query", "0a=1&room=x%26y&&b")
    write("http", "etags", "0W/\"abc\", \"def\", *")
    write("http", "many_headers", "8" + request("GET / HTTP/1.1", *[f"X{i}: y" for i in range(64)]))


http()
