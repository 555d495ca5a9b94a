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


class Bits:
    """Writes numbers of bits, the highest first."""
    def __init__(self):
        self.text = ""

    def put(self, count, *values):
        self.text += "".join(format(value, f"0{count}b") for value in values)
        return self

    def bytes(self):
        padded = self.text + "0" * (-len(self.text) % 8)
        return bytes(int(padded[i:i + 8], 2) for i in range(0, len(padded), 8))


def descriptor_l1t2():
    """A key frame's: one spatial layer, two temporal ones, one chain, resolution 640 x 360."""
    bits = Bits().put(1, 1, 0).put(6, 10).put(16, 7).put(5, 0x10)
    bits.put(6, 10).put(5, 1).put(2, 0, 1, 3)            # templates: key, t0, t1
    bits.put(2, 2, 2, 2, 2, 0, 1)                        # indications
    bits.put(1, 0, 1).put(4, 1).put(1, 0, 1).put(4, 0).put(1, 0)  # fdiffs
    bits.put(1, 1).put(1, 0).put(4, 0, 2, 1)             # chains: ns(3) of 1 is 10
    return bits.put(1, 1).put(16, 639, 359).bytes()


def rtp_extensions():
    """Values behind a byte of their size: see fuzz_rtp_extensions.c."""
    def seed(name, *values):
        values = [value if isinstance(value, bytes) else bytes.fromhex(value) for value in values]
        write("rtp_extensions", name, *[bytes([len(value)]) + value for value in values])

    key = descriptor_l1t2()
    seed("small", b"hi", b"\x01\x02\x03", "01028064", "83", bytes(8), bytes(16), "09", "012345")
    seed("allocation_nothing", "00")
    seed("allocation_simulcast", "61 54 64 9601 ac02 f403 d80f 8827"
         "013f 00b3 0f 027f 0167 1e 04ff 02cf 1e")
    seed("allocation_masks", "a0 05 20 10 01 02 03 04")
    seed("uri", b"urn:ietf:params:rtp-hdrext:sdes:mid")
    seed("descriptor", key, "cb0008", "4c0009")
    seed("descriptor_custom", key, Bits().put(1, 1, 1).put(6, 11).put(16, 8).put(5, 0xf).put(2, 1)
         .put(2, 3, 0).put(2, 1).put(4, 2).put(2, 3).put(12, 9).put(2, 0).put(8, 200).bytes())
    seed("descriptor_unknown", "cb0008", key, "df0008")
    seed("descriptor_cut", key[:-3], key)


def bwe():
    """Steps: see fuzz_bwe.c."""
    send = b"s" + bytes([10, 10, 150])
    came = b"f" + bytes([5, 10]) + bytes([0x51] * 10) + bytes([1])
    late = b"f" + bytes([5, 10]) + bytes([0xf2] * 10) + bytes([1])
    lost = b"f" + bytes([5, 10]) + bytes([0x51, 0x50] * 5) + bytes([1])
    write("bwe", "calm", (send + came) * 60)
    write("bwe", "queue_grows", (send + came) * 30 + (send + late) * 30)
    write("bwe", "losses", (send + came) * 10 + (send + lost) * 60)
    write("bwe", "probes", (send + came) * 5 + (b"p" + bytes([5, 5, 150]) + came) * 40)
    write("bwe", "silence", (send + came) * 30 + (send + b"t" + bytes([200])) * 20
          + (send + came) * 10)
    write("bwe", "reports", (send + b"r" + bytes([250, 0, 0, 0, 100, 0, 0, 0, 20, 50])) * 20
          + b"m" + bytes([1, 0, 15, 0, 0, 0]) + b"w" + bytes([1, 0, 15, 0, 0])
          + b"u" + bytes([1, 0, 0, 4, 0]))
    write("bwe", "anything", send * 3, b"x" + bytes([1, 20]),
          "0000 001e 000001 00 201e", b"\x28" * 10, b"x" + bytes([240, 12]),
          "0000 001e 800000 01 001e 0000")


