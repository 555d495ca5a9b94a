/* metrics.h - the counters and gauges of one worker.
 *
 * The worker's thread alone writes them; any thread may read (relaxed atomics, no lock).
 */
#ifndef MOIM_BASE_METRICS_H
#define MOIM_BASE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

/* enum name, exposed name, labels, kind, help.  Rows of one exposed name stand together. */
#define METRICS_TABLE(X)                                                                           \
    X(CONNECTIONS, "moim_connections", "", gauge, "Open stream connections.")                      \
    X(CONNECTIONS_ACCEPTED, "moim_connections_accepted_total", "", counter,                        \
      "Stream connections accepted.")                                                              \
    X(CONNECTIONS_REFUSED, "moim_connections_refused_total", "", counter,                          \
      "Stream connections refused because a limit was reached.")                                   \
    X(CONNECTIONS_MOVED, "moim_connections_moved_total", "", counter,                              \
      "Connections handed over to the worker that owns their room.")                               \
    X(TLS_FAILED, "moim_tls_handshakes_failed_total", "", counter, "TLS handshakes that failed.")  \
    X(BYTES_IN, "moim_stream_bytes_total", "direction=\"in\"", counter,                            \
      "Bytes of application data on stream connections.")                                          \
    X(BYTES_OUT, "moim_stream_bytes_total", "direction=\"out\"", counter, "")                      \
    X(HTTP_2XX, "moim_http_responses_total", "class=\"2xx\"", counter, "HTTP responses.")          \
    X(HTTP_3XX, "moim_http_responses_total", "class=\"3xx\"", counter, "")                         \
    X(HTTP_4XX, "moim_http_responses_total", "class=\"4xx\"", counter, "")                         \
    X(HTTP_5XX, "moim_http_responses_total", "class=\"5xx\"", counter, "")                         \
    X(WEBSOCKETS, "moim_websockets", "", gauge, "Open WebSockets.")                                \
    X(WEBSOCKET_IN, "moim_websocket_messages_total", "direction=\"in\"", counter,                  \
      "WebSocket data messages.")                                                                  \
    X(WEBSOCKET_OUT, "moim_websocket_messages_total", "direction=\"out\"", counter, "")            \
    X(CLOSED_SLOW, "moim_closed_total", "reason=\"slow_reader\"", counter,                         \
      "Connections closed by the server for a fault of the peer.")                                 \
    X(CLOSED_PROTOCOL, "moim_closed_total", "reason=\"protocol\"", counter, "")                    \
    X(CLOSED_TIMEOUT, "moim_closed_total", "reason=\"timeout\"", counter, "")                      \
    X(CLOSED_FLOOD, "moim_closed_total", "reason=\"flood\"", counter, "")                          \
    X(CLOSED_LIMIT, "moim_closed_total", "reason=\"limit\"", counter, "")                          \
    X(ROOMS, "moim_rooms", "", gauge, "Rooms with at least one member.")                           \
    X(MEMBERS, "moim_members", "", gauge, "Members of rooms, those away included.")                \
    X(MEMBERS_AWAY, "moim_members_away", "", gauge, "Members whose connection is broken.")         \
    X(JOINS, "moim_joins_total", "", counter, "Members that joined.")                              \
    X(RESUMES, "moim_resumes_total", "result=\"ok\"", counter, "Sessions taken up again.")         \
    X(RESUMES_LOST, "moim_resumes_total", "result=\"lost\"", counter, "")                          \
    X(MEET_IN, "moim_meet_messages_total", "direction=\"in\"", counter,                            \
      "Messages of the meeting protocol.")                                                         \
    X(MEET_OUT, "moim_meet_messages_total", "direction=\"out\"", counter, "")                      \
    X(MEET_ERRORS, "moim_meet_errors_total", "", counter, "Errors told to meeting clients.")       \
    X(TOKEN_MISSING, "moim_token_refusals_total", "reason=\"missing\"", counter,                   \
      "Joins and credentials refused for want of a token that serves.")                            \
    X(TOKEN_BAD, "moim_token_refusals_total", "reason=\"bad\"", counter, "")                       \
    X(TOKEN_EARLY, "moim_token_refusals_total", "reason=\"early\"", counter, "")                   \
    X(TOKEN_EXPIRED, "moim_token_refusals_total", "reason=\"expired\"", counter, "")               \
    X(TOKEN_NOT_ALLOWED, "moim_token_refusals_total", "reason=\"not_allowed\"", counter, "")       \
    X(STUN_ANSWERED, "moim_stun_requests_total", "result=\"answered\"", counter, "STUN requests.") \
    X(STUN_REFUSED, "moim_stun_requests_total", "result=\"refused\"", counter, "")                 \
    X(STUN_DROPPED, "moim_stun_requests_total", "result=\"dropped\"", counter, "")                 \
    X(SESSIONS, "moim_sessions", "", gauge, "Open sessions at the endpoints of existing clients.") \
    X(SESSIONS_OPENED, "moim_sessions_opened_total", "", counter, "Sessions that were opened.")    \
    X(SESSIONS_REFUSED, "moim_sessions_refused_total", "", counter,                                \
      "Sessions refused because a limit was reached.")                                             \
    X(SESSION_IN, "moim_session_messages_total", "direction=\"in\"", counter,                      \
      "Messages of sessions.")                                                                     \
    X(SESSION_OUT, "moim_session_messages_total", "direction=\"out\"", counter, "")                \
    X(ORIGIN_REFUSED, "moim_origin_refused_total", "", counter,                                    \
      "Requests from pages of an origin that is not allowed.")                                     \
    X(ENGINE_UPGRADES, "moim_engine_upgrades_total", "", counter,                                  \
      "Engine.IO sessions that went from polling to a WebSocket.")                                 \
    X(ENGINE_DROPPED, "moim_engine_dropped_total", "", counter,                                    \
      "Messages with Engine.IO's separator in them, which a polling client can't be told.")        \
    X(STOMP_IN, "moim_stomp_frames_total", "direction=\"in\"", counter,                            \
      "STOMP frames, heart-beats not counted.")                                                    \
    X(STOMP_OUT, "moim_stomp_frames_total", "direction=\"out\"", counter, "")                      \
    X(STOMP_ERRORS, "moim_stomp_errors_total", "", counter, "Errors told to STOMP clients.")       \
    X(STOMP_DROPPED, "moim_stomp_dropped_total", "", counter,                                      \
      "Messages to where nobody can listen, or that a subscriber could not be told.")              \
    X(STOMP_SUBSCRIPTIONS, "moim_stomp_subscriptions", "", gauge, "Subscriptions.")                \
    X(DOOR_WAITS, "moim_door_waits", "", gauge, "Polls that wait at the CCTV door.")               \
    X(RELAY_ROOMS, "moim_relay_rooms", "", gauge, "Rooms of relays.")                              \
    X(RELAY_KEPT, "moim_relay_kept_messages", "", gauge,                                           \
      "Messages that relays keep for those who come later.")                                       \
    X(RELAY_REFUSED, "moim_relay_refused_total", "what=\"event\"", counter,                        \
      "What relays could not carry out: an event, or keeping one.")                                \
    X(RELAY_NOT_KEPT, "moim_relay_refused_total", "what=\"keep\"", counter, "")                    \
    X(STANDINS, "moim_standins", "", gauge,                                                        \
      "Peer connections in which the server stands in the place of another client.")               \
    X(STANDIN_REFUSED, "moim_standin_refused_total", "", counter,                                  \
      "Offers, answers and tracks that stand-ins could not take.")                                 \
    X(SOCKETIO_RECOVERED, "moim_socketio_recovered_total", "", counter,                            \
      "Socket.IO sockets that came back after their connection broke off.")                        \
    X(MEDIASOUP_ERRORS, "moim_mediasoup_errors_total", "", counter,                                \
      "Errors told to mediasoup's clients.")                                                       \
    X(TURN_ALLOCATIONS, "moim_turn_allocations", "", gauge, "Allocations of TURN clients.")        \
    X(TURN_ALLOCATED_UDP, "moim_turn_allocations_total", "transport=\"udp\"", counter,             \
      "Allocations made.")                                                                         \
    X(TURN_ALLOCATED_TCP, "moim_turn_allocations_total", "transport=\"tcp\"", counter, "")         \
    X(TURN_ALLOCATED_TLS, "moim_turn_allocations_total", "transport=\"tls\"", counter, "")         \
    X(TURN_ALLOCATED_DTLS, "moim_turn_allocations_total", "transport=\"dtls\"", counter, "")       \
    X(TURN_REFUSED_UNAUTHENTICATED, "moim_turn_refused_total", "reason=\"unauthenticated\"",       \
      counter, "TURN requests refused.")                                                           \
    X(TURN_REFUSED_NONCE, "moim_turn_refused_total", "reason=\"stale_nonce\"", counter, "")        \
    X(TURN_REFUSED_FORBIDDEN, "moim_turn_refused_total", "reason=\"forbidden_peer\"", counter, "") \
    X(TURN_REFUSED_QUOTA, "moim_turn_refused_total", "reason=\"quota\"", counter, "")              \
    X(TURN_REFUSED_CAPACITY, "moim_turn_refused_total", "reason=\"capacity\"", counter, "")        \
    X(TURN_REFUSED_OTHER, "moim_turn_refused_total", "reason=\"other\"", counter, "")              \
    X(TURN_DROPPED_MALFORMED, "moim_turn_dropped_total", "reason=\"malformed\"", counter,          \
      "Packets of TURN clients and their peers that were dropped.")                                \
    X(TURN_DROPPED_STRAY, "moim_turn_dropped_total", "reason=\"no_allocation\"", counter, "")      \
    X(TURN_DROPPED_BUDGET, "moim_turn_dropped_total", "reason=\"budget\"", counter, "")            \
    X(TURN_DROPPED_PERMISSION, "moim_turn_dropped_total", "reason=\"no_permission\"", counter, "") \
    X(TURN_DROPPED_RATE, "moim_turn_dropped_total", "reason=\"rate\"", counter, "")                \
    X(TURN_DROPPED_FORWARD, "moim_turn_dropped_total", "reason=\"forward\"", counter, "")          \
    X(TURN_FORWARDED, "moim_turn_forwarded_total", "", counter,                                    \
      "Packets of TURN clients that came to another worker than theirs.")                          \
    X(TURN_FLOODS, "moim_turn_floods_total", "", counter,                                          \
      "Times that most of the strangers were turned away, for they came too fast.")                \
    X(TURN_PACKETS_UP, "moim_turn_relayed_packets_total", "direction=\"up\"", counter,             \
      "Packets relayed to peers (up) and to clients (down).")                                      \
    X(TURN_PACKETS_DOWN, "moim_turn_relayed_packets_total", "direction=\"down\"", counter, "")     \
    X(TURN_JOINED, "moim_turn_joined_packets_total", "", counter,                                  \
      "Relayed packets that met another relay, or media, within the process.")                     \
    X(TURN_BYTES_UP, "moim_turn_relayed_bytes_total", "direction=\"up\"", counter,                 \
      "Bytes relayed to peers (up) and to clients (down).")                                        \
    X(TURN_BYTES_DOWN, "moim_turn_relayed_bytes_total", "direction=\"down\"", counter, "")         \
    X(DTLS_ASSOCIATIONS, "moim_dtls_associations", "", gauge,                                      \
      "DTLS associations of TURN clients, handshakes included.")                                   \
    X(DTLS_DONE, "moim_dtls_handshakes_total", "result=\"done\"", counter, "DTLS handshakes.")     \
    X(DTLS_FAILED, "moim_dtls_handshakes_total", "result=\"failed\"", counter, "")                 \
    X(DTLS_EVICTED, "moim_dtls_handshakes_total", "result=\"evicted\"", counter, "")               \
    X(DTLS_REFUSED, "moim_dtls_handshakes_total", "result=\"refused\"", counter, "")               \
    X(DTLS_COOKIES, "moim_dtls_cookies_total", "", counter,                                        \
      "DTLS hellos answered by a cookie: before it comes back, nothing is kept.")                  \
    X(DTLS_STRAYS, "moim_dtls_strays_total", "", counter,                                          \
      "Datagrams of no DTLS association, which were dropped.")                                     \
    X(RTC_CONNECTED, "moim_rtc_connected_total", "", counter,                                      \
      "Media transports whose handshake was done.")                                                \
    X(RTC_TRANSPORTS, "moim_rtc_transports", "", gauge, "Media transports that are open.")         \
    X(RTC_STREAMS, "moim_rtc_streams", "", gauge,                                                  \
      "Connections of ICE-TCP that are a transport's.")                                            \
    X(RTC_STRANGERS, "moim_rtc_strangers_closed_total", "", counter,                               \
      "Connections to media ports that were closed, being nobody's.")                              \
    X(RTC_RUNS, "moim_rtc_runs_total", "", counter,                                                \
      "Runs of packets that went out on media ports by UDP.")                                      \
    X(RTC_DROPPED_STRAY, "moim_rtc_dropped_total", "reason=\"stranger\"", counter,                 \
      "Datagrams on media ports that were dropped.")                                               \
    X(RTC_DROPPED_EARLY, "moim_rtc_dropped_total", "reason=\"not_connected\"", counter, "")        \
    X(RTC_DROPPED_FORGED, "moim_rtc_dropped_total", "reason=\"forged\"", counter, "")              \
    X(RTC_DROPPED_REPLAYED, "moim_rtc_dropped_total", "reason=\"replayed\"", counter, "")          \
    X(RTC_DROPPED_LIMIT, "moim_rtc_dropped_total", "reason=\"limit\"", counter, "")                \
    X(RTC_DROPPED_MALFORMED, "moim_rtc_dropped_total", "reason=\"malformed\"", counter, "")        \
    X(RTC_NOT_SENT, "moim_rtc_not_sent_total", "", counter,                                        \
      "Media packets that found no room on their way out.")                                        \
    X(MEDIA_PEERS, "moim_media_peers", "", gauge, "Peer connections with the server.")             \
    X(MEDIA_CONNECTED_UDP, "moim_media_connected", "ice=\"udp\"", gauge,                           \
      "Those of them that are connected, by the way on which they came.")                          \
    X(MEDIA_CONNECTED_TCP, "moim_media_connected", "ice=\"tcp\"", gauge, "")                       \
    X(MEDIA_ENDED_CLOSED, "moim_media_ended_total", "reason=\"closed\"", counter,                  \
      "Peer connections that ended.")                                                              \
    X(MEDIA_ENDED_LOST, "moim_media_ended_total", "reason=\"lost\"", counter, "")                  \
    X(MEDIA_ENDED_TIMEOUT, "moim_media_ended_total", "reason=\"timeout\"", counter, "")            \
    X(MEDIA_ENDED_FAILED, "moim_media_ended_total", "reason=\"failed\"", counter, "")              \
    X(MEDIA_LOST_IN, "moim_media_lost_total", "direction=\"in\"", counter,                         \
      "RTP packets that never came, from publishers (in) and to subscribers (out).")               \
    X(MEDIA_LOST_OUT, "moim_media_lost_total", "direction=\"out\"", counter, "")                   \
    X(MEDIA_TRACKS, "moim_media_tracks", "", gauge,                                                \
      "Tracks that are received, those by links included.")                                        \
    X(MEDIA_LINKS, "moim_media_links", "", gauge,                                                  \
      "Tracks that come by links, from other workers.")                                            \
    X(MEDIA_LINK_LOST, "moim_media_link_lost_total", "", counter,                                  \
      "Packets and wishes for key frames that found no room on a link.")                           \
    X(MEDIA_PACKETS_IN, "moim_media_packets_total", "direction=\"in\"", counter,                   \
      "RTP packets received for tracks, and forwarded to subscribers.")                            \
    X(MEDIA_PACKETS_OUT, "moim_media_packets_total", "direction=\"out\"", counter, "")             \
    X(MEDIA_BYTES_IN, "moim_media_bytes_total", "direction=\"in\"", counter, "Bytes of these.")    \
    X(MEDIA_BYTES_OUT, "moim_media_bytes_total", "direction=\"out\"", counter, "")                 \
    X(MEDIA_REPEATED, "moim_media_repeated_total", "", counter,                                    \
      "Packets that subscribers asked for again, and got.")                                        \
    X(MEDIA_NACKS_IN, "moim_media_nacks_total", "direction=\"in\"", counter,                       \
      "Packets asked for again, by subscribers (in) and of publishers (out).")                     \
    X(MEDIA_NACKS_OUT, "moim_media_nacks_total", "direction=\"out\"", counter, "")                 \
    X(MEDIA_KEYS_WANTED, "moim_media_key_requests_total", "direction=\"in\"", counter,             \
      "Key frames asked for, by subscribers (in) and of publishers (out).")                        \
    X(MEDIA_KEYS_ASKED, "moim_media_key_requests_total", "direction=\"out\"", counter, "")         \
    X(MEDIA_DROPPED_UNKNOWN, "moim_media_dropped_total", "reason=\"unknown\"", counter,            \
      "Packets of peers that were dropped: of no track, or broken.")                               \
    X(MEDIA_DROPPED_MALFORMED, "moim_media_dropped_total", "reason=\"malformed\"", counter, "")    \
    X(SCTP_UP, "moim_sctp_associations_total", "", counter,                                        \
      "Associations of data channels that came about.")                                            \
    X(SCTP_CHANNELS, "moim_data_channels", "", gauge, "Open data channels.")                       \
    X(SCTP_IN, "moim_data_messages_total", "direction=\"in\"", counter,                            \
      "Messages of data channels.")                                                                \
    X(SCTP_OUT, "moim_data_messages_total", "direction=\"out\"", counter, "")                      \
    X(SCTP_RETRANSMITTED, "moim_sctp_retransmitted_total", "", counter,                            \
      "Parts of messages of data channels that were sent again.")                                  \
    X(SCTP_DROPPED_MALFORMED, "moim_sctp_dropped_total", "reason=\"malformed\"", counter,          \
      "What came for data channels and was dropped.")                                              \
    X(SCTP_DROPPED_LIMIT, "moim_sctp_dropped_total", "reason=\"limit\"", counter, "")              \
    X(MEDIA_DATA_LOST, "moim_data_messages_lost_total", "", counter,                               \
      "Messages of data channels that one of their hearers could not be told.")                    \
    X(BUFFER_BYTES, "moim_buffer_bytes", "", gauge, "Message memory in use.")                      \
    X(LOG_DROPPED, "moim_log_events_dropped_total", "", counter, "Log events dropped in floods.")

