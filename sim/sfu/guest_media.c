/* What a guest has of the server's SFU: offers, answers, and what its slots bear. */
#include "guest.h"

#include <stdio.h>
#include <string.h>

#define SLOTS_FIRST    2
#define CONNECT_TIME   (8 * USEC_S)  /* then it tries a new connection */
#define ANSWER_TIME    (20 * USEC_S) /* then an error was lost */
#define SILENCE_TIME   (6 * USEC_S)  /* then it restarts ICE */
#define PART_MS_MAX    20000         /* the server waits no longer */
#define BETWEEN_OFFERS (200 * USEC_MS)

static void set_senders(struct guest *guest)
{
    guest->far.is_on[0] = guest->is_on[0];
    guest->far.is_on[1] = guest->is_on[1] && guest->is_camera_agreed && !guest->is_unwanted;
}

void guest_tell_media(struct guest *guest)
{
    char rest[100];
    snprintf(rest, sizeof rest, ",\"audio\":%s,\"video\":%s", guest->is_on[0] ? "true" : "false",
             guest->is_on[1] ? "true" : "false");
    guest_say(guest, "media", rest);
    set_senders(guest);
}

static void say_tiles(struct guest *guest, uint32_t hidden)
{
    char rest[FAR_SLOTS_MAX * 100];
    size_t size = 0;
    for (unsigned i = 0; i < guest->slot_count; i++)
        size += (size_t)snprintf(rest + size, sizeof rest - size,
                                 "%s{\"mid\":\"%u\",\"width\":%u,\"height\":%u}",
                                 i ? "," : ",\"tiles\":[", 3 + 2 * i, hidden >> i & 1 ? 0 : 640,
                                 hidden >> i & 1 ? 0 : 360);
    if (size == 0)
        return;
    snprintf(rest + size, sizeof rest - size, "]");
    guest_say(guest, "sfu-wish", rest);
}

void guest_hide(struct guest *guest)
{
    say_tiles(guest, (uint32_t)chance_random(&guest->net->chance));
}

void guest_ask_why(struct guest *guest)
{
    static const char *const LIMITS[] = { "none", "cpu", "bandwidth", "other", "unknown" };
    char rest[60];
    snprintf(rest, sizeof rest, ",\"limits\":{\"camera\":\"%s\"}", LIMITS[net_pick(guest->net, 5)]);
    guest_say(guest, "sfu-why", "");
    guest_say(guest, "sfu-quality", rest);
}

void guest_show_all(struct guest *guest)
{
    say_tiles(guest, 0);
}

void guest_join_media(struct guest *guest, bool is_sfu)
{
    guest->crossings += guest->is_sfu != is_sfu;
    guest->is_sfu = is_sfu;
    guest->kind_at = guest->net->now;
    guest->part_at = USEC_NEVER;
    if (!is_sfu && net_chance(guest->net, 50))
        guest->part_at = guest->net->now + net_pick(guest->net, PART_MS_MAX) * USEC_MS;
}

void guest_drop_media(struct guest *guest)
{
    far_end(&guest->far);
    guest->offer = (struct guest_offer){ .is_under_way = false };
    guest->slot_count = 0;
    guest->wanted[0] = guest->wanted[1] = 0;
    guest->is_unwanted = false;
    memset(guest->slots, 0, sizeof guest->slots);
}

/* ---- offers ---- */

