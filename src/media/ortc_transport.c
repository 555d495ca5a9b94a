/* The way: ICE, DTLS, SCTP. */
#include "media/ortc_read.h"

#include <stdio.h>

#define STREAMS 1024 /* of SCTP: what mediasoup's clients take for granted */

/* ---- writing ---- */

static void put(struct json_writer *writer, const char *key, struct view text)
{
    json_key(writer, key);
    json_string(writer, text);
}

static void write_candidate(struct json_writer *writer,
                            const struct description_candidate *candidate, uint32_t index)
{
    char host[ADDRESS_TEXT_SIZE], foundation[12];
    struct address address = candidate->address;
    address.port = 0;
    address_write(&address, host);
    snprintf(foundation, sizeof foundation, "%u", index + 1);
    json_open(writer, '{');
    put(writer, "foundation", view_of(foundation));
    json_key(writer, "priority");
    json_number(writer, description_priority(candidate, index));
    put(writer, "ip", view_of(host));
    put(writer, "address", view_of(host));
    put(writer, "protocol", candidate->is_tcp ? VIEW("tcp") : VIEW("udp"));
    json_key(writer, "port");
    json_number(writer, candidate->address.port);
    put(writer, "type", VIEW("host"));
    if (candidate->is_tcp)
        put(writer, "tcpType", VIEW("passive"));
    json_close(writer, '}');
}

static void write_dtls(struct json_writer *writer, const struct ortc_transport *transport)
{
    char text[3 * DESCRIPTION_FINGERPRINT_SIZE + 1];
    for (unsigned i = 0; i < DESCRIPTION_FINGERPRINT_SIZE; i++)
        snprintf(text + 3 * i, 4, "%02X:", transport->fingerprint[i]);
    json_key(writer, "dtlsParameters");
    json_open(writer, '{');
    put(writer, "role", VIEW("auto"));
    json_key(writer, "fingerprints");
    json_open(writer, '[');
    json_open(writer, '{');
    put(writer, "algorithm", VIEW("sha-256"));
    put(writer, "value", view_make(text, sizeof text - 2)); /* without the last colon */
    json_close(writer, '}');
    json_close(writer, ']');
    json_close(writer, '}');
}

static void write_sctp(struct json_writer *writer, uint32_t message_size_max)
{
    json_key(writer, "sctpParameters");
    json_open(writer, '{');
    json_key(writer, "port");
    json_number(writer, DESCRIPTION_SCTP_PORT);
    json_key(writer, "OS");
    json_number(writer, STREAMS);
    json_key(writer, "MIS");
    json_number(writer, STREAMS);
    json_key(writer, "maxMessageSize");
    json_number(writer, message_size_max);
    json_close(writer, '}');
}

void ortc_write_transport(struct json_writer *writer, const struct ortc_transport *transport)
{
    json_open(writer, '{');
    put(writer, "id", transport->id);
    json_key(writer, "iceParameters");
    json_open(writer, '{');
    put(writer, "usernameFragment", transport->ufrag);
    put(writer, "password", transport->pwd);
    json_key(writer, "iceLite");
    json_bool(writer, true);
    json_close(writer, '}');
    json_key(writer, "iceCandidates");
    json_open(writer, '[');
    for (uint32_t i = 0; i < transport->candidate_count; i++)
        write_candidate(writer, &transport->candidates[i], i);
    json_close(writer, ']');
    write_dtls(writer, transport);
    if (transport->has_data)
        write_sctp(writer, transport->message_size_max);
    json_close(writer, '}');
}

/* ---- reading ---- */

static int read_role(const struct ortc_place *root, uint8_t *setup)
{
    struct ortc_place place = ortc_member(root, "role");
    struct view role = VIEW("auto");
    int status = place.item ? ortc_string(&place, &role) : OK;
    if (status != OK)
        return status;
    *setup = view_equal(role, VIEW("auto"))     ? SDP_SETUP_ACTPASS
             : view_equal(role, VIEW("client")) ? SDP_SETUP_ACTIVE
             : view_equal(role, VIEW("server")) ? SDP_SETUP_PASSIVE
                                                : SDP_SETUP_NONE;
    return *setup == SDP_SETUP_NONE ? ortc_refuse(&place, "auto, client or server is wanted") : OK;
}

static int read_fingerprint(const struct ortc_place *print, struct ortc_dtls *dtls, bool *is_read)
{
    struct ortc_place algorithm = ortc_member(print, "algorithm");
    struct ortc_place value = ortc_member(print, "value");
    char line[2 * ORTC_TEXT_MAX];
    struct view name, text;
    int status = ortc_object(print);
    if (status == OK)
        status = ortc_string(&algorithm, &name);
    if (status == OK)
        status = ortc_string(&value, &text);
    if (status != OK || !view_equal_nocase(name, VIEW("sha-256")))
        return status;
    int size = snprintf(line, sizeof line, "sha-256 %.*s", VIEW_ARGS(text));
    if (sdp_read_fingerprint(view_make(line, (size_t)size), VIEW("sha-256"), dtls->fingerprint,
                             sizeof dtls->fingerprint) != OK)
        return ortc_refuse(&value, "32 bytes in hexadecimal with colons between them are wanted");
    *is_read = true;
    return OK;
}

int ortc_read_dtls(const cJSON *json, struct ortc_dtls *dtls, struct ortc_error *error)
{
    struct ortc_place root = ortc_root(json, "dtlsParameters", error);
    struct ortc_place prints = ortc_member(&root, "fingerprints");
    struct ortc_dtls read = { 0 };
    const cJSON *item;
    uint32_t index = 0;
    bool is_read = false;
    int status = ortc_object(&root);
    if (status == OK)
        status = read_role(&root, &read.setup);
    if (status == OK)
        status = ortc_array(&prints, ORTC_PRINTS_MAX);
    if (status != OK)
        return status;
    cJSON_ArrayForEach(item, prints.item)
    {
        struct ortc_place place = ortc_element(&prints, item, index++);
        status = read_fingerprint(&place, &read, &is_read);
        if (status != OK)
            return status;
    }
    if (!is_read) {
        (void)!ortc_refuse(&prints, "one of sha-256 is wanted");
        return ERR_UNSUPPORTED;
    }
    *dtls = read;
    return OK;
}