enum metric {
#define METRICS_ENUM(name, exposed, labels, kind, help) METRIC_##name,
    METRICS_TABLE(METRICS_ENUM)
#undef METRICS_ENUM
        METRIC_COUNT
};

struct metrics {
    _Alignas(64) _Atomic uint64_t values[METRIC_COUNT];
};

static inline uint64_t metrics_read(struct metrics *metrics, enum metric metric)
{
    return atomic_load_explicit(&metrics->values[metric], memory_order_relaxed);
}

static inline void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value)
{
    atomic_store_explicit(&metrics->values[metric], value, memory_order_relaxed);
}

/* One writer: no read-modify-write instruction is needed. */
static inline void metrics_add(struct metrics *metrics, enum metric metric, uint64_t amount)
{
    metrics_set(metrics, metric, metrics_read(metrics, metric) + amount);
}

static inline void metrics_subtract(struct metrics *metrics, enum metric metric, uint64_t amount)
{
    metrics_set(metrics, metric, metrics_read(metrics, metric) - amount);
}

/* Writes the sums over `count` workers as Prometheus text (exposition format 0.0.4) into out.
 * Gives its length, which is below METRICS_TEXT_MAX. */
#define METRICS_TEXT_MAX (20 * 1024)
unsigned metrics_write(struct metrics *all, unsigned count, char out[METRICS_TEXT_MAX]);

#endif
