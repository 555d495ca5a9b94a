// The messages of docs/PROTOCOL.md, version 1, as types. Nothing here exists at run time.

export interface MediaFlags {
  audio: boolean;
  video: boolean;
  screen: boolean;
}

export interface Member extends MediaFlags {
  id: string;
  name: string;
  hand: boolean;
  away: boolean;
}

export interface Welcome {
  type: "welcome";
  version: number;
  seq: number;
  you: string;
  session: string;
  room: string;
  name?: string;
  topology: string;
  camera?: string;
  members: Member[];
  iceServers: RTCIceServer[];
  resumeSeconds: number;
}

export interface Resumed {
  type: "resumed";
  seq: number;
  received: number;
  iceServers: RTCIceServer[];
}

export type Candidate = RTCIceCandidateInit | null;

export type DescriptionEvent = { type: "offer" | "answer"; seq: number; from: string; sdp: string };
export type CandidateEvent = { type: "candidate"; seq: number; from: string; candidate: Candidate };
export type ChatEvent = { type: "chat"; seq: number; from: string; text: string; to?: string };

export type Topology = "mesh" | "sfu";
export type Source = "microphone" | "camera" | "screen" | "screen-audio";

export type TracksEvent = {
  type: "tracks";
  seq: number;
  tracks: { mid: string; member: string; source: Source }[];
  wanted: { audio: number; video: number };
};

export type RoomEvent =
  | { type: "member-joined"; seq: number; member: Member }
  | { type: "member-left"; seq: number; member: string; reason: "left" | "lost" | "replaced" }
  | { type: "member-away"; seq: number; member: string }
  | { type: "member-back"; seq: number; member: string }
  | DescriptionEvent
  | CandidateEvent
  | ({ type: "media"; seq: number; from: string } & MediaFlags)
  | { type: "hand"; seq: number; from: string; raised: boolean }
  | ChatEvent
  | { type: "topology"; seq: number; topology: Topology }
  | { type: "sfu-answer"; seq: number; sdp: string }
  | TracksEvent
  | { type: "sfu-closed"; seq: number; reason: "lost" | "failed" | "closed" | "mesh" };

export type PictureReason = "window" | "bandwidth" | "hidden" | "last-n" | "paused";

/** How a slot is shown: in pixels of the screen; 0: not at all. */
export interface Tile {
  mid: string;
  width?: number;
  height?: number;
  priority?: number;
}

/** Of the slots of video that are not as good as they could be. */
export interface SfuState {
  type: "sfu-state";
  tracks: {
    mid: string;
    reason: PictureReason;
    on: boolean;
    width?: number;
    height?: number;
    fps?: number;
  }[];
}

/** What is wanted of a picture or a sound that is published, where that is not all of it. */
export interface Wanted {
  mid: string;
  on: boolean;
  off?: string[];
  bps?: number;
}

export interface SfuWanted {
  type: "sfu-wanted";
  tracks: Wanted[];
}

/** Why it looks as it does: from the least grave to the gravest. */
export type Verdict =
  | "nothing" | "silent" | "window" | "policy" | "sender-cpu" | "uplink" | "downlink";

/** What keeps an encoder from coding better. */
export type Limit = "none" | "cpu" | "bandwidth" | "other" | "unknown";

export interface Layer {
  encoding: number;
  spatial: number;
  temporal: number;
  width?: number;
  height?: number;
  fps?: number;
  bps: number;
}

/** How a picture comes in at the server; only `limit` where nothing is known. */
export interface WhySource {
  limit: Limit;
  encodings?: number;
  active?: number;
  unwanted?: number;
  width?: number;
  height?: number;
  fps?: number;
  bps?: number;
  loss?: number;
  jitter_us?: number;
  round_trip_us?: number;
}

export interface WhyPicture {
  mid: string;
  from?: string;
  source?: Source;
  verdict: Verdict;
  reason: PictureReason | "none" | "silent";
  on: boolean;
  waiting: boolean;
  given?: Layer;
  wanted?: Layer;
  publisher: WhySource;
}

export type WhySent = WhySource & {
  mid: string;
  source?: Source;
  verdict: Verdict;
  subscribers: number;
};

export interface Why {
  received: WhyPicture[];
  sent: WhySent[];
  line?: {
    limit: string;
    followed: boolean;
    estimate_bps?: number;
    sent_bps: number;
    given_bps: number;
    wanted_bps: number;
    loss: number;
    round_trip_us?: number;
    queue_us: number;
  };
  receiving: Verdict;
  sending: Verdict;
  verdict: Verdict;
}

/** Who speaks, and how loud: 0 (loudest) to 127 (silence), in -dBov. */
export interface SpeakersMessage {
  type: "speakers";
  dominant?: string;
  speaking: { member: string; level: number }[];
}

export interface ServerError {
  type: "error";
  code: string;
  message: string;
  re?: string;
  id?: number;
}

export type FromServer =
  | Welcome
  | Resumed
  | RoomEvent
  | ServerError
  | SfuState
  | SfuWanted
  | { type: "sfu-why"; why: Why }
  | SpeakersMessage
  | { type: "ack"; id: number }
  | { type: "pong" };

/** What a client sends inside a room. `Session` adds the `id`. */
export type RoomCommand =
  | { type: "offer" | "answer"; to: string; sdp: string }
  | { type: "candidate"; to: string; candidate: Candidate }
  | ({ type: "media" } & Partial<MediaFlags>)
  | { type: "hand"; raised: boolean }
  | { type: "sfu-offer"; new?: true; sdp: string; tracks: { mid: string; source: Source }[] }
  | { type: "sfu-wish"; tiles: Tile[] }
  | { type: "sfu-close" }
  | { type: "chat"; text: string; to?: string };

/** What is of no use when it comes late: it bears no `id`, and is not said again. */
export type PassingCommand =
  | { type: "sfu-why" }
  | { type: "sfu-quality"; limits: { camera?: Limit; screen?: Limit } };

export type Numbered = RoomCommand & { id: number };
