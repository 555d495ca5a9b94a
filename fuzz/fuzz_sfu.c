/* Fuzzes a worker's media: peers that take and make descriptions, send RTP and RTCP, subscribe,
 * pause, stop and close in any order, while time passes.
 *
 * Their transports are connected without ICE and DTLS, and what comes is handed in as opened, so
 * that a run is the same each time; what goes out is sealed and opened as ever.
 *
 * Input: acts, each of a byte for what it is (high half) and for whom (low two bits), and what it
 * needs: see act().  What must hold: pumping ends; nothing goes out twice under one number but the
 * same; what goes out can be opened; in the end nothing is left.
 */
#include "negotiation_support.h"
#include "sfu_texts.h"

#include "media/sfu.h"
#include "wire/rtcp_feedback.h"

enum { PEERS = 3, SENT_MAX = 2048, ACTS_MAX = 200, PUMPS_MAX = 200, GCM = 7 };

struct far {
    struct peer *peer;
    struct secure_session secure;
    char letter[TEXT_SIZE];
    size_t letter_size;
};

/* What went out: no number twice with other bytes. */
struct sent {
    uint64_t index;
    uint64_t digest;
    uint32_t ssrc;
    uint8_t whom;
};

static struct rtc rtc;
static struct sfu sfu;
static struct far fars[PEERS];
static struct metrics metrics;
static struct secure_engine *engine, *far_engine;
static usec now;
static uint64_t seed;
static struct random random_source = { input_random_fill, &seed };
static struct sent sent[SENT_MAX];
static unsigned sent_count, name_count;
static uint64_t heard_count;

/* ---- what goes out ---- */

static void note_sent(uint8_t whom, struct view bytes)
{
    uint32_t ssrc = (uint32_t)bytes.at[8] << 24 | (uint32_t)bytes.at[9] << 16 |
                    (uint32_t)bytes.at[10] << 8 | bytes.at[11];
    struct rtp_unwrapper unwrapper = { 0 };
    uint64_t digest = 0;
    digest_add(&digest, bytes.at, bytes.size);
    for (unsigned i = 0; i < sent_count; i++)
        if (sent[i].whom == whom && sent[i].ssrc == ssrc && sent[i].index > unwrapper.highest)
            unwrapper.highest = sent[i].index;
    uint64_t index = rtp_unwrap_sequence(&unwrapper, (uint16_t)(bytes.at[2] << 8 | bytes.at[3]));
    for (unsigned i = 0; i < sent_count; i++)
        if (sent[i].whom == whom && sent[i].ssrc == ssrc && sent[i].index == index)
            CHECK(sent[i].digest == digest);
    if (sent_count < SENT_MAX)
        sent[sent_count++] =
            (struct sent){ .index = index, .digest = digest, .ssrc = ssrc, .whom = whom };
}

static void hear(uint8_t whom, struct view bytes)
{
    struct span copy = input_copy(bytes);
    struct secure_incoming in = { .session = &fars[whom].secure, .packet = copy };
    if (rtp_is_rtcp(bytes)) {
        in.status = secure_unprotect_rtcp(in.session, &in.packet);
        CHECK(in.status == OK);
    } else {
        note_sent(whom, bytes);
        heard_count++;
        secure_unprotect(far_engine, &in, 1);
        CHECK(in.status == OK || in.status == ERR_REPLAYED || in.status == ERR_OLD ||
              in.status == ERR_LIMIT);
    }
    free(copy.at);
}

static void flush(void)
{
    uint32_t count;
    const struct rtc_run *runs = rtc_seal(&rtc, &count);
    for (uint32_t r = 0; r < count; r++) {
        struct view rest = runs[r].bytes;
        for (unsigned i = 0; i < runs[r].count; i++) {
            hear((uint8_t)(runs[r].flow->remote.port - 1), view_slice(rest, 0, runs[r].segment));
            rest = view_slice(rest, runs[r].segment, rest.size);
        }
        CHECK(rest.size == 0);
    }
    rtc_sent(&rtc);
    /* SRTP seals no number twice, as it should: but it is not to be asked for that */
    CHECK(heard_count == metrics_read(&metrics, METRIC_MEDIA_PACKETS_OUT) +
                             metrics_read(&metrics, METRIC_MEDIA_REPEATED));
}

