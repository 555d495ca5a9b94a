#!/usr/bin/env python3
"""Writes the seeds of the fuzz target of data channels into fuzz/seeds/, as make_seeds.py does
those of the others.

    fuzz/make_seeds_sctp.py
"""
import os

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = "1388 1388 a1b2c3d4 00000000"


def write(name, *parts):
    """Parts are bytes, or hexadecimal text."""
    folder = os.path.join(HERE, "seeds", "sctp")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(b"".join(part if isinstance(part, bytes) else bytes.fromhex(part)
                            for part in parts))


def packets():
    """'p', then a packet; its checksum is put right."""
    for name, text in {
        "init": "01 00 0020 01020304 00010000 ffff 0040 00000009 8008 0006 c082 0000 c000 0004",
        "data": "00 03 0015 00000009 0002 0003 00000033 68656c6c6f 000000",
        "sack": "03 00 0018 00000008 00020000 0001 0001 0002 0005 00000007",
        "forward_tsn": "c0 00 000c 0000000b 0001 0007",
        "reset": "82 00 0016 000d 0012 00000005 00000004 00000009 0003 0000",
        "abort": "06 01 0008 000c 0004",
    }.items():
        write("packet_" + name, b"p", HEADER, text)


def dcep():
    """'d', then a message."""
    write("open", b"d", "03 82 0100 000001f4 0004 0004 63686174 6a736f6e")
    write("open_reliable", b"d", "03 00 0000 00000000 0000 0000")
    write("ack", b"d", "02")


# acts of two ends: what, and how (see act() in fuzz_sctp.c); 80: of the second end
COME = "00 00"
COMES = COME * 4
UP = "00 00" + COMES * 3  # the ends' limits, then the handshake
TIME = "08 ff"


def ends():
    """A letter that is neither, the limits of each end, then the acts."""
    write("up", b"e", UP)
    write("channel", b"e", UP, "0400", COMES, "0511", COMES, "85 22", COMES, TIME, COMES)
    write("partial", b"e", UP, "0405", COMES, "05ff 0100 05f0 0100", TIME, COMES, TIME, COMES)
    write("lifetime", b"e", UP, "040a", COMES, "05ff 05ff 0100", TIME, TIME, COMES, TIME, COMES)
    write("close", b"e", UP, "0400", COMES, "0700", COMES, "8700", COMES, TIME, COMES)
    write("close_both", b"e", UP, "0400 8400", COMES, "0700 8700 0701", COMES * 2)
    write("negotiated", b"e", UP, "0460 8460 0511", COMES)
    write("lost", b"e", UP, "0400", COMES, "05ff 05f0 0100 0101", COMES, TIME, COMES, TIME, COMES)
    write("twice", b"e", UP, "0400 0200", COMES, "0523 0200 0201", COMES * 2)
    write("damaged", b"e", UP, "0400", COMES, "0523 0300 0440", COMES, TIME, COMES)
    write("small", b"e", "2f 2f", COMES * 3, "0400", COMES, "05ff 05ff", COMES * 4, TIME, COMES)
    made_up = {
        "reset": "82 00 0018 000d 0012 00000005 00000004 00000009 0003 0000",
        "add_streams": "82 00 0010 0011 000c 00000005 0010 0000",
        "forward": "c0 00 000c 0000000b 0001 0007",
        "heartbeat": "04 00 000c 0001 0008 01020304",
        "shutdown": "07 00 0008 00000000",
        "abort": "06 00 0004",
        "unknown": "3f 00 0004 bf 00 0004",
    }
    for name, text in made_up.items():
        size = len(bytes.fromhex(text))
        write("made_up_" + name, b"e", UP, "0400", COMES, f"09{size:02x}", text, COMES, TIME, COMES)


packets()
dcep()
ends()