def rtcp():
    """A byte of choice, then a datagram, or arrivals: see fuzz_rtcp.c."""
    report = "11111111 40 ffffff 0002fffe 00000007 b7052000 00054000"
    both = "00000001 00000002"
    sender = "81 c8 000c a0b0c0d0 b44db705 20000000 00010203 00000004 00000500" + report
    cname = "81 ca 0003 a0b0c0d0 01 04 6d6f696d 0000"
    for name, text in {
        "compound": sender + cname + "81 ce 0002" + both,
        "receiver_report": "81 c9 0007 a0b0c0d0" + report,
        "chunks": "83 ca 0009 00000001 01 01 61 06 02 6263 00 00000002 00000000"
                  "00000003 08 05 6162636465 01 01 66 0000",
        "bye": "82 cb 0004 00000001 fffffffe 03 627965 00000000",
        "app": "80 cc 0002 00000001 6e616d65",
        "xr": "80 cf 000d a0b0c0d0 07 00 0001 12345678 04 00 0002 01020304 05060708"
              "05 00 0006 00000001 00000002 00000003 00000004 00000005 00000006",
        "nack": "81 cd 0005" + both + "fffa 8011 00c8 ffff 01f4 0000",
        "pli": "81 ce 0002" + both,
        "fir": "84 ce 0006 00000001 00000000 00000009 07 000000 fffffffe ff 000000",
        "remb": "8f ce 0006 00000001 00000000 52454d42 02 0b d090 48484848 52525252",
        "tmmbr": "83 cd 0004" + both + "00000009 12345678",
        "padding": "a1 ce 0003" + both + "00000004",
        "twcc_run": "8f cd 0005" + both + "0001 00dd 000000 00 00dd 0000",
        "twcc_vectors": "8f cd 000a" + both + "0005 0013 fffffe 09 d1a8 9f1c 2005"
                        "01 ff 7fff 8000 0102030405060708 0000",
        "twcc_padded": "af cd 0005" + both + "0001 0001 000000 00 2001 0101",
    }.items():
        write("rtcp", name, b"0", text)
    write("rtcp", "write_steady", b"w\x80", b"\0\x10\0" * 100)
    write("rtcp", "write_losses", b"w\x20", b"\0\x10\0\x40\xf0\0\xff\x7f\0\x90\x20\x30" * 30)


def payload():
    """A byte that names the codec (and 0x80 for the marker), then the payload."""
    codecs = ["opus", "red", "pcmu", "pcma", "g722", "vp8", "vp9", "h264", "h265", "av1"]
    key = "50 03 00 9d012a 8002 6801"
    for name, text in {
        "opus": "78 010203", "opus_dtx": "78", "opus_code_3": "83 30",
        "red": "ef 1e0003 ef 0f0002 6f 616263 6465 666768",
        "vp8": "10" + key, "vp8_all": "90 f0 9234 ab b5" + key, "vp8_short_id": "90 80 11 d1",
        "vp8_delta": "90 20 a0 51",
        "vp9": "a8 01 00 01 ff", "vp9_flexible": "f8 9234 e0 03 05 fe ff",
        "vp9_structure": "8a 01 58 0140 00b4 0280 0168 0500 02d0"
                         "04 00 28 01 02 54 03 5c 01 02 03 ff",
        "h264": "67 42e01f", "h264_stap_a": "78 0004 6742e01f 0002 68ce 0003 658884",
        "h264_size": "6764001eacd940a42fe22484000003000400000300f03c58b658",
        "h264_fu_a": "7c 85 8884", "h264_slice": "41 9a 00",
        "h265": "4201 01", "h265_ap": "6001 0003 40010c 0003 420101 0003 4401c0 0003 2601af",
        "h265_size": "4201020160000003009000000300000300"
                     "3f0000a005120171c92659598acd24995cd010000030001000000301e080",
        "h265_fu": "6201 93 af00",
        "av1": "28 03 08 0000 30 112233", "av1_sizes": "08 03 0c 0000 04 34 482233",
        "av1_size": "28 0d 08001301088086627fb39b3401 30 129face04fe02ce85000410410",
        "av1_continued": "a0 02 ffff 30 1122",
    }.items():
        choice = codecs.index(name.split("_")[0])
        write("payload", name, bytes([choice | 0x80]), text)