static void pump(void)
{
    unsigned times = 0;
    while (!sfu_pump(&sfu, now)) {
        flush();
        CHECK(++times < PUMPS_MAX);
    }
    flush();
    CHECK(sfu.repeat_count == 0);
    /* but for pictures of which the rest is waited for */
    const struct list *streams = &sfu.tracks.pumping;
    for (const struct list *at = streams->next; at != streams; at = at->next) {
        usec until = rtp_stream_held_until(LIST_ENTRY(at, struct rtp_stream, pumping));
        CHECK(now < until && until <= now + RTP_STREAM_HOLD && sfu_until(&sfu) <= until);
    }
}

/* ---- peers ---- */

static void far_close(struct far *far)
{
    peer_close(far->peer, now);
    secure_session_close(&far->secure);
    far->peer = NULL;
    far->letter_size = 0;
}

static void far_open(struct far *far)
{
    uint8_t material[SECURE_MATERIAL_MAX];
    uint8_t whom = (uint8_t)(far - fars);
    const struct peer_config config = { .owner = far,
                                        .policy = &END_POLICY,
                                        .is_polite = whom != 1 };
    size_t size = secure_material_size(GCM);
    CHECK(peer_open(&sfu, now, &config, &far->peer) == OK);
    struct rtc_transport *transport = far->peer->transport;
    memset(material, 17 + whom, sizeof material);
    for (unsigned i = 0; i < size; i++)
        material[i] = (uint8_t)(material[i] + i);
    CHECK(secure_session_open(&transport->secure, engine, GCM, false, view_make(material, size)) ==
          OK);
    CHECK(secure_session_open(&far->secure, far_engine, GCM, true, view_make(material, size)) ==
          OK);
    transport->overhead = (uint8_t)secure_session_overhead(&transport->secure);
    transport->way =
        (struct ice_flow){ .remote = { ADDRESS_IPV4, { 192, 0, 2, 1 }, (uint16_t)(whom + 1) } };
    transport->has_way = true;
    /* numbers begin anew with the keys */
    for (unsigned i = 0; i < sent_count; i++)
        if (sent[i].whom == whom)
            sent[i--] = sent[--sent_count];
}

static void far_connect(struct far *far)
{
    far->peer->transport->is_connected = true;
    if (far->peer->state == PEER_NEW)
        sfu_hear(&sfu, now,
                 &(struct rtc_out){ .kind = RTC_CONNECTED, .transport = far->peer->transport });
}

static struct transceiver *pick(const struct far *far, uint8_t which)
{
    struct transceiver *at = NULL;
    uint32_t count = far->peer ? far->peer->transceiver_count : 0;
    for (uint32_t i = 0; count > 0 && i <= which % count; i++)
        at = peer_next(far->peer, at);
    CHECK(count == 0 || at);
    return at;
}

/* ---- descriptions ---- */

static void announce(struct transceiver *transceiver)
{
    char name[16];
    int size = snprintf(name, sizeof name, "t%u", name_count++);
    transceiver_announce(transceiver, VIEW("s"), view_make(name, (size_t)size));
}

static void finish_answer(struct far *far)
{
    if (far->peer->negotiation.state == NEGOTIATION_REMOTE_OFFER)
        CHECK(peer_write_answer(far->peer, now, (struct span){ (uint8_t *)far->letter, TEXT_SIZE },
                                &far->letter_size) == OK);
    far->letter_size = 0;
}

static void take_offer(struct far *far, struct view *input)
{
    struct description_error error;
    uint8_t which = input_byte(input);
    struct view from = OFFERS[which % (sizeof OFFERS / sizeof OFFERS[0])];
    struct span offer = mutate(from, input);
    uint8_t how = input_byte(input);
    int status = peer_take_offer(far->peer, now, view_of_span(offer), &error);
    free(offer.at);
    if (status != OK)
        return;
    unsigned i = 0;
    for (struct transceiver *at = NULL; (at = peer_next(far->peer, at)); i++) {
        if (how >> (i & 3) & 1)
            announce(at);
        if (how >> (4 + (i & 3)) & 1)
            transceiver_refuse(at, now);
    }
    finish_answer(far);
}