static void write_tracks(const struct guest_offer *offer, struct json_writer *writer)
{
    static const char *const SOURCES[] = { "microphone", "camera" };
    json_open(writer, '[');
    for (unsigned i = 0; i < (offer->has_camera ? 2u : 1u); i++) {
        json_open(writer, '{');
        json_key(writer, "mid");
        json_string(writer, i ? VIEW("1") : VIEW("0"));
        json_key(writer, "source");
        json_string(writer, view_of(SOURCES[i]));
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void say_offer(struct guest *guest, const struct guest_offer *what)
{
    static char sdp[DESCRIBE_OFFER_MAX];
    static char json[GUEST_MESSAGE_MAX];
    static char rest[GUEST_MESSAGE_MAX];
    bool is_other = what->is_new || what->is_renewal;
    const struct offer offer = {
        .ssrc = is_other ? far_next_ssrc(&guest->far) : guest->far.ssrc,
        .restarts = guest->restarts,
        .slots = what->slots,
        .has_camera = what->has_camera,
        .fingerprint = guest->config->fingerprint,
    };
    struct json_writer writer = json_writer_make(json, sizeof json);
    json_open(&writer, '{');
    json_key(&writer, "new");
    json_bool(&writer, what->is_new);
    json_key(&writer, "tracks");
    write_tracks(what, &writer);
    json_key(&writer, "sdp");
    json_string(&writer, view_make(sdp, offer_write(&offer, sdp)));
    json_close(&writer, '}');
    /* what stands between the braces, behind the rest of the message */
    snprintf(rest, sizeof rest, ",%.*s", (int)(json_written(&writer).size - 2), json + 1);
    guest->offers++;
    guest_say(guest, "sfu-offer", rest);
}

static void make_offer(struct guest *guest, const struct guest_offer *what)
{
    guest->restarts += what->is_new || what->is_restart;
    guest->offer = *what;
    guest->offer.is_under_way = true;
    guest->offer_at = guest->net->now + BETWEEN_OFFERS;
    say_offer(guest, &guest->offer);
}

static void begin(struct guest *guest)
{
    unsigned slots = SLOTS_FIRST + net_pick(guest->net, 3);
    guest_drop_media(guest);
    make_offer(guest, &(struct guest_offer){
                          .is_new = true, .has_camera = guest->has_camera, .slots = slots });
}

void guest_offer_again(struct guest *guest, bool is_restart, bool is_renewal)
{
    if (guest->far.state != FAR_CONNECTED || guest->offer.is_under_way)
        return;
    /* a camera comes and goes with new streams */
    if (is_renewal && net_chance(guest->net, 30))
        guest->has_camera = !guest->has_camera;
    make_offer(guest, &(struct guest_offer){ .is_restart = is_restart,
                                             .is_renewal = is_renewal,
                                             .has_camera = guest->has_camera,
                                             .slots = guest->slot_count });
}

static void grow(struct guest *guest)
{
    uint64_t most = guest->wanted[0] > guest->wanted[1] ? guest->wanted[0] : guest->wanted[1];
    make_offer(guest, &(struct guest_offer){ .has_camera = guest->has_camera,
                                             .slots = most < FAR_SLOTS_MAX ? (unsigned)most
                                                                           : FAR_SLOTS_MAX });
}

void guest_mend(struct guest *guest)
{
    const struct far *far = &guest->far;
    usec now = guest->net->now;
    bool is_stuck = far->state == FAR_FAILED ||
                    (far->state != FAR_CONNECTED && now - far->began_at > CONNECT_TIME);
    if (guest->offer.is_under_way && now > guest->offer_at + ANSWER_TIME) {
        if (!guest->offer.was_cut)
            net_fail(guest->net, "%u's offer is not answered", guest->number);
        guest_drop_media(guest);
        guest->offer_at = now;
    }
    if (guest->offer.is_under_way || now < guest->offer_at)
        return;
    if (!guest->is_sfu) {
        if (guest->slot_count && now >= guest->part_at) {
            guest_say(guest, "sfu-close", "");
            guest_drop_media(guest);
        }
        return;
    }
    if (far->state == FAR_OFF || is_stuck)
        begin(guest);
    else if (far->state == FAR_CONNECTED && now - far->checked_at > SILENCE_TIME)
        guest_offer_again(guest, true, false);
    else if (!guest->is_poor && guest->slot_count < FAR_SLOTS_MAX &&
             (guest->wanted[0] > guest->slot_count || guest->wanted[1] > guest->slot_count))
        grow(guest);
}

void guest_hear_refusal(struct guest *guest, const char *code)
{
    bool is_known = strcmp(code, "no-sfu") == 0 || strcmp(code, "sfu-full") == 0;
    if (!is_known || !guest->offer.is_under_way)
        return net_fail(guest->net, "%u was refused an offer: %s", guest->number, code);
    guest->offer.is_under_way = false;
    guest->offer_at = guest->net->now + net_pick(guest->net, 1000) * USEC_MS;
    if (strcmp(code, "no-sfu") == 0 && !guest->offer.is_new)
        guest_drop_media(guest); /* there is no connection any more */
}

/* ---- answers ---- */

static void watch_slots(struct guest *guest, const struct answer *answer)
{
    for (unsigned i = 2; i < answer->section_count; i++) {
        struct far_watch *watch = &guest->far.watches[i / 2 - 1][i & 1];
        if (watch->ssrc && watch->ssrc != answer->sections[i].ssrc)
            net_fail(guest->net, "a slot of %u is another stream now", guest->number);
        if (watch->ssrc || !answer->sections[i].ssrc)
            continue;
        watch_init(&watch->watch, guest->net, guest->number, i & 1);
        watch->ssrc = answer->sections[i].ssrc;
        watch->rtx_ssrc = answer->sections[i].rtx_ssrc;
    }
}

static void on_answer(struct guest *guest, struct view sdp)
{
    const struct guest_offer offer = guest->offer;
    struct answer answer;
    if (!offer.is_under_way)
        return net_fail(guest->net, "%u has an answer to nothing", guest->number);
    if (!answer_read(sdp, &answer) || answer.section_count != 2 + 2 * offer.slots)
        return net_fail(guest->net, "%u can't read its answer", guest->number);
    if (memcmp(answer.way.to.ufrag, guest->far.to.ufrag, ICE_UFRAG_SIZE) == 0 &&
        (offer.is_new || offer.is_restart))
        return net_fail(guest->net, "%u asked for new credentials, and has not", guest->number);
    if (offer.is_new) {
        guest->is_unwanted = false; /* that was said of the one before */
        far_begin(&guest->far, &answer.way);
    } else {
        if (offer.is_restart)
            far_restart(&guest->far, &answer.way);
        if (offer.is_renewal)
            far_renew(&guest->far);
    }
    guest->restarted += offer.is_restart;
    guest->renewed += offer.is_renewal;
    guest->offer.is_under_way = false;
    guest->slot_count = offer.slots;
    guest->is_camera_agreed = offer.has_camera;
    set_senders(guest);
    watch_slots(guest, &answer);
}

static void on_closed(struct guest *guest, struct view reason)
{
    if (!view_equal(reason, VIEW("lost")) && !view_equal(reason, VIEW("mesh")) &&
        !view_equal(reason, VIEW("failed")))
        net_fail(guest->net, "%u's connection was closed without a reason", guest->number);
    if (guest->offer.is_under_way && guest->offer.is_new)
        return; /* it was the one before */
    bool is_under_way = guest->offer.is_under_way;
    guest_drop_media(guest);
    guest->offer.is_under_way = is_under_way; /* there will be an error */
}

/* ---- what its slots bear ---- */

static void clear_slots(struct guest *guest)
{
    for (unsigned i = 0; i < 2 * FAR_SLOTS_MAX; i++)
        guest->slots[i / 2][i & 1].member = 0;
}

/* Whether nobody is there twice. */
static bool is_single(const struct guest *guest, const struct guest_slot *slot, unsigned kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < guest->slot_count; i++)
        count += guest->slots[i][kind].member == slot->member;
    return count == 1;
}

static void on_track(struct guest *guest, const cJSON *track)
{
    uint64_t section = 0;
    struct view member = json_get_string(track, "member");
    struct view source = json_get_string(track, "source");
    uint64_t number = 0;
    bool is_video = view_equal(source, VIEW("camera"));
    if (!view_read_number(json_get_string(track, "mid"), SECTIONS_MAX, &section) || section < 2 ||
        section >= 2 + 2 * guest->slot_count || is_video != (section & 1) ||
        !(is_video || view_equal(source, VIEW("microphone"))) ||
        !view_read_number(view_slice(member, 1, member.size), GUEST_MEMBERS_MAX - 1, &number))
        return net_fail(guest->net, "%u was told of what is no slot of it", guest->number);
    struct guest_slot *slot = &guest->slots[section / 2 - 1][is_video];
    unsigned who = guest->people[number];
    if (slot->member || number == guest->member)
        return net_fail(guest->net, "%u was told of m%u, and it may not", guest->number,
                        (unsigned)number);
    /* where a room is at several workers, what one tells may be of just before */
    if (who == 0 || (guest->is_gone[number] && !guest->world->wishes->has_roads))
        return net_fail(guest->net, "%u was told of m%u, who is not there", guest->number,
                        (unsigned)number);
    slot->member = (uint32_t)number;
    slot->told |= 1u << (who - 1);
    if (!is_single(guest, slot, is_video))
        net_fail(guest->net, "%u is to see m%u twice", guest->number, (unsigned)number);
}

static void on_tracks(struct guest *guest, const cJSON *message)
{
    const cJSON *track;
    const cJSON *wanted = cJSON_GetObjectItem(message, "wanted");
    if (guest->slot_count == 0)
        return; /* of a connection that is no more */
    clear_slots(guest);
    cJSON_ArrayForEach(track, cJSON_GetObjectItem(message, "tracks"))
    {
        on_track(guest, track);
    }
    if (json_get_number(wanted, "audio", &guest->wanted[0]) != OK ||
        json_get_number(wanted, "video", &guest->wanted[1]) != OK)
        net_fail(guest->net, "%u was not told what is wanted", guest->number);
}

/* Who has left was taken out of all slots before anything else was told. */
static void check_slots(const struct guest *guest)
{
    for (unsigned i = 0; i < 2 * guest->slot_count; i++) {
        uint32_t member = guest->slots[i / 2][i & 1].member;
        if (member && guest->is_gone[member] && !guest->world->wishes->has_roads)
            net_fail(guest->net, "%u is told to see m%u, who has left", guest->number, member);
    }
}

void guest_hear_media(struct guest *guest, const char *type, const cJSON *message)
{
    if (strcmp(type, "sfu-answer") == 0)
        on_answer(guest, json_get_string(message, "sdp"));
    else if (strcmp(type, "sfu-closed") == 0)
        on_closed(guest, json_get_string(message, "reason"));
    else if (strcmp(type, "tracks") == 0)
        on_tracks(guest, message);
    else
        check_slots(guest);
}

/* It obeys at once, and sends again what is wanted again. */
void guest_hear_wanted(struct guest *guest, const cJSON *message)
{
    const cJSON *tracks = cJSON_GetObjectItem(message, "tracks");
    const cJSON *track = cJSON_GetArrayItem(tracks, 0);
    bool is_on = false;
    if (!cJSON_IsArray(tracks) || cJSON_GetArraySize(tracks) > 1)
        return net_fail(guest->net, "%u is told of more than its camera", guest->number);
    if (track && (json_get_bool(track, "on", &is_on) != OK || is_on ||
                  !view_equal(json_get_string(track, "mid"), VIEW("1"))))
        return net_fail(guest->net, "%u is told wrongly what is wanted", guest->number);
    guest->rests += track && !guest->is_unwanted;
    guest->is_unwanted = track != NULL;
    set_senders(guest);
}

const struct far_watch *guest_find(const struct guest *guest, uint32_t member, bool is_video)
{
    for (unsigned i = 0; i < guest->slot_count; i++)
        if (guest->slots[i][is_video].member == member)
            return &guest->far.watches[i][is_video];
    return NULL;
}
