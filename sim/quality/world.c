#include "quality/world.h"

#include <stdlib.h>
#include <string.h>

#define GCM       7 /* SRTP's profile */
#define PUMPS_MAX 1000

#define EXTENSION(name) (1u << RTP_EXTENSION_##name)

static const struct negotiation_policy POLICY = { 0 };

static void must(int status)
{
    if (status != OK)
        abort(); /* of memory, or this program's error */
}

#define KNOWN 0.92 /* of what the line takes, below RTP */

bool world_knows_lines;

void world_init(struct world *world, uint64_t seed)
{
    const struct secure_config secure = { SECURE_BEST, WORLD_SESSIONS * WORLD_ENDS_MAX, 4096 };
    memset(world, 0, sizeof *world);
    chance_init(&world->chance, seed);
    world->seed = seed;
    world->random = chance_source(&world->chance);
    world->now = CHANCE_BEGIN;
    must(secure_engine_new(&secure, &world->engine));
    must(secure_engine_new(&secure, &world->far_engine));
    must(netem_store_init(&world->store, WORLD_STORE_MAX));
    const struct rtc_config ports = { .secure = world->engine,
                                      .random = &world->random,
                                      .metrics = &world->metrics,
                                      .transports_max = WORLD_ENDS_MAX };
    must(rtc_init(&world->rtc, &ports, world->now));
    const struct sfu_config config = { .rtc = &world->rtc,
                                       .random = &world->random,
                                       .metrics = &world->metrics,
                                       .peers_max = WORLD_ENDS_MAX,
                                       .transceivers_max = 4096,
                                       .tracks_max = 2 * WORLD_ENDS_MAX };
    must(sfu_init(&world->sfu, &config, world->now));
}

void world_free(struct world *world)
{
    for (unsigned i = 0; i < world->end_count; i++) {
        struct end *end = world->ends[i];
        peer_close(end->peer, world->now);
        for (unsigned k = 0; k < WORLD_SESSIONS; k++)
            secure_session_close(&end->secure[k]);
        netem_free(&end->up);
        netem_free(&end->down);
    }
    sfu_free(&world->sfu);
    rtc_free(&world->rtc);
    pool_free(&world->store);
    secure_engine_free(world->engine);
    secure_engine_free(world->far_engine);
}

static void share_keys(struct end *end)
{
    struct world *world = end->world;
    struct rtc_transport *transport = end->peer->transport;
    uint8_t material[SECURE_MATERIAL_MAX];
    size_t size = secure_material_size(GCM);
    random_fill(&world->random, material, size);
    must(secure_session_open(&transport->secure, world->engine, GCM, false,
                             view_make(material, size)));
    for (unsigned i = 0; i < WORLD_SESSIONS; i++)
        must(secure_session_open(&end->secure[i], world->far_engine, GCM, true,
                                 view_make(material, size)));
    transport->overhead = (uint8_t)secure_session_overhead(&transport->secure);
    transport->way = (struct ice_flow){ .remote = { ADDRESS_IPV4, { 192, 0, 2, 1 }, end->number } };
    transport->has_way = true;
    transport->is_connected = true;
}

void world_add(struct world *world, struct end *end, const struct netem_script *up,
               const struct netem_script *down)
{
    const struct peer_config config = { .owner = end, .policy = &POLICY, .may_join = true };
    if (world->end_count == WORLD_ENDS_MAX)
        abort();
    end->world = world;
    end->number = (uint16_t)world->end_count;
    world->ends[world->end_count++] = end;
    netem_init(&end->up, &world->store, chance_random(&world->chance),
               WORLD_OVERHEAD + WORLD_SEALED, world->now);
    netem_init(&end->down, &world->store, chance_random(&world->chance), WORLD_OVERHEAD,
               world->now);
    netem_follow(&end->up, world->now, up, world->now);
    netem_follow(&end->down, world->now, down, world->now);
    must(peer_open(&world->sfu, world->now, &config, &end->peer));
    share_keys(end);
    sfu_hear(&world->sfu, world->now,
             &(struct rtc_out){ .kind = RTC_CONNECTED, .transport = end->peer->transport });
    world_pump(world);
}

void end_send(struct end *end, struct view bytes)
{
    netem_send(&end->up, end->world->now, bytes, 0);
}

