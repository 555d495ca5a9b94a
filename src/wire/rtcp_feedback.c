#include "wire/rtcp_feedback.h"

#include "base/bytes.h"

#include <assert.h>

#define NACK_SIZE     4
#define NACK_SPAN     17 /* sequence numbers of one entry: the first, and 16 bits */
#define FIR_SIZE      8
#define REMB_SIZE     8
#define REMB_MANTISSA 18
#define REMB_NAME     0x52454d42u /* "REMB" */

int rtcp_read_feedback(const struct rtcp_packet *packet, struct rtcp_feedback *feedback)
{
    assert(packet->type == RTCP_RTPFB || packet->type == RTCP_PSFB);
    if (packet->body.size < RTCP_FEEDBACK_SIZE)
        return ERR_MALFORMED;
    *feedback = (struct rtcp_feedback){
        .format = packet->count,
        .sender_ssrc = bytes_read_32(packet->body.at),
        .media_ssrc = bytes_read_32(packet->body.at + 4),
        .fci = view_slice(packet->body, RTCP_FEEDBACK_SIZE, packet->body.size),
    };
    return OK;
}

void rtcp_nack_begin(const struct rtcp_feedback *feedback, struct rtcp_nack *nack)
{
    *nack = (struct rtcp_nack){ .rest = feedback->fci };
}

bool rtcp_nack_next(struct rtcp_nack *nack, uint16_t *sequence_number)
{
    if (nack->left == 0) {
        if (nack->rest.size < NACK_SIZE)
            return false;
        nack->base = bytes_read_16(nack->rest.at);
        nack->left = (uint32_t)bytes_read_16(nack->rest.at + 2) << 1 | 1;
        nack->rest = view_slice(nack->rest, NACK_SIZE, nack->rest.size);
    }
    unsigned n = (unsigned)__builtin_ctz(nack->left);
    nack->left &= nack->left - 1;
    *sequence_number = (uint16_t)(nack->base + n);
    return true;
}

bool rtcp_fir_at(const struct rtcp_feedback *feedback, unsigned n, struct rtcp_fir *fir)
{
    if (n >= feedback->fci.size / FIR_SIZE)
        return false;
    const uint8_t *at = feedback->fci.at + n * (size_t)FIR_SIZE;
    fir->ssrc = bytes_read_32(at);
    fir->sequence_number = at[4];
    return true;
}

int rtcp_read_remb(const struct rtcp_feedback *feedback, struct rtcp_remb *remb)
{
    struct view fci = feedback->fci;
    if (fci.size < 4 || bytes_read_32(fci.at) != REMB_NAME)
        return ERR_UNSUPPORTED;
    if (fci.size < REMB_SIZE)
        return ERR_MALFORMED;
    size_t ssrcs_size = 4 * (size_t)fci.at[4];
    if (ssrcs_size > fci.size - REMB_SIZE)
        return ERR_MALFORMED;
    unsigned exponent = fci.at[5] >> 2;
    uint64_t mantissa = bytes_read_24(fci.at + 5) & ((1u << REMB_MANTISSA) - 1);
    uint64_t bitrate = mantissa << exponent;
    if (bitrate >> exponent != mantissa)
        bitrate = UINT64_MAX;
    *remb = (struct rtcp_remb){
        .bitrate_bps = bitrate,
        .ssrc_count = fci.at[4],
        .ssrcs = view_slice(fci, REMB_SIZE, ssrcs_size),
    };
    return OK;
}

/* ---- writing ---- */

static uint8_t *add_feedback(struct rtcp_writer *writer, enum rtcp_type type, unsigned format,
                             uint32_t sender_ssrc, uint32_t media_ssrc, size_t fci_size)
{
    uint8_t *at = rtcp_add(writer, type, format, RTCP_FEEDBACK_SIZE + fci_size);
    if (!at)
        return NULL;
    bytes_write_32(at, sender_ssrc);
    bytes_write_32(at + 4, media_ssrc);
    return at + RTCP_FEEDBACK_SIZE;
}

/* How many of the first numbers go into one entry, and its bits. */
static size_t make_entry(const uint16_t *sequence_numbers, size_t count, uint16_t *bits)
{
    size_t used = 1;
    *bits = 0;
    while (used < count) {
        uint16_t distance = (uint16_t)(sequence_numbers[used] - sequence_numbers[0]);
        if (distance == 0 || distance >= NACK_SPAN)
            break;
        *bits = (uint16_t)(*bits | 1u << (distance - 1));
        used++;
    }
    return used;
}

size_t rtcp_add_nack(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc,
                     const uint16_t *sequence_numbers, size_t count)
{
    size_t room = writer->capacity - writer->size;
    size_t entries = 0;
    size_t used = 0;
    uint16_t bits;
    room = room < RTCP_HEADER_SIZE + RTCP_FEEDBACK_SIZE
               ? 0
               : (room - RTCP_HEADER_SIZE - RTCP_FEEDBACK_SIZE) / NACK_SIZE;
    while (used < count && entries < room) {
        used += make_entry(sequence_numbers + used, count - used, &bits);
        entries++;
    }
    if (used == 0) {
        writer->overflow = writer->overflow || count != 0;
        return 0;
    }
    uint8_t *at =
        add_feedback(writer, RTCP_RTPFB, RTCP_NACK, sender_ssrc, media_ssrc, entries * NACK_SIZE);
    if (!at)
        return 0;
    for (size_t done = 0; done < used; at += NACK_SIZE) {
        bytes_write_16(at, sequence_numbers[done]);
        done += make_entry(sequence_numbers + done, count - done, &bits);
        bytes_write_16(at + 2, bits);
    }
    return used;
}

void rtcp_add_pli(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc)
{
    (void)add_feedback(writer, RTCP_PSFB, RTCP_PLI, sender_ssrc, media_ssrc, 0);
}

void rtcp_add_fir(struct rtcp_writer *writer, uint32_t sender_ssrc, struct rtcp_fir fir)
{
    uint8_t *at = add_feedback(writer, RTCP_PSFB, RTCP_FIR, sender_ssrc, 0, FIR_SIZE);
    if (!at)
        return;
    bytes_write_32(at, fir.ssrc);
    at[4] = fir.sequence_number;
}

void rtcp_add_remb(struct rtcp_writer *writer, uint32_t sender_ssrc, uint64_t bitrate_bps,
                   const uint32_t *ssrcs, unsigned count)
{
    unsigned exponent = 0;
    assert(count <= 255);
    uint8_t *at =
        add_feedback(writer, RTCP_PSFB, RTCP_ALFB, sender_ssrc, 0, REMB_SIZE + 4 * (size_t)count);
    if (!at)
        return;
    while (bitrate_bps >> exponent >> REMB_MANTISSA)
        exponent++;
    bytes_write_32(at, REMB_NAME);
    bytes_write_32(at + 4, count << 24 | exponent << 18 | (uint32_t)(bitrate_bps >> exponent));
    for (unsigned i = 0; i < count; i++)
        bytes_write_32(at + REMB_SIZE + 4 * (size_t)i, ssrcs[i]);
}
