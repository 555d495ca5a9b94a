#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into fuzz/seeds/, one file a meaning.

    fuzz/make_seeds.py

The files are kept in the repository; run it again after a change here.
"""
import os
import re
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def write(target, name, data):
    folder = os.path.join(HERE, "seeds", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def dtls():
    """Operations of a byte each and a client's number (fuzz_dtls.c lists them)."""
    def seed(name, hexadecimal):
        write("dtls", name, bytes.fromhex(hexadecimal))

    connect = "0800 0900 "
    seed("connect_send_close", connect + "0e00 03 616263 0f00")
    seed("two", connect + "0801 0901 0e01 02 6162 0e00 01 63")
    seed("begins_anew", connect + connect + "0e00 01 61")
    seed("falls_silent", connect + "0c00 ff 0c00 ff 0c00 ff")
    seed("lost_and_again", "0800 0a00 0c00 05 0d00 0a00 0900")
    seed("broken", "0000 1e 0100 40 0800 0100 0d 0200 2c 0d00")
    seed("hello", "0b00 22 16feff 0000 000000000000 0036 01 00002a 0000 000000 00002a fefd" +
         32 * "00" + "00 00 0002c02b 0100" + "00")
    seed("crowded", connect + "0801 0901 0802 0902")


def engine():
    """One byte for what it is (fuzz_engine.c lists them), then that."""
    write("engine", "payload_4", "04hello\x1e2probe\x1ebAQIDBA==\x1e4\u1112\U0001f600")
    write("engine", "payload_4_empty", "0")
    write("engine", "payload_3", "16:4hello1:210:b4AQIDBA==4:4\u1112\U0001f600")
    write("engine", "payload_3_binary", b"2\0\6\xff4hello\1\4\xff\4abc\0\1\0\xff4123456789")
    write("engine", "frame_3", "3b4AQID")
    write("engine", "frame_4", "42probe")
    write("engine", "frame_3_binary", b"5\4abc")
    write("engine", "frame_4_binary", b"6abc")
    write("engine", "form", "7x=1&d=4%5Cn+%0A%5C%5Cn")
    write("engine", "connect", '80/admin?a=1,{"token":"123"}')
    write("engine", "event", '82/admin,13["offer",{"sdp":"v=0\\r\\n","n":[1.5e3,-2,true,null,{}]}]')
    write("engine", "binary_event", '852-["a",{"_placeholder":true,"num":0},'
          '{"b":{"_placeholder":true,"num":1}}]')
    write("engine", "placeholder_too_far", '851-["a",{"\\u005fplaceholder":true,"num":7}]')
    write("engine", "acknowledgement", '8312["\\u00e9",[[]]]')
    write("engine", "deep", "82[" + 70 * "[" + 70 * "]" + "]")
    write("engine", "base64", "9Zm9vYg==")


def engine_session():
    """Settings, then a line for each step: see clients.h."""
    def seed(name, *lines, settings="0"):
        write("engine_session", name, settings + "\n".join(lines) + "\n")

    polling = ("g0e/?EIO=4&transport=polling",)
    at = "e/?EIO=4&transport=polling&sid=$"
    socket = "e/?EIO=4&transport=websocket"
    old = "e/?EIO=3&transport=polling"
    room = 's/?EIO=4&transport=polling'
    seed("polling", *polling, "g0" + at, f"p1{at}|4hello%4again", "t2", "g0" + at,
         f"p1{at}|bAQID", "t2", "tc", f"p1{at}|3", "td", f"p1{at}|1")
    seed("upgrade", *polling, "g0" + at, f"w2{socket}&sid=$", f"p1{at}|4before", "m22probe",
         f"p1{at}|4between", "t8", "g0" + at, "m25", "m24after", "n2bytes", "td", "m23", "m21")
    seed("upgrade_too_soon", *polling, f"w2{socket}&sid=$", "m25", f"w2{socket}&sid=$", "m22probe",
         "g0" + at, "x2", f"p1{at}|4on", "t9")
    seed("upgrade_cut_late", *polling, "g0" + at, f"w2{socket}&sid=$", "m22probe", "t8", "m25",
         "x2", "g0" + at, "te")
    seed("two_probes", *polling, f"w2{socket}&sid=$", f"w3{socket}&sid=$", "m22probe", "m32probe",
         "m25", "m35")
    seed("probe_alone", *polling, f"w2{socket}&sid=$", "te", "g0" + at)
    seed("nobody_polls", *polling, "w1" + socket, "m14a", "n1b")
    seed("two_polls", *polling, "g0" + at, "g1" + at, "g0" + at)
    seed("websockets", "w0" + socket, "w1" + socket, "m04a", "n1b", "b1", "*8m04" + "x" * 900, "B1",
         "m13", "tc", "m03", "x0", "td", settings="2")
    seed("slow_poller", *polling, "w1" + socket, "*8m14" + "x" * 900, "g0" + at, "t1", "g0" + at,
         settings="2")
    seed("revision_3", "g0" + old, f"g0{old}&sid=$", f"p1{old}&sid=$|6:4hello1:2", "t2",
         f"P1{old}&sid=$|^\x06&4hello", "t2", f"w2e/?EIO=3&transport=websocket&sid=$", "m22probe",
         "t8", "m25", "m22", "n2\x04bytes", "tf")
    seed("scripts", "g0e/?EIO=4&transport=polling&j=0", f"g0{at}&j=1", f"p1{at}&j=1|d=4a\\n",
         "t2", f"g0{at}&j=2", "tc")
    seed("wrong", "g0e/", "g0e/?EIO=5&transport=polling", "g0e/?EIO=4&transport=x",
         "g0" + at, "p0e/?EIO=4&transport=polling|4", *polling, f"p0{at}|9", "g0" + at,
         "w2" + at, "f3OPTIONS /e/ HTTP/1.1|Host: a||")
    seed("rooms", "g0" + room, f"p0{room}&sid=$|40%40/a,", f"g0{room}&sid=$", "t2",
         "w1s/?EIO=4&transport=websocket", 'm140{"token":1}', 'm142["join",{"room":"r"}]',
         f'p0{room}&sid=$|421["join",{{"room":"r"}}]', 'm142["keep",{"a":1}]',
         'm1451-["x",{"_placeholder":true,"num":0}]', "n1bytes", f"g0{room}&sid=$", "t2",
         'm142["bye"]', "m141", f"p0{room}&sid=$|41/a,", "x0", "te")
    seed("recovery", "w0s/?EIO=4&transport=websocket", "m040", 'm042["x",1]', "x0",
         "w1s/?EIO=4&transport=websocket", "m140", 'm142["x",2]', "tb", "x1", "tf")
    seed("no_connect", "w0s/?EIO=4&transport=websocket", "tc", "g1" + room, "tc", "t9")
    seed("old_rooms", "w0s/?EIO=3&transport=websocket", 'm042["x",1]', "m040/a", 'm042/a,["x"]',
         "m041/a", "tf")
    seed("stopped", *polling, "g0" + at, "w1" + socket, "w2" + socket + "&sid=$", "m22probe", "s",
         "m25", "p3" + at + "|4x")
    seed("no_memory", *polling, "g0" + at, *6 * ("w1" + socket, "b1", "*6m14" + "x" * 1400),
         settings="1")


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