/* ---- the server's side ---- */

static void flush(struct world *world)
{
    uint32_t count;
    const struct rtc_run *runs = rtc_seal(&world->rtc, &count);
    for (uint32_t r = 0; r < count; r++) {
        struct view rest = runs[r].bytes;
        struct end *end = world->ends[runs[r].flow->remote.port];
        for (unsigned i = 0; i < runs[r].count; i++) {
            struct view packet = view_slice(rest, 0, runs[r].segment);
            netem_send(&end->down, world->now, packet, 0);
            end->sent_bytes += packet.size + WORLD_OVERHEAD;
            rest = view_slice(rest, runs[r].segment, rest.size);
        }
    }
    rtc_sent(&world->rtc);
}

/* Puts what is known in the place of what is estimated, and has nothing tried. */
static void tell_lines(struct world *world)
{
    for (unsigned i = 0; i < world->end_count; i++) {
        const struct end *end = world->ends[i];
        struct bwe *bwe = end->peer->bwe;
        if (!bwe)
            continue;
        bwe->target_bps = (double)end->down.setting.rate_bps * KNOWN / (end->other ? 2 : 1);
        bwe->has_feedback = true;
        bwe->prober = (struct bwe_prober){ .next_at = USEC_NEVER, .pause = USEC_S };
    }
}

void world_pump(struct world *world)
{
    struct peer *peer;
    unsigned times = 0;
    bool is_all;
    do {
        if (world_knows_lines)
            tell_lines(world);
        is_all = sfu_pump(&world->sfu, world->now);
        flush(world);
    } while (!is_all && ++times < PUMPS_MAX);
    if (!is_all)
        chance_fail(&world->chance, world->now, "pumping does not end");
    while ((peer = sfu_poll(&world->sfu)))
        if (peer->state == PEER_ENDED)
            chance_fail(&world->chance, world->now, "a peer has ended");
}

/* As often as the server is to be pumped meanwhile. */
static void hear_at_server(struct world *world, struct end *end)
{
    unsigned count = 0;
    for (struct netem_packet *packet; (packet = netem_take(&end->up, world->now));) {
        struct span bytes = { packet->bytes, packet->size };
        enum rtc_out_kind kind = rtp_is_rtcp(view_of_span(bytes)) ? RTC_RTCP : RTC_RTP;
        sfu_hear(&world->sfu, world->now,
                 &(struct rtc_out){
                     .kind = (uint8_t)kind, .transport = end->peer->transport, .packet = bytes });
        netem_give(&end->up, packet);
        if (++count % SFU_HEAR_MAX == 0)
            world_pump(world);
    }
    if (count > 0)
        world_pump(world);
}

/* ---- the far side ---- */

static void hear_at_end(struct end *end, const struct netem_packet *packet)
{
    uint8_t bytes[NETEM_PACKET_MAX];
    memcpy(bytes, packet->bytes, packet->size);
    struct secure_incoming in = { .session = &end->secure[bytes[11] % WORLD_SESSIONS],
                                  .packet = { bytes, packet->size } };
    if (rtp_is_rtcp(view_of_span(in.packet)))
        in.status = secure_unprotect_rtcp(&end->secure[0], &in.packet);
    else
        secure_unprotect(end->world->far_engine, &in, 1);
    if (in.status == OK)
        end->hear(end, packet->at, view_of_span(in.packet));
    else if (in.status != ERR_REPLAYED && in.status != ERR_OLD)
        chance_fail(&end->world->chance, end->world->now, "%u can't open a packet: %d", end->number,
                    in.status);
}

void world_step(struct world *world)
{
    world->now += WORLD_STEP;
    for (unsigned i = 0; i < world->end_count; i++)
        hear_at_server(world, world->ends[i]);
    if (sfu_until(&world->sfu) <= world->now)
        sfu_tick(&world->sfu, world->now);
    world_pump(world);
    for (unsigned i = 0; i < world->end_count; i++) {
        struct end *end = world->ends[i];
        for (struct netem_packet *packet; (packet = netem_take(&end->down, world->now));) {
            if (packet->tag == 0)
                hear_at_end(end, packet);
            else
                end->hear_other(end->other, packet);
            netem_give(&end->down, packet);
        }
    }
}