def sfu():
    """Acts, as fuzz_sfu.c has them: three peers that take the first offer of its list."""
    join = "00 10 00 00 0f 01 11 00 00 0f 02 12 00 00 0f"
    key, delta = "0b 10 00 00 00 9d012a4001b400", "0b 10 01 00 00 000000000000 00"
    sent = "40 02 01 01 03" + key + "40 02 01 08 03" + delta
    layers = "40 04 00 04 03" + key + "40 14 00 04 03" + key
    for name, text in {
        "forward": "71 01 06 72 01 06" + sent + "a0 0a" + sent,
        "repeat": "71 01 06" + sent + "51 02 01 03 51 07 01 06 a0 05 51 1f 01 02",
        "layers": "71 00 00" + layers + "a0 0b" + layers + "a0 0b 40 04 00 01 03" + key + "a0 0b",
        "audio": "71 02 09 40 02 02 09 03 04 01020304 50 10 02 05 a0 0b",
        "joined": "71 02 09 e1 03 40 02 02 07 03 04 78010203 51 02 02 01 51 02 02 00"
                  " 40 02 02 05 05 04 78040506 a0 05 e1 02 40 02 02 04 03 04 78070809 a0 06 e1 00",
        "gaps": "71 01 06" + sent + "40 02 01 03 91" + delta + "a0 08 40 0a 01 02 03 0d 0065"
                + key[2:] + "a0 09",
        "offers": "b1 05 21 31 00" + sent + "81 03 21 31 00 b1 05 21 c1 21 31 00 d1 21 31 00",
        "glare": "b2 05 22 12 00 00 01 32 00 22 32 00 b2 05 22 82 03 c2" + sent,
        "anew": "71 01 06" + sent + "10 00 00 00" + sent + "90 00 10 00 00 0f 71 01 06" + sent,
        "pause": "71 01 06" + sent + "8d 01" + sent + "89 01" + sent,
        "ends": "71 01 06 72 01 06" + sent + "e0" + sent + "91 a0 0c",
        "closed_at_once": "71 01 06" + sent + "59 02 01 03 99 48 02 01 04 03" + key + "98 a0 01",
        "at_once": "79 01 06 48 02 01 1f 03" + key + "48 02 01 1f 03" + delta + "59 02 01 09 a0 00",
    }.items():
        write("sfu", name, join, text)
    for which, name in enumerate("own chrome firefox safari gstreamer obs viewer munged".split()):
        write("sfu", "offer_" + name, bytes([0, 0x10, which, 0, 15]),
              "01 11 00 00 0f 71 00 00" + sent)


def layers():
    """The codec's number, then packets: choices, what is wanted, the step of the number, and the
    sizes and bytes of its descriptor and its payload."""
    def packet(choices, wanted, payload, descriptor=""):
        parts = [bytes.fromhex(text.replace(" ", "")) for text in (descriptor, payload)]
        return bytes([choices, wanted, 1]) + b"".join(bytes([len(part)]) + part for part in parts)

    vp8 = packet(3, 0, "90 f0 9234 ab 15 50 03 00 9d012a 8002 6801")
    for number, tid in enumerate((2, 1, 2, 0, 2, 1)):
        vp8 += packet(11, 63 if number > 3 else 0,
                      "90 f0 92%02x ab %02x 51 03" % (0x35 + number, tid << 6 | 0x35))
    vp9 = packet(3, 0, "ae 9234 01 05 30 0140 00b4 0280 0168 82")
    for number, layer in enumerate(("00", "02", "40", "42", "10", "13")):
        vp9 += packet(11, 9 if number > 3 else 0,
                      "e4 92%02x %s 06 82" % (0x35 + number // 2, layer))
    structure = "c0 0001 80 00 8e ea 88 0c 13 f0 b3"
    av1 = packet(3, 9, "18 08 00", structure) + packet(11, 0, "10 30", "c1 0002") * 3
    write("layers", "vp8_temporal", b"\0", vp8.hex())
    write("layers", "vp8_empty", b"\0", (vp8 + packet(11, 0, "") * 3 + vp8).hex())
    write("layers", "vp9_spatial", b"\1", vp9.hex())
    write("layers", "vp9_anew", b"\1", (vp9 + packet(31, 0, "") + vp9).hex())
    write("layers", "av1_descriptors", b"\2", (av1 + av1).hex())
    write("layers", "h264", b"\3", packet(3, 0, "67 42e01f").hex() * 3)
    write("layers", "h265_temporal", b"\4",
          (packet(3, 0, "4201 01") + packet(11, 0, "0202 80") + packet(11, 63, "0403 80")).hex())


rtp()
layers()
sfu()
rtp_extensions()
bwe()
rtcp()
payload()
