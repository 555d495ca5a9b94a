"""GStreamer's webrtcbin with H.264 and Opus: it codes a picture and a sound that it makes itself,
and decodes what comes.  What it speaks is told in e2e/lib/apart.js."""

import json
import os
import signal
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

OFTEN_MS = 200
VIDEO = (
    "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=102"
    ",packetization-mode=(string)1,rtcp-fb-nack-pli=(boolean)true,rtcp-fb-ccm-fir=(boolean)true"
)
AUDIO = (
    "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111"
    ",encoding-params=(string)2"
)

# Key frames come when somebody asks for them: of itself one a hundred seconds.
SENDING = f"""
    webrtcbin name=webrtc bundle-policy=max-bundle
    audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! opusenc
        ! rtpopuspay ! {AUDIO} ! webrtc.
    videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=10/1
        ! videoconvert ! openh264enc bitrate=300000 gop-size=1000
        ! video/x-h264,profile=constrained-baseline ! h264parse
        ! rtph264pay config-interval=-1 aggregate-mode=zero-latency ! {VIDEO} ! webrtc.
"""
RECEIVING = {
    "audio": "rtpopusdepay ! opusdec ! fakesink name=sink signal-handoffs=true sync=false",
    "video": "rtph264depay ! h264parse ! openh264dec"
    " ! fakesink name=sink signal-handoffs=true sync=false",
}
SOURCES = {"audio": "microphone", "video": "camera"}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")  # at once, for several threads say something
    sys.stdout.flush()


class Stack:
    def __init__(self):
        self.seen = {"audio": 0, "video": 0, "channels": 0, "words": 0}
        self.kept = []  # or a channel ends with its object
        self.offered = False
        self.pipeline = Gst.parse_launch(SENDING)
        self.webrtc = self.pipeline.get_by_name("webrtc")
        self.webrtc.connect("pad-added", self.receive)
        self.webrtc.connect("on-data-channel", self.open)
        self.webrtc.connect("notify::ice-gathering-state", self.gathered)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.fail)

    def start(self):
        direction = GstWebRTC.WebRTCRTPTransceiverDirection
        transceivers = []
        for index in range(2):
            transceivers.append(self.webrtc.emit("get-transceiver", index))
            transceivers[index].set_property("direction", direction.SENDONLY)
        for caps in (AUDIO, VIDEO + ",profile-level-id=(string)42e01f"):
            args = ("add-transceiver", direction.RECVONLY, Gst.Caps.from_string(caps))
            transceivers.append(self.webrtc.emit(*args))
        for transceiver in transceivers:
            transceiver.set_property("do-nack", True)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.kept.append(self.webrtc.emit("create-data-channel", "mine", None))
        GLib.timeout_add(50, self.describe)

    def describe(self):
        """What it sends is known when its coders have begun."""
        if not all(pad.get_current_caps() for pad in self.webrtc.sinkpads):
            return True
        made = Gst.Promise.new_with_change_func(self.offer)
        self.webrtc.emit("create-offer", None, made)
        return False

    def fail(self, _bus, message):
        print(message.parse_error(), file=sys.stderr, flush=True)

    def offer(self, promise):
        reply = promise.get_reply()  # which owns the description
        description = reply.get_value("offer")
        self.webrtc.emit("set-local-description", description, Gst.Promise.new())

    def gathered(self, *_):
        state = self.webrtc.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.offered:
            self.offered = True
            sdp = self.webrtc.get_property("local-description").sdp
            tracks = []
            for index in range(sdp.medias_len()):
                media = sdp.get_media(index)
                if media.get_attribute_val("sendonly") is None:
                    continue
                mid = media.get_attribute_val("mid")
                tracks.append({"mid": mid, "source": SOURCES[media.media]})
            say({"type": "offer", "sdp": sdp.as_text(), "tracks": tracks})

    def answer(self, text):
        _, sdp = GstSdp.SDPMessage.new_from_text(text)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.webrtc.emit("set-remote-description", description, Gst.Promise.new())

    def receive(self, _webrtc, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        decoder = Gst.parse_bin_from_description(RECEIVING[kind], True)
        decoder.get_by_name("sink").connect("handoff", self.count, kind)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def count(self, _sink, _buffer, _pad, kind):
        self.seen[kind] += 1

    def open(self, _webrtc, channel):
        self.seen["channels"] += 1
        self.kept.append(channel)
        channel.connect("on-message-string", self.hear, "send-string")
        channel.connect("on-message-data", self.hear, "send-data")

    def hear(self, channel, data, how):
        self.seen["words"] += 1
        channel.emit(how, data)

    def tell(self):
        say({"type": "seen", **self.seen})
        return True


def listen(stack):
    for line in sys.stdin:
        GLib.idle_add(stack.answer, json.loads(line)["sdp"])
    # Who made this process is gone.
    os.kill(os.getpid(), signal.SIGKILL)


Gst.init(None)
stack = Stack()
stack.start()
GLib.timeout_add(OFTEN_MS, stack.tell)
threading.Thread(target=listen, args=(stack,), daemon=True).start()
GLib.MainLoop().run()
