#include "media/sound.h"

#include "wire/payload_audio.h"

#define BELOW_RTP    28 /* bytes of IPv4 and UDP */
#define HEADERS      40 /* of RTP, its usual extensions and SRTP's tag */
#define PACKET_TICKS 960
#define USUAL_BPS    32000 /* of Opus, where nothing was said */

const struct sound_rung SOUND_LADDER[SOUND_RUNGS] = {
    { 0, 0 },
    { PACKET_TICKS, 0 }, /* nothing can be joined, but it is unwrapped */
    { 2 * PACKET_TICKS, 0 },
    { 3 * PACKET_TICKS, 0 },
    { 3 * PACKET_TICKS, 24000 },
    { 3 * PACKET_TICKS, 16000 },
};

static uint64_t packets_on(const struct sound_load *load, unsigned rung)
{
    unsigned joined = SOUND_LADDER[rung].ticks / PACKET_TICKS;
    return joined > 1 ? (load->packets + joined - 1) / joined : load->packets;
}

/* Of Opus: what is used to nearly all that was allowed would be more, were more allowed. */
static uint64_t opus_on(const struct sound_load *load, unsigned rung, unsigned now)
{
    uint64_t bps = load->unwrapped_bps;
    uint64_t allowed = (uint64_t)SOUND_LADDER[now].bps_most * load->tracks;
    uint64_t most = (uint64_t)SOUND_LADDER[rung].bps_most * load->tracks;
    if (allowed > 0 && bps > allowed * 3 / 4)
        bps = bps * USUAL_BPS / SOUND_LADDER[now].bps_most;
    return most > 0 && bps > most ? most : bps;
}

uint64_t sound_cost(const struct sound_load *load, unsigned rung, unsigned now)
{
    uint64_t headers = packets_on(load, rung) * (BELOW_RTP + HEADERS) * 8;
    if (rung == 0)
        return headers + load->payload_bps + opus_on(load, 0, now) - load->unwrapped_bps;
    return headers + opus_on(load, rung, now);
}

uint64_t sound_line(const struct sound *sound, const struct sound_load *going, uint64_t rtp_bps)
{
    return rtp_bps > 0 ? rtp_bps + packets_on(going, sound->rung) * BELOW_RTP * 8 : 0;
}

static void sink(struct sound *sound, usec now, uint8_t from)
{
    usec next = 2 * (sound->patience ? sound->patience : SOUND_PATIENCE);
    if (sound->rose_at > 0) {
        sound->patience = next < SOUND_PATIENCE_MOST ? next : SOUND_PATIENCE_MOST;
        sound->failed = from;
    }
    sound->rose_at = 0;
    sound->fell_at = now;
    sound->fits_since = 0;
}

/* The next rung up would be taken, or so it seems. */
static void rise(struct sound *sound, usec now)
{
    bool has_failed = sound->patience > 0 && sound->rung - 1 <= sound->failed;
    if (sound->fits_since == 0)
        sound->fits_since = now;
    if (now - sound->fits_since < SOUND_EACH ||
        now - sound->fell_at < (has_failed ? sound->patience : SOUND_PATIENCE))
        return;
    sound->rung--;
    sound->rose_at = now;
    sound->fits_since = 0;
}

/* It is where it is for good. */
static void prove(struct sound *sound, usec now)
{
    if (sound->rose_at == 0 || now - sound->rose_at < SOUND_PROOF)
        return;
    sound->rose_at = 0;
    if (sound->rung <= sound->failed)
        sound->patience = 0;
}

/* The first rung, from where it is on, that the line takes. */
static unsigned find(const struct sound *sound, usec now, const struct sound_load *load,
                     uint64_t line_bps, struct sound_signs signs)
{
    const unsigned last = SOUND_RUNGS - 1;
    unsigned rung = sound->rung;
    bool is_tried = sound->rose_at > 0;
    uint8_t most = is_tried ? SOUND_LOSES_TRIED : SOUND_LOSES;
    if (rung > 0 && rung < last && signs.loss >= most && now - sound->fell_at >= SOUND_LOST)
        return rung + 1;
    if (is_tried && signs.sign != SOUND_ENDS)
        return rung;
    while (rung < last && sound_cost(load, rung, sound->rung) > line_bps)
        rung++;
    return rung;
}

bool sound_run(struct sound *sound, usec now, const struct sound_load *load, uint64_t line_bps,
               struct sound_signs signs)
{
    uint8_t before = sound->rung;
    if (load->tracks == 0 || line_bps == 0) {
        *sound = (struct sound){ .rung = 0 };
        return before != 0;
    }
    prove(sound, now);
    sound->rung = (uint8_t)find(sound, now, load, line_bps, signs);
    if (sound->rung > before)
        sink(sound, now, before);
    if (sound->rung > before || before == 0)
        return sound->rung > before;
    uint64_t next = sound_cost(load, before - 1u, before);
    if (signs.loss < SOUND_LOSES_TRIED &&
        (signs.sign == SOUND_OPEN || next + next / 10 <= line_bps))
        rise(sound, now);
    else
        sound->fits_since = 0;
    return sound->rung != before;
}

uint32_t sound_room(const struct sound *sound, const struct sound_load *load, uint32_t heard,
                    uint64_t line_bps)
{
    const unsigned last = SOUND_RUNGS - 1;
    if (sound->rung != last || load->tracks < 2)
        return load->tracks;
    uint64_t each = sound_cost(load, last, last) / load->tracks;
    uint64_t room = each > 0 ? line_bps / each : load->tracks;
    if (room > heard && heard > 0) {
        uint64_t careful = each > 0 ? line_bps * 3 / 4 / each : room;
        room = careful > heard ? careful : heard;
    }
    if (room >= load->tracks)
        return load->tracks;
    return room > 0 ? (uint32_t)room : 1;
}
