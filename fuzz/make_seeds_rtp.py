#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets of RTP, RTCP and payloads into fuzz/seeds/, as make_seeds.py
does those of the others.

    fuzz/make_seeds_rtp.py
"""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def write(target, name, *parts):
    """Parts are bytes, or hexadecimal text."""
    folder = os.path.join(HERE, "seeds", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(b"".join(part if isinstance(part, bytes) else bytes.fromhex(part)
                            for part in parts))


def rtp_packet(payload=b"", extensions="", profile=0xbede, csrcs=0, padding=0):
    """With elements in hexadecimal, padded to words."""
    elements = bytes.fromhex(extensions)
    elements += bytes(-len(elements) % 4)
    first = 0x80 | (0x10 if extensions else 0) | (0x20 if padding else 0) | csrcs
    packet = struct.pack("!BBHII", first, 0xe0, 0xfffe, 0x01020304, 0xa0b0c0d0)
    packet += b"".join(struct.pack("!I", 7 + i) for i in range(csrcs))
    if extensions:
        packet += struct.pack("!HH", profile, len(elements) // 4) + elements
    packet += payload
    if padding:
        packet += bytes(padding - 1) + bytes([padding])
    return packet


def rtp():
    """16 bytes of choices, then a packet: see fuzz_rtp.c."""
    all_on = "2f 0e0d0c0b0a 0908070605 04030201 00"
    none = "00" * 16
    write("rtp", "plain", none, rtp_packet(b"payload"))
    write("rtp", "own_values", all_on, rtp_packet(b"payload"))
    write("rtp", "one_byte", all_on, rtp_packet(b"payload", "10 61 21 6263 00 e3 64656667"))
    write("rtp", "two_byte", all_on, rtp_packet(b"payload", "0100 00 0f02 6162 0e05 6364656667",
                                                0x1000))
    write("rtp", "two_byte_long", all_on, rtp_packet(b"payload", "0311" + "aa" * 17, 0x1000))
    write("rtp", "two_byte_not_known", "2e" + all_on[2:],
          rtp_packet(b"payload", "0311" + "aa" * 17 + "020162", 0x1000))
    write("rtp", "csrcs_and_padding", all_on, rtp_packet(b"payload", "1061", csrcs=15, padding=9))
    write("rtp", "padding_alone", none, rtp_packet(padding=255))
    write("rtp", "crowded", all_on, rtp_packet(b"x", "0140" + "bb" * 64 + "02ff" + "cc" * 255,
                                               0x1000))
    write("rtp", "many", all_on, rtp_packet(b"x", "1061" * 17))
    write("rtp", "stopped", all_on, rtp_packet(b"x", "1061 f0 62 2062"))
    write("rtp", "past_the_end", all_on, rtp_packet(b"x", "1f616263"))
    write("rtp", "rtx", none, rtp_packet(b"\x12\x34original", "1061"))


rtp()