static void take_answer(struct far *far, struct view *input)
{
    struct description_error error;
    struct span answer = mutate(turn(view_make(far->letter, far->letter_size)), input);
    int status = peer_take_answer(far->peer, now, view_of_span(answer), &error);
    free(answer.at);
    if (status == OK)
        far->letter_size = 0;
}

static void write_offer(struct far *far)
{
    if (far->peer->negotiation.state == NEGOTIATION_STABLE)
        CHECK(peer_write_offer(far->peer, now, (struct span){ (uint8_t *)far->letter, TEXT_SIZE },
                               &far->letter_size) == OK);
}

static void add(struct far *far, uint8_t how)
{
    char name[16];
    int size = snprintf(name, sizeof name, "t%u", name_count++);
    struct transceiver *transceiver;
    struct transceiver *source = pick(&fars[(how >> 4) % PEERS], how >> 2 & 3);
    struct peer_adding adding = { .is_video = how & 1,
                                  .may_receive = how & 2,
                                  .stream_name = VIEW("s"),
                                  .track_name = view_make(name, (size_t)size) };
    if (source && source->receiving && source->receiving->is_video == adding.is_video)
        adding.track = source->receiving;
    int status = peer_add(far->peer, now, &adding, &transceiver);
    CHECK(status == OK || status == ERR_LIMIT);
}

/* ---- media ---- */

static void hear_bytes(struct far *far, enum rtc_out_kind kind, struct view bytes)
{
    struct span copy = input_copy(bytes);
    if (far->peer->state == PEER_CONNECTED)
        sfu_hear(&sfu, now,
                 &(struct rtc_out){
                     .kind = (uint8_t)kind, .transport = far->peer->transport, .packet = copy });
    free(copy.at);
}