MASK = b"\x37\xfa\x21\x3d"  # the one of RFC 6455, section 5.7


def frame(opcode, payload, fin=True, deflated=False, mask=MASK):
    """A client's frame."""
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload)
    head = bytes([fin << 7 | deflated << 6 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += b"\xfe" + struct.pack(">H", size)
    else:
        head += b"\xff" + struct.pack(">Q", size)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def deflate(payload):
    """RFC 7692, section 7.2.1."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = stream.compress(payload.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)
    return data[:-4]


TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def websocket():
    """A byte for the splits, one for deflate ("a": agreed), then a client's frames."""
    def seed(name, choices, *frames):
        write("websocket", name, choices.encode() + b"".join(frames))

    close = frame(CLOSE, b"\x03\xe8bye")
    seed("hello", "0b", frame(TEXT, "Hello"), close)
    seed("hello_byte_by_byte", "1b", frame(TEXT, "Hello"), close)
    seed("zero_mask", "2b", frame(TEXT, "모임", mask=bytes(4)))
    seed("fragments_with_ping", "3b", frame(TEXT, "Hel", fin=False), frame(PING, "between"),
         frame(0, "l", fin=False), frame(0, "o"), close)
    seed("deflated", "4a", frame(TEXT, deflate("Hello"), deflated=True))
    seed("deflated_fragments", "1a", frame(TEXT, deflate("Hello" * 20)[:5], False, True),
         frame(0, deflate("Hello" * 20)[5:]))
    seed("deflated_not_agreed", "0b", frame(TEXT, deflate("Hello"), deflated=True))
    seed("bomb", "0a", frame(TEXT, deflate("a" * 100000), deflated=True))
    seed("largest_bomb_that_fits", "0a", frame(TEXT, deflate("a" * 65536), deflated=True))
    seed("medium", "5b", frame(BINARY, "x" * 200), frame(PONG, ""))
    seed("empty", "0b", frame(TEXT, ""), frame(TEXT, "", fin=False), frame(0, ""))
    seed("split_character", "0b", frame(TEXT, b"\xea\xb0", fin=False), frame(0, b"\x80"))
    seed("broken_character", "0b", frame(TEXT, b"\xed\xa0\x80"))
    seed("close_without_code", "0b", frame(CLOSE, ""), frame(TEXT, "after"))
    seed("close_of_one_byte", "0b", frame(CLOSE, "a"))
    seed("close_reserved_code", "0b", frame(CLOSE, b"\x03\xed"))
    seed("unmasked", "0b", b"\x81\x05Hello")
    seed("long_length_form", "0b", b"\x81\xfe\x00\x05" + MASK + b"Hello")
    seed("huge", "0b", b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00" + MASK)
    seed("continuation_first", "0b", frame(0, "Hello"))
    seed("offer", "0bpermessage-deflate; client_max_window_bits; server_max_window_bits=10")
    seed("offers", "0bx-webkit, permessage-deflate; server_no_context_takeover")
    seed("key", "0bdGhlIHNhbXBsZSBub25jZQ==")


def srtp():
    """A byte for the profile, then operations (see fuzz_srtp.c)."""
    def seed(name, profile, *operations):
        write("srtp", name, bytes.fromhex(f"{profile:02x}" + "".join(operations)))

    for profile, name in enumerate(("sha1_80", "sha1_32", "gcm_128", "gcm_256")):
        seed(name, profile, "00 01 0064 20  40  10 01 30  50")
    seed("rollover", 2, "00 00 fffe 10  01 00 ffff 10  02 00 0000 10  03 00 0001 10",
         "40 43 41 42 41")
    seed("batch", 0, *(f"{i:02x} 0{i % 3} 00{i:02x} 2{i:x}" for i in range(16)), "60 60")
    seed("broken", 2, "00 01 0064 20  20 0010 01 40  20 0010 01 40  30 0015 40  30 0000 40")
    seed("broken_reports", 1, "10 01 20  20 0006 80 50  20 0006 80 50  50  30 0015 50")
    seed("raw", 3, "70 10 906000010000000000000001bede0001 00000000 000000000000000000000000",
         "71 10 81c90007000000010000000000000000 0000000000000000 8000000100000000")
    seed("forgotten", 2, "00 01 0064 20  40 40  81  40")


def stomp():
    """A byte for the splits, one for the version ("0" to "3": none, 1.0, 1.1, 1.2), then frames."""
    def seed(name, choices, *frames):
        write("stomp", name, choices + "".join(frames))

    send = "SEND\ndestination:/app/call/key\n\n{}\0"
    seed("connect", "00", "CONNECT\naccept-version:1.1,1.0\nheart-beat:10000,10000\n\n\0")
    seed("connect_crlf", "10", "\r\nSTOMP\r\naccept-version:1.2\r\nhost:a\r\n\r\n\0")
    seed("sends_and_beats", "13", send, "\n", send, "\n\r\n", send)
    seed("length", "23", "SEND\ndestination:/a\ncontent-length:3\n\na\0b\0", send)
    seed("length_too_long", "03", "SEND\ncontent-length:2001\n\n")
    seed("length_broken", "03", "SEND\ncontent-length:x\n\n\0")
    seed("length_without_nul", "03", "SEND\ncontent-length:1\n\nab\0")
    for version in "123":
        seed("escapes_1_" + str(int(version) - 1), "4" + version,
             "SEND\na\\c:\\n\\r\\c\\\\\\t: x \n\n\0")
    seed("repeated", "33", "SUBSCRIBE\nid:1\nid:2\ndestination:/topic/**\n\n\0")
    seed("no_colon", "03", "ACK\nid\n\n\0")
    seed("unknown", "03", "HELLO\n\n\0")
    seed("many_headers", "53", "SEND\n" + "".join(f"h{i}:\n" for i in range(41)) + "\n\0")


def stomp_session():
    """Settings, then a line for each step: see fuzz_stomp_session.c."""
    def seed(name, *lines, settings="0"):
        write("stomp_session", name, settings + "\n".join(lines) + "\n")

    two = ("w0", "c0", "w1", "c1login:kim|")
    seed("broadcast", *two, "s0/topic/a", "s1/topic/**", "p0/app/a", "p1/topic/b", "x0",
         "p1/topic/a")
    seed("rooms", *two, "s0/topic/call", "s1/topic/call", "s0/topic/r/1", "p0/app/call",
         "p1/app/call", "s1/topic/a/x/1", "p0/app/o/x/1", "p1/app/call",
         "m0UNSUBSCRIBE|id:10||^", "p1/app/call")
    seed("no_room_rule", *two, "s0/topic/call", "s1/topic/r/1", "p1/app/call", settings="2")
    seed("transaction", *two, "s1/topic/a", "m0BEGIN|transaction:t||^",
         "*3m0SEND|transaction:t|destination:/topic/a||x^", "m0COMMIT|transaction:t|receipt:1||^",
         "m0BEGIN|transaction:u||^", "m0SEND|transaction:u|destination:/topic/a||x^", "x0")
    seed("pieces", "w0", "m0CONN", "m0ECT|acc", "m0ept-version:1.1,1.0||",
         "m0^|SEND|destination:/a||", "m0x^~||SUB",
         "m0SCRIBE|id:1|destination:/topic/a||^SEND|destination:/topic/a||x^")
    seed("users", *two, "s1/user/queue/a", "s0/**", "p0/user/kim/queue/a",
         "p0/user/kim", "p0/user/")
    seed("disconnect", *two, "m0DISCONNECT|receipt:1||^", "p0/a", "te", "td")
    seed("heart_beats", *two, "te", "m0|", "te", "tf", "tf")
    seed("errors", "w0", "p0/a", "w0", "c0", "c0", "w0", "c0", "m0SEND||^", "w0", "c0",
         "m0SEND|a||^", "w0", "c0", "m0ABORT|transaction:t||^", "w0",
         "m0CONNECT|accept-version:9||^")
    seed("too_many", "w0", "w1", "w2", "w3", "c0", "c1", "c2", "c3")
    seed("door", "w0", "c0roomId:r|camKey:k|", "h1", "<1GET /poll/leave/room/r HTTP/1.1|Host: a||",
         "h2", "<2GET /poll/enter/room/r HTTP/1.1|Host: a||", "h3",
         "<3POST /receive-events/enter/room/r HTTP/1.1|Host: a|Content-Length: 14||"
         "{\"camKey\":\"k\"}",
         "x0", "<2GET /poll/enter/room/r HTTP/1.1|Host: a||", "x2", "te")
    seed("slow", *two, "s1/topic/a", "*8p0/app/a", settings="1")
    seed("held_and_tight", *two, "m0BEGIN|transaction:t||^",
         "*5m0SEND|transaction:t|destination:/topic/a||" + "x" * 1000 + "^", settings="1")


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def stun(kind, *attributes, fingerprint=False):
    """A STUN message (RFC 8489, section 5)."""
    body = b"".join(attributes)
    size = len(body) + (8 if fingerprint else 0)
    message = struct.pack(">HHI", kind, size, 0x2112a442) + b"transaction1" + body
    if fingerprint:
        crc = zlib.crc32(message) ^ 0x5354554e
        message += attribute(0x8028, struct.pack(">I", crc))
    return message


def stun_seeds():
    """A byte for the splits, then a datagram or the bytes of a stream."""
    def seed(name, choice, *messages):
        write("stun", name, choice.encode() + b"".join(messages))

    request, indication, success, failure = 0x0001, 0x0011, 0x0101, 0x0111
    ipv4 = b"\0\1" + struct.pack(">H", 5000) + bytes([192, 0, 2, 1])
    seed("binding", "0", stun(request))
    seed("binding_fingerprint", "0", stun(request, fingerprint=True))
    seed("binding_software", "0", stun(request, attribute(0x8022, b"a client")))
    seed("stream_of_three", "1", stun(request), stun(request, fingerprint=True), stun(request))
    seed("unknown_required", "0", stun(request, attribute(0x0002, b"abc"), attribute(3, b"")))
    seed("ice_check", "0", stun(request, attribute(6, b"a:b"), attribute(0x24, b"\x6e\0\1\xff"),
                                attribute(0x25, b""), attribute(0x802a, b"tiebreak"),
                                attribute(8, bytes(20)), fingerprint=True))
    seed("sha256", "0", stun(request, attribute(0x1c, bytes(32)), fingerprint=True))
    seed("behind_integrity", "0", stun(request, attribute(8, bytes(20)), attribute(6, b"late")))
    seed("success", "0", stun(success, attribute(0x20, ipv4), attribute(1, ipv4)))
    seed("success_ipv6", "0", stun(success, attribute(0x20, b"\0\2\x13\x88" + bytes(16))))
    seed("error", "0", stun(failure, attribute(9, b"\0\0\4\x14Unknown"), attribute(10, b"\0\2")))
    seed("indication", "0", stun(indication))
    seed("length_past_the_end", "0", stun(request, attribute(6, b"abcd"))[:-4])
    seed("attribute_past_the_end", "0", stun(request, b"\0\6\0\x20abcd"))
    seed("wrong_fingerprint", "0", stun(request, attribute(0x8028, b"abcd")))
    seed("many_attributes", "0", stun(request, *[attribute(0x8100 + i, b"") for i in range(33)]))
    seed("old_cookie", "0", struct.pack(">HHI", 1, 0, 1) + b"transaction1")
    seed("dtls", "0", b"\x16\xfe\xfd" + bytes(20))


def json():
    """A byte for the writer's room, then a text."""
    def seed(name, text):
        write("json", name, " " + text)

    seed("join", '{"type":"join","version":1,"room":"a","name":"모임","audio":true,"video":false}')
    seed("nested", '{"a":[{"b":[[],{"c":null}]}],"d":{"e":{}}}')
    seed("deepest", '{"a":' + "[" * 15 + "]" * 15 + "}")
    seed("too_deep", '{"a":' + "[" * 16 + "]" * 16 + "}")
    seed("numbers", '{"a":0,"b":-1,"c":1.5,"d":9007199254740992,"e":9007199254740993,"f":1e400}')
    seed("escapes", r'{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}')
    seed("half_surrogate", r'{"a":"\ud83d"}')
    seed("zero_character", r'{"a":"b\u0000c"}')
    seed("white_space", ' \r\n\t{ "a" : 1 , "b" : [ ] } \n')
    seed("something_behind", '{"a":1} x')
    seed("array", "[1]")
    seed("doubled_key", '{"a":1,"a":"b"}')
    seed("unfinished", '{"a":"b')
    seed("controls", "a\tb\x01\x7f\u0085")
    seed("text", "plain \"text\" \\ with 모임")


def media_port():
    """Operations of a byte each and what they need (fuzz_media_port.c lists them)."""
    def seed(name, hexadecimal):
        write("media_port", name, bytes.fromhex(hexadecimal))

    connect = "0000 1000 20010a 3000 "
    seed("both_ways", connect + "5000 10 0001 00000001 00000005 616263646566"
         "6000 08 0001 00000005 00 a0 10 08 b000")
    seed("active", "0000 2001 0a 1001 3000 5000 10 0001 00000001 00000005 616263646566")
    seed("over_tcp", "0000 1000 20010b 3000 a0 20 04 d000 a0 20 04 20010a a0 20 04")
    seed("wrong_certificate", "0000 1002 20010a 3000")
    seed("restart", connect + "8000 20090a 20010c a0 08 02 20090a")
    seed("consent_is_over", connect + "c00e c00e")
    seed("broken_handshake", "0000 1000 20010a 4030 3000 c00b")
    seed("strangers", "0000 70 14 04 00010000 70 14 04 16fefd00 70 14 04 80600001 20040a 20020a")
    seed("two", connect + "0100 1100 21010c 3100 a0 ff 10 a1 ff 10 9000 a1 10 01")


def rtc_stream():
    """Operations of a byte each and what they need (fuzz_rtc_stream.c lists them)."""
    def seed(name, hexadecimal):
        write("rtc_stream", name, bytes.fromhex(hexadecimal))

    seed("invited", "00 300130 3000ff 200c 8060000100000001 00000005 2000 700b 300031")
    seed("strangers", "00 20 04 00010000 01 31022a 02 12 06 474554202f20 03 13 02 0000"
         "04 14 01 00 700d")
    seed("in_pieces", "00 300131 300033 3001fe 10 02 0014 10 14"
         "0001000021 12a44201020304050607080910111213 500040ff")
    seed("slow_reader", "00 " + "300130" * 60 + " 4001 4010 40ff 40ff 40ff")
    seed("all_places", "000102030405 0000 310130 320530 330130 340530 60 00 300130 350130")
    seed("transport_closed", "00 300130 80 10 0c 000a 80600001000000000000 300130 00 300130")
    seed("consent_is_over", "00 300130 700f 700f 00 300130")
    seed("ended", "00 300130 50 300130 4080 00 300130 01 6001 51 90 06 800000000000")


def meet():
    """Settings, then a line for each step: see fuzz_meet.c."""
    def seed(name, *lines, settings="0"):
        write("meet", name, settings + "\n".join(lines) + "\n")

    two = ("w0", "j0ra", "w1", "j1rb")
    three = (*two, "w2", "j2rc")
    seed("call", *two, "O11v=0", "A02v=0", "K11", "K02", "M05", "h11", "c0hi", "l1", "l0")
    seed("three_and_private_words", *three, "C02psst", "c1all", "x2", "tf", "c0still there?")
    seed("resume", *two, "n0", "c0one", "x0", "c1two", "c1three", "w0", "r00", "c0four", "tf", "tf")
    seed("resume_from_elsewhere", *two, "w2", "r20", "c2me", "c1you")
    seed("resume_too_late", *two, "x0", "tf", "te", "td", "w0", "r00", "j0ra")
    seed("replaced", *two, "x0", "w2", "j2ra", "w0", "r00")
    seed("heartbeats", *two, "td", "te", "y0", "y1", "tf", "y0", "tf", "tf")
    seed("errors", "w0", "p0", "c0x", "j0", "m0{", "m0{}", 'm0{"type":1}', 'm0{"type":"none"}',
         "j0ra", "j0rb", "O09v", "O01v", 'm0{"type":"chat"}', 'm0{"type":"ping","id":7}')
    seed("name_taken_room_full", *two, "w2", "j2ra", "j2rd", "w3", "j3rd", "j3rexx")
    seed("rooms_on_both_workers", "w0", "j0ra", "w1", "j1ra", "w2", "j2sa", "w3", "j3sb", "c0x",
         "c3y", "x1", "w1", "j1tb", "l2")
    seed("lost_on_the_way", "w0", "j0ra", "w1", "j1sa", "w2", "j2ta", settings="2")
    seed("slow_reader", *two, "b1", "*5c0" + "x" * 3000, "td", "B1", "tf", "tf")
    seed("slow_reader_tight", *two, "b1", "*6c0" + "x" * 3000, "B1", settings="1")
    seed("fragments", "w0", "F0ajoi", "F0`n", "F0I!", "F0@", 'F0a{"type":', 'F0@"ping"}', "F0B1",
         "w0", "F0H\x03\xe8", "w1", "F1Qjunk")
    seed("stop", *two, "o2", "s0", "t5", "s1", "w3", "tf")
    seed("pages", "o0", "<0GET / HTTP/1.1|Host: a||GET /main.js HTTP/1.1|Host: a|"
         "Accept-Encoding: gzip||", "<0GET /main.js HTTP/1.1|Host: a|Range: bytes=1-2||",
         '<0GET / HTTP/1.1|Host: a|If-None-Match: "1"||', "<0HEAD /r/x HTTP/1.1|Host: a||",
         "<0GET /metrics HTTP/1.1|Host: a||GET /healthz HTTP/1.1|Host: a||",
         "<0GET /readyz HTTP/1.0||", "o1", "<1OPTIONS * HTTP/1.1|Host: a||")
    seed("pages_refused", "o0", "<0POST / HTTP/1.1|Host: a|Content-Length: 3||abc",
         "<0GET /none HTTP/1.1|Host: a||", "<0GET /%zz HTTP/1.1|Host: a||", "<0junk||", "o1",
         "<1GET /api/v1/meet HTTP/1.1|Host: a||", "<1GET", "td", "te", "tf", "o2", "tf", "tf")
    seed("pipelined_while_blocked", "o0", "b0", "<0" + "GET /big HTTP/1.1|Host: a||" * 6,
         "<0GET / HTTP/1.1|Host: a||", "t8", "B0")
    seed("pipelined_while_slow", "o0", "P0", "<0" + "GET /big HTTP/1.1|Host: a||" * 6, "e0", "B0")
    seed("expect_and_preflight", "o0", "<0GET / HTTP/1.1|Host: a|Expect: 100-continue|"
         "Content-Length: 2||", "<0{}", "<0OPTIONS /api/v1/meet HTTP/1.1|Host: a||",
         "<0GET * HTTP/1.1|Host: a||")
    upgrade = "<0GET /api/v1/meet HTTP/1.1|Host: a|Connection: Upgrade|Upgrade: websocket|"
    seed("upgrades_refused", "o0", upgrade + "Sec-WebSocket-Version: 12||",
         upgrade + "Sec-WebSocket-Version: 13|Sec-WebSocket-Key: a||")
    seed("flood", *two, "*bp0", "c1x")
    seed("acks_and_pings", *two, "n0", "*8c0x", "td", "x1", "c0x", "w1", "r11")
    seed("long_absence", *two, "x1", "*8c0x", "w1", "r11", "j1rb")
    seed("long_absence_big", *two, "x1", "*7c0" + "x" * 1500, "*7C02" + "y" * 1500, "w1", "r11")
    seed("slow_and_cut", *two, "P1", "*8c0" + "x" * 3500, "B1", "tf")
    seed("half_closed", *two, "e0", "c1x", "e1", "tf", "o2", "<2GET / HTTP/1.1|Host: a||", "e2",
         "o3", "<3GET / HT", "e3")
    seed("bad_fields", *two, 'm0{"type":"chat","text":"x","to":"m99999999999"}',
         'm0{"type":"candidate","to":"m2","candidate":1}', 'm0{"type":"media"}',
         'm0{"type":"hand","raised":1}', 'm0{"type":"chat","id":"x"}', "n0", "c0x",
         'm0{"type":"chat","id":1,"text":"x"}', "w2", 'm2{"type":"join","version":2}',
         'm2{"type":"join","version":1,"room":"r","name":"c","audio":1}',
         'm2{"type":"resume","version":1,"room":"r","session":"x","seq":-1}')
    seed("all_at_once", *three, "c0x", "c1y", "l2", "x1", ".", "c0z", "w1", "r11", ".", "s0",
         settings="4")
    seed("slow_and_late", *two, "*9c0" + "x" * 3500, "e1", ".", "x0", "tf", settings="4")
    write("meet", "stun", b"0u0\n<0" + stun(1) + b"\n<0" + stun(1)[:10] + b"\nd" + stun(1)
          + b"\ntf\ntf\nu1\n<1junkjunkjunkjunkjunk\n")


def ortc():
    """A digit for what it is (fuzz_ortc.c lists them), then JSON: the tests' captures."""
    with open(os.path.join(HERE, "../tests/media/ortc_captures.h")) as file:
        text = file.read()
    for name, digit in {"capabilities": "0", "audio": "1", "simulcast": "2", "video": "2",
                        "h264": "2", "vp9": "2", "dtls": "3"}.items():
        body = re.search("CAPTURED_%s\\[\\] =(.*?);" % name.upper(), text, re.DOTALL).group(1)
        write("ortc", name, digit + "".join(re.findall('"(.*)"', body)).replace("'", '"'))


def relay():
    """Settings, then a line for each step: see fuzz_relay.c."""
    def seed(name, *lines, settings="0"):
        write("relay", name, settings + "\n".join(lines) + "\n")

    three = ("o0", "o1", "o2")
    seed("others", *three, 'm0{"type":"hello"}', "b1bytes", "m2no JSON", "x0", "o0")
    seed("rooms", *three, 'm0{"type":"join","room":"a"}', 'm1{"type":"join","room":"a"}',
         'm2{"type":"join","room":7}', 'm0{"type":"room","room":"a","sdp":[1,{}]}',
         'm1{"type":"leave","room":"a","sdp":"v=0\\r\\n","secret":1}',
         'm1{"type":"move","room":"\\ubc29\\ud83d\\ude00"}', 'm1{"type":"join","room":"b"}',
         'm1{"type":"join","room":"c"}')
    seed("kept", *three, 'm0{"type":"first"}', 'm0{"type":"more","n":1}',
         'm0{"a":{"type":1},"type":"more"}', 'm1{"type":"quiet"}', "x2", "o2",
         'm0{"type":"join","room":"a"}', 'm0{"type":"first"}', 'm0{"type":"leave","room":"a"}',
         "d", "o0")
    seed("peer", *three, 'm0{"type":"peer","id":"AAAAAAAAAAAAAAAAAAAA"}', 'm1{"type":"bye"}',
         "o1", 'm1{"type":"open"}', 'm1{ "t\\u0079pe" : "close" , "x":[]}')
    seed("full", *three, "o3", "o4", "o5", *5 * ('m0{"type":"first","pad":"' + "x" * 600 + '"}',),
         settings="1")


def sdp():
    """The text."""
    head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    video = ("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:F7gI\r\n"
             "a=fingerprint:sha-256 " + ":".join(["A1"] * 32) + "\r\na=setup:actpass\r\na=mid:1\r\n"
             "a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendrecv\r\n"
             "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\n"
             "a=fmtp:97 apt=96\r\n")
    write("sdp", "simulcast", head + video +
          "a=rid:hi send pt=96;max-width=1280\r\na=rid:lo send\r\na=simulcast:send hi;~lo,x\r\n")
    write("sdp", "ssrcs", head + video + "a=msid:7a9b 0e1c\r\n"
          "a=ssrc-group:FID 2231627014 632943048\r\na=ssrc:2231627014 cname:loqP\r\n")
    write("sdp", "candidates", head + video +
          "a=candidate:1 1 udp 2113937151 192.0.2.1 46154 typ host\r\n"
          "a=candidate:2 1 tcp 1518280447 2001:db8::1 9 typ host tcptype active\r\n")
    write("sdp", "no_sections", head)
    write("sdp", "data", head + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
          "a=sctp-port:5000\r\n")


def settings():
    """"0" and a YAML text, or "1" and lines of environment (e) and --set (s)."""
    with open(os.path.join(HERE, "..", "moim.example.yaml"), encoding="utf-8") as file:
        write("settings", "example", "0" + file.read())
    write("settings", "all_keys", """0http: {listen: ["0.0.0.0:8080", "[::]:8080"]}
https:
  listen: []
  cert: a.pem
  key: b.pem
rtc: {public_ip: [203.0.113.7]}
turn:
  listen:
    - 0.0.0.0:3478
state: {dir: "state"}
workers: 4
log: {level: debug, format: json}
""")
    for name, text in {
        "empty": "", "null": "http:", "unknown_key": "http:\n  lissten: []\n",
        "wrong_kind": "workers: [1]\n", "text_for_a_list": "http:\n  listen: 0.0.0.0:80\n",
        "bad_address": "http:\n  listen: [\"host:80\"]\n", "twice": "workers: 1\nworkers: 2\n",
        "anchor": "a: &x 1\nb: *x\n", "two_documents": "workers: 1\n---\nworkers: 2\n",
        "broken": "http: {listen: [", "tag": "workers: !!int \"3\"\n", "block": "log: |\n a\n b\n",
        "deep": "a: " + "{a: " * 9 + "1" + "}" * 9, "tab": "log:\n\tlevel: info\n",
        "too_many": "http: {listen: [" + "0.0.0.0:80, " * 17 + "]}",
        "quotes": "state: {dir: 'a''b'}",
        "turn_one_secret": "turn: {secret: 0123456789abcdef, users: [a]}\n",
        "turn": """turn:
  listen: ["[::]:3478"]
  tls_listen: []
  relay_ports: 50000-50999
  secret:
    - 0123456789abcdef
    - "fedcba9876543210, old"
  users: ["a:b", 'c:d:e']
  realm: example.com
  allow_peers: [10.0.0.0/8, "fd00::/8"]
  servers: ["stun:a.example", "turn:[2001:db8::1]:1?transport=udp"]
  allocations_per_user: 10
  bandwidth_all: 100MiB
  bandwidth_allocation: 0
  lifetime: 20m
""",
    }.items():
        write("settings", name, "0" + text)
    write("settings", "turn_sets", "1eMOIM_TURN_SECRET=0123456789abcdef, 0123456789abcdeg\n"
          "sturn.users=[\"a:b,c\"]\nsturn.relay_ports=1024-1025\n")
    write("settings", "environment", "1eMOIM_HTTP_LISTEN=0.0.0.0:80, [::1]:81\neMOIM_WORKERS=2")
    write("settings", "sets", "1shttp.listen=[\"0.0.0.0:0\"]\nslog.level=warn\nsworkers=65\n")
    write("settings", "set_nothing", "1shttp.listen=\nshttps.cert=\neMOIM_STATE_DIR=")
    write("settings", "set_unknown", "1sa.b=1\neMOIM_NONE=1\nsworkers")


def sockjs():
    """One byte for the pieces, then a text or a path."""
    for name, text in {
        "one": '["a"]', "two": '["a","b"]', "string": '"a"', "empty": "[]", "spaces": ' [ "a" ] ',
        "escapes": '["\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000"]', "pair": '["\\ud83d\\ude00"]',
        "lone": '["\\ud83d", "\\ude00x"]', "script": '["</script>100%"]',
        "stomp": '["SEND\\ndestination:/app/a\\n\\n{}\\u0000"]',
        "listed": "\u200c\u2028\u2060\ufff0\uffff\x1f\U0001f600", "broken": '["a',
        "path": "/000/abc/xhr_streaming", "iframe": "/iframe-1.5.1.html", "callback": "_jp.a0bc",
    }.items():
        write("sockjs", name, "0" + text)
    write("sockjs", "not_utf8", b"0a\xff\xed\xa0\x80\xf0\x9f")


def sockjs_session():
    """Settings, then a line for each step: see clients.h."""
    def seed(name, *lines, settings="0"):
        write("sockjs_session", name, settings + "\n".join(lines) + "\n")

    seed("polling", "p0e/0/a/xhr|", "p0e/0/a/xhr|", 'p1e/0/a/xhr_send|["a","b"]', "t2",
         "p0e/0/a/xhr|", "tf", "p0e/0/a/xhr|", 'p1e/0/a/xhr_send|{"type":"bye"}',
         'p1e/0/a/xhr_send|["{\\"type\\":\\"bye\\"}"]', "p0e/0/a/xhr|", "p0e/0/a/xhr|", "td",
         "p0e/0/a/xhr|")
    seed("streaming", "p0e/0/a/xhr_streaming|", "g1e/0/b/eventsource", "g2e/0/c/htmlfile?c=f",
         "g3e/0/d/jsonp?c=f", "g3e/0/d/jsonp?c=f", '*5p4e/0/a/xhr_send|["' + "x" * 300 + '"]', "t2",
         "p0e/0/a/xhr_streaming|", 'p4e/0/d/jsonp_send|["</script>"]', "t2", "tf", settings="2")
    seed("websockets", "w0e/0/a/websocket", "w1e/0/a/websocket", "w2e/websocket", 'm0["a","b"]',
         'm1"c"', "m2d", "n2e", 'm0["', "b1", '*8m2' + "x" * 900, "tf", "B1")
    seed("another_connection", "p0e/0/a/xhr|", "p0e/0/a/xhr|", "p1e/0/a/xhr|", "x0", "p1e/0/a/xhr|",
         'p2e/0/a/xhr_send|["x"]', "t2")
    seed("slow_stream", "p0e/0/a/xhr_streaming|", "b0", '*7p1e/0/a/xhr_send|["' + "x" * 900 + '"]',
         "u0a", "tc", "B0", "tf", settings="2")
    seed("cut_stream", "p0e/0/a/xhr_streaming|", "x0", 'p1e/0/a/xhr_send|["x"]', "tb",
         "p0e/0/a/xhr_streaming|", "e0", "te", 'p1e/0/a/xhr_send|["x"]')
    seed("nobody_polls", "p0e/0/a/xhr|", "w1e/0/b/websocket", 'm1["x"]', 'p2e/0/a/xhr_send|["y"]')
    seed("vanished", "p0e/0/a/xhr|", "td", 'p1e/0/a/xhr_send|["x"]', "p0e/0/a/xhr|")
    seed("pages", "g0e/info", "g0e", "g0e/iframe.html", "g0e/0/a/x", "g0e/0/a/jsonp",
         "g0e/0/a/htmlfile?c=%22", "f0OPTIONS /e/0/a/xhr HTTP/1.1|Host: a||")
    seed("amplified", "w0e/0/a/websocket", 'm0["{\\"type\\":\\"big\\"}","17","19"]', "t2")
    seed("stomp", "w0s/0/a/websocket", 'm0["CONNECT\\naccept-version:1.2\\n\\n\\u0000"]',
         'm0["SUBSCRIBE\\nid:1\\ndestination:/topic/a\\n\\n\\u0000"]', "p1s/0/b/xhr|",
         'p2s/0/b/xhr_send|["CONNECT\\n\\n\\u0000SUBSCRIBE\\nid:1\\n"]',
         'p2s/0/b/xhr_send|["destination:/topic/a\\n\\n\\u0000"]',
         'm0["SEND\\ndestination:/app/a\\n\\nhi\\u0000"]', "p1s/0/b/xhr|", "t2",
         "p1s/0/b/xhr|", "te",
         'm0["\\n"]', "tf", "tf")
    seed("stopped", "p0e/0/a/xhr|", "p0e/0/a/xhr|", "p1e/0/b/xhr_streaming|", "w2e/0/c/websocket",
         "s", 'p3e/0/a/xhr_send|["x"]')
    seed("no_memory", "p0e/0/a/xhr|", "w1e/0/b/websocket", "b1",
         *6 * ('*6p2e/0/a/xhr_send|["' + "x" * 1400 + '"]',), settings="1")


def token():
    """One byte: 1 and a header and claims to be signed, or 0 and a token (fuzz_token.c)."""
    header = '1{"alg":"HS256","typ":"JWT"}\n'
    write("token", "whole", header + '{"room":"standup","sub":"u7","name":"Mina","nbf":5,'
          '"exp":1000,"aud":["moim"],"permissions":["publish","subscribe","moderate"]}')
    write("token", "least", header + '{"room":"*","exp":1e3}')
    write("token", "none", '1{"alg":"none"}\n{"room":"a","exp":1}')
    write("token", "crit", '1{"alg":"HS256","crit":["exp"],"exp":1}\n{"room":"a","exp":1}')
    write("token", "twins", header + '{"room":"a","exp":1,"room":"b"}')
    write("token", "wrong_types", header + '{"room":[],"exp":"1","aud":7,"permissions":[7]}')
    write("token", "rfc7515_a1",
          "0eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0K"
          "ICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
          "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    write("token", "parts", "0....")


def turn():
    """A byte of settings, then operations (see fuzz_turn.c)."""
    def seed(name, *operations):
        write("turn", name, bytes.fromhex("".join(operations)))

    allocate, permit, bind = "00 08  08 00", "00 12 00 00", "00 23 00 00 70"
    seed("send", "00", allocate, permit, "00 26 00 00 85 05 68656c6c6f", "0b 00 03 00 616263")
    seed("channel", "00", allocate, bind, "06 06 400000026162", "0b 00 03 00 616263", "0e 05",
         "00 11 80 04 00000000")
    seed("icmp", "00", allocate, permit, "0b 00 70 00")
    seed("forbidden", "00", allocate, "00 12 00 04", "00 12 00 05", "00 26 00 06 85 01 78")
    seed("joined", "00", allocate, "00 12 00 05", "00 26 00 05 85 05 68656c6c6f")
    seed("sink", "02", allocate, "00 12 00 01", "00 26 00 01 85 05 68656c6c6f")
    seed("no_port", "00", "00 08 0a 00", "00 08 8a 00")
    seed("gone_before_the_port", "00", "00 08 07 08 00")
    seed("both_families", "00", "00 18 82 04 02000000 08 00 08 01", "00 12 00 03",
         "00 21 80 04 00000000 81 04 02000000")
    seed("pair", "00", "00 18 83 01 80  08 00", "50 18 50")
    seed("move", "00", "00 18 40  08 00", "50 11 41", "0b 00 03 00 616263", "a0 11 41")
    tcp = "00 10 60  08 00"
    seed("connect", "05", tcp, "00 14 00 00  08 01", "50 15 58", "0f 01", "0d 01")
    seed("connect_fails", "05", tcp, "00 14 00 00  0a 01", "00 14 00 00 0e 03 0a 01")
    seed("accept", "05", tcp, permit, "0b 00 ff 00", "50 15 58", "07")
    seed("two_users_of_a_prefix", "00", allocate, "10 08 08 01", "20 08 08 02", "30 08 08 03")


dtls()
engine()
engine_session()
http()
json()
media_port()
rtc_stream()
meet()
ortc()
relay()
settings()
sdp()
sockjs()
sockjs_session()
srtp()
stomp()
stomp_session()
stun_seeds()
token()
turn()
websocket()
