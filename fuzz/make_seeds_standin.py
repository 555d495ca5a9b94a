#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets of stand-ins into fuzz/seeds/, as make_seeds.py does those
of the others.

    fuzz/make_seeds_standin.py
"""
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def write(target, name, content):
    folder = os.path.join(HERE, "seeds", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def standin():
    """What clients are like, then acts: fuzz_standin.c says which."""
    def seed(name, like, acts):
        write("standin", name, bytes([like]) + bytes.fromhex(acts))

    all_come, talk = "00 04 08", "21 24 22 28 26 29"
    seed("streamer", 0, all_come + "10" + talk + "0c 2c")
    seed("pair", 0, all_come + "94 10" + talk + "14" + talk + "60 64")
    seed("renegotiation", 0, all_come + "10" + talk + "98 18" + talk + talk)
    seed("reload", 0, all_come + "10" + talk + "30 10" + talk)
    each = "98 11 21 24 12 22 28 16 26 29"
    seed("each", 1, all_come + each + each)
    seed("each_leaves", 1, all_come + each + "62 66 69 68 04 22 22 28 28")
    seed("renewed_leaves", 3, all_come + each + "04 22 62 28 68")
    seed("glare", 1, all_come + "11 14 21 24 8d 14 21 24")
    seed("late_heir", 1, all_come + "98 11 24 18 22 28 04 71 8d 04 11 21 22")
    seed("ends", 1, all_come + each + "71 72 22 76")
    seed("broken", 1, all_come + "11 51 0010 51 0100 54 0203 21 24")
    seed("text", 0, all_come + "40 0005 763d300d0a")


def standin_text():
    """A byte (offers or answers), then a message."""
    def seed(name, text):
        write("standin_text", name, " " + text)

    sdp = r'"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"'
    description = '{"type":"offer","sdp":' + sdp + "}"
    seed("text", description)
    seed("object", '{"type":"offer","sdp":' + description + "}")
    seed("named", '{"offer":' + description + ',"roomId":"r"}')
    seed("keyed", '{"key":"k","body":' + description + "}")
    seed("list", '"r",' + description + ",1")
    seed("two", '{"sdp":"v=1","a":' + description + "}")
    seed("deep", '{"a":{"b":{"c":' + description + "}}}")
    seed("too_deep", '{"a":{"b":{"c":{"d":' + description + "}}}}")
    seed("candidate", '{"type":"candidate","candidate":{"sdpMid":"0"}}')


standin()
standin_text()