static void put32(uint8_t *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Extensions of one byte each: mid, rid (or repaired-rid), and the transport-wide number. */
static size_t put_extensions(const struct transceiver *at, uint8_t how, uint8_t *out)
{
    const uint8_t *ids = at->terms.extensions;
    static const uint8_t RIDS[] = "hlhm";
    uint8_t rid_id = ids[how & 8 ? RTP_EXTENSION_REPAIRED_RID : RTP_EXTENSION_RID];
    memcpy(out, "\xbe\xde\0\2\0\0\0\0\0\0\0\0", 12);
    if (ids[RTP_EXTENSION_MID] && ids[RTP_EXTENSION_MID] < 15 && at->terms.mid_size == 1) {
        out[4] = (uint8_t)(ids[RTP_EXTENSION_MID] << 4);
        out[5] = (uint8_t)at->terms.mid[0];
    }
    if (rid_id && rid_id < 15 && how & 4) {
        out[6] = (uint8_t)(rid_id << 4);
        out[7] = RIDS[how >> 4 & 3];
    }
    if (ids[RTP_EXTENSION_TRANSPORT_CC] && ids[RTP_EXTENSION_TRANSPORT_CC] < 15) {
        out[8] = (uint8_t)(ids[RTP_EXTENSION_TRANSPORT_CC] << 4 | 1);
        out[10] = how;
    }
    return 12;
}

/* Some packets of a track of the peer's, with numbers that go on, jump and come again. */
static void send_rtp(struct far *far, struct view *input)
{
    static uint16_t number;
    uint8_t packet[400] = { 0x80 };
    uint8_t how = input_byte(input);
    struct transceiver *at = pick(far, input_byte(input));
    uint8_t count = input_byte(input) & 31;
    uint8_t jump = input_byte(input);
    struct view payload = input_take(input, input_byte(input));
    if (!at || !at->receiving || at->terms.format_count == 0)
        return;
    const struct track *track = at->receiving;
    const struct media_format *format = &track->terms.formats[how % track->terms.format_count];
    uint32_t ssrc = 5000u + (how >> 4);
    if (how & 2 && track->encoding_count > 0)
        ssrc = track->encodings[how % track->encoding_count]->ssrc;
    packet[1] = (uint8_t)(format->payload_type | (how << 7));
    if (how & 8) {
        packet[1] = format->rtx & 127;
        ssrc += 100;
    }
    size_t size = 12;
    if (how & 4 || jump & 1) {
        packet[0] |= 0x10;
        size += put_extensions(at, how, packet + 12);
    }
    number = (uint16_t)(jump & 0x80 ? number + jump * 97u : number + (jump >> 1 & 3) - 1u);
    memcpy(packet + size, payload.at, payload.size);
    for (unsigned i = 0; i < count; i++, number++) {
        packet[2] = (uint8_t)(number >> 8);
        packet[3] = (uint8_t)number;
        put32(packet + 4, number * (at->is_video ? 3000u : 960u));
        put32(packet + 8, ssrc);
        hear_bytes(far, RTC_RTP, view_make(packet, size + payload.size));
    }
}

static void send_rtcp(struct far *far, struct view *input)
{
    uint8_t bytes[600];
    uint16_t numbers[8];
    struct rtcp_writer writer;
    uint8_t how = input_byte(input);
    const struct transceiver *at = pick(far, input_byte(input));
    uint8_t back = input_byte(input);
    uint32_t ssrc = at && at->is_announced ? at->sender.config.ssrc : 7001;
    for (unsigned i = 0; i < 8; i++)
        numbers[i] = (uint16_t)((at ? at->sender.highest : 0) - back + i);
    rtcp_begin(&writer, bytes, sizeof bytes);
    if (how & 1)
        rtcp_add_rr(&writer, 5, &(struct rtcp_report){ .ssrc = ssrc, .jitter = back }, 1);
    if (how & 2)
        rtcp_add_nack(&writer, 5, ssrc, numbers, 8);
    if (how & 4)
        rtcp_add_pli(&writer, 5, ssrc);
    if (how & 8)
        rtcp_add_fir(&writer, 5, (struct rtcp_fir){ .ssrc = ssrc, .sequence_number = back });
    if (how & 16)
        rtcp_add_sr(&writer,
                    &(struct rtcp_sr){
                        .ssrc = 7001, .ntp = (uint64_t)back << 32, .rtp_timestamp = back * 90000u },
                    NULL, 0);
    struct view more = input_take(input, how & 32 ? input_byte(input) : 0);
    memcpy(bytes + writer.size, more.at, more.size);
    hear_bytes(far, RTC_RTCP, view_make(bytes, writer.size + more.size));
}

/* ---- time ---- */

static void settle(void)
{
    struct peer *peer;
    pump();
    while ((peer = sfu_poll(&sfu)))
        if (peer->state == PEER_ENDED)
            far_close(peer->owner);
    pump();
}

static void wait_for(uint8_t exponent)
{
    usec until = now + (USEC_MS << (exponent & 15));
    unsigned idle = 0;
    while (sfu_until(&sfu) <= until) {
        usec next = sfu_until(&sfu);
        idle = next > now ? 0 : idle + 1;
        CHECK(idle < 16);
        now = next > now ? next : now;
        sfu_tick(&sfu, now);
        settle();
    }
    now = until;
}

/* ---- acts ---- */

static void subscribe(struct far *far, uint8_t slot, uint8_t whose)
{
    struct transceiver *at = pick(far, slot);
    const struct transceiver *source = pick(&fars[whose % PEERS], whose >> 2);
    struct track *track = source && !(whose & 0x80) ? source->receiving : NULL;
    if (!at || (track && track->is_video != at->is_video))
        return;
    int status = transceiver_subscribe(at, now, track);
    CHECK(status == OK || status == ERR_UNSUPPORTED);
    CHECK(at->subscription == (status == OK ? track : NULL));
}

static void act_on_slot(struct far *far, uint8_t what, uint8_t slot)
{
    struct transceiver *at = pick(far, slot);
    if (!at)
        return;
    if (what == 0)
        transceiver_stop(at, now);
    else if (what == 1)
        announce(at);
    else
        transceiver_pause(at, now, what & 1);
}

static void end(struct far *far)
{
    if (far->peer->state == PEER_CONNECTED)
        sfu_hear(&sfu, now,
                 &(struct rtc_out){ .kind = RTC_ENDED,
                                    .end = RTC_END_BY_PEER,
                                    .transport = far->peer->transport });
}

/* Its sound goes in packets of so many frames of 20 ms from now on; 0: as it comes. */
static void join_sound(struct far *far, uint8_t frames)
{
    far->peer->sound.rung = frames % SOUND_RUNGS; /* it looks what waits, then */
    for (struct transceiver *at = NULL; (at = peer_next(far->peer, at));)
        if (!at->is_video && at->is_announced)
            (void)sender_join(&at->sender, now, (uint16_t)(960 * (frames % SOUND_RUNGS)));
}

static void act(uint8_t what, struct view *input)
{
    struct far *far = &fars[(what & 3) % PEERS];
    if (!far->peer)
        far_open(far);
    switch (what >> 4) {
    case 0:
        far_connect(far);
        break;
    case 1: /* which text, its changes, what is announced and refused */
        take_offer(far, input);
        break;
    case 2:
        write_offer(far);
        break;
    case 3: /* the answer's changes */
        take_answer(far, input);
        break;
    case 4: /* how, which slot, how many, what number, size, payload */
        send_rtp(far, input);
        break;
    case 5: /* how, which slot, how far back, size, more */
        send_rtcp(far, input);
        break;
    case 6:
        hear_bytes(far, what & 4 ? RTC_RTP : RTC_RTCP, input_take(input, input_byte(input)));
        break;
    case 7: { /* which slot, whose */
        uint8_t slot = input_byte(input);
        subscribe(far, slot, input_byte(input));
        break;
    }
    case 8: /* which slot */
        act_on_slot(far, what >> 2 & 3, input_byte(input));
        break;
    case 9:
        far_close(far);
        break;
    case 10: /* how long */
        wait_for(input_byte(input));
        break;
    case 11: /* how */
        add(far, input_byte(input));
        break;
    case 12:
        peer_rollback(far->peer);
        break;
    case 13:
        peer_restart(far->peer, now);
        break;
    case 14: /* how many */
        join_sound(far, input_byte(input));
        break;
    default:
        end(far);
        break;
    }
    if (!(what & 8))
        settle(); /* else more comes with the same wake-up */
}

/* What hangs together. */
static void check(void)
{
    uint32_t transceivers = 0, subscribed = 0, subscribers = 0;
    for (unsigned i = 0; i < PEERS; i++) {
        uint32_t count = 0;
        for (struct transceiver *at = NULL; fars[i].peer && (at = peer_next(fars[i].peer, at));) {
            count++;
            subscribed += at->subscription != NULL;
            subscribers += at->receiving ? at->receiving->subscriber_count : 0;
        }
        CHECK(!fars[i].peer || count == fars[i].peer->transceiver_count);
        transceivers += count;
    }
    CHECK(transceivers == sfu.transceivers.used && subscribed == subscribers);
}

static void make_engines(void)
{
    const struct secure_config secure = { SECURE_EVP, 2 * PEERS, 64 };
    CHECK(secure_engine_new(&secure, &engine) == OK);
    CHECK(secure_engine_new(&secure, &far_engine) == OK);
}

static void begin(void)
{
    const struct rtc_config ports = {
        .secure = engine, .random = &random_source, .metrics = &metrics, .transports_max = PEERS
    };
    const struct sfu_config config = { .rtc = &rtc,
                                       .random = &random_source,
                                       .metrics = &metrics,
                                       .candidates = { END_CANDIDATES[0] },
                                       .candidate_count = 1,
                                       .peers_max = PEERS,
                                       .transceivers_max = 24,
                                       .tracks_max = 8 };
    now = 1000 * USEC_S;
    seed = 1;
    sent_count = name_count = 0;
    heard_count = 0;
    memset(&metrics, 0, sizeof metrics);
    CHECK(rtc_init(&rtc, &ports, now) == OK);
    CHECK(sfu_init(&sfu, &config, now) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    if (!engine)
        make_engines();
    begin();
    for (unsigned i = 0; i < ACTS_MAX && input.size > 0; i++) {
        act(input_byte(&input), &input);
        check();
    }
    settle();
    for (unsigned i = 0; i < PEERS; i++)
        if (fars[i].peer)
            far_close(&fars[i]);
    pump();
    CHECK(sfu.peers.used == 0 && sfu.transceivers.used == 0 && sfu.arrivals.used == 0);
    CHECK(sfu.tracks.tracks.used == 0 && sfu.tracks.encodings.used == 0);
    CHECK(list_empty(&sfu.all) && list_empty(&sfu.touched) && list_empty(&sfu.news));
    CHECK(secure_engine_sessions(engine) == 0 && secure_engine_sources(engine) == 0);
    sfu_free(&sfu);
    rtc_free(&rtc);
    return 0;
}
