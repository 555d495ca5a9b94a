/* sound_house.h - clients of an SFU that take Opus, as it is and in RED. */
#ifndef MOIM_TESTS_MEDIA_SOUND_HOUSE_H
#define MOIM_TESTS_MEDIA_SOUND_HOUSE_H

#include "sfu_house.h"

static const struct media_format FORMATS[] = {
    { .codec = PAYLOAD_RED },
    { .codec = PAYLOAD_OPUS, .options = MEDIA_OPUS_FEC },
};

static void enter(struct client *client, const struct text *offer,
                  void (*before)(struct client *client))
{
    static struct negotiation_policy policy;
    policy = END_POLICY;
    policy.formats = FORMATS;
    policy.format_count = 2;
    const struct peer_config config = { .owner = client, .policy = &policy, .is_polite = true };
    assert_int_equal(peer_open(&sfu, port.now, &config, &client->peer), OK);
    answer(client, offer, before);
    connect_far(client);
}

#endif
