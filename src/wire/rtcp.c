#include "wire/rtcp.h"

#include "base/bytes.h"

#include <assert.h>

int rtcp_next(struct view *rest, struct rtcp_packet *packet)
{
    if (rest->size == 0)
        return ERR_NOT_FOUND;
    if (rest->size < RTCP_HEADER_SIZE || rest->at[0] >> 6 != 2)
        return ERR_MALFORMED;
    size_t size = 4 * ((size_t)bytes_read_16(rest->at + 2) + 1);
    if (size > rest->size)
        return ERR_MALFORMED;
    size_t body_size = size - RTCP_HEADER_SIZE;
    if (rest->at[0] & 0x20) {
        size_t padding = rest->at[size - 1];
        if (padding == 0 || padding > body_size)
            return ERR_MALFORMED;
        body_size -= padding;
    }
    *packet = (struct rtcp_packet){
        .type = rest->at[1],
        .count = rest->at[0] & 0x1f,
        .body = view_make(rest->at + RTCP_HEADER_SIZE, body_size),
    };
    *rest = view_slice(*rest, size, rest->size);
    return OK;
}

/* ---- reports ---- */

static bool take_reports(struct view body, size_t from, unsigned count, struct view *reports)
{
    size_t size = count * (size_t)RTCP_REPORT_SIZE;
    if (body.size < from || body.size - from < size)
        return false;
    *reports = view_slice(body, from, size);
    return true;
}

int rtcp_read_sr(const struct rtcp_packet *packet, struct rtcp_sr *sr)
{
    const uint8_t *at = packet->body.at;
    struct view reports;
    assert(packet->type == RTCP_SR);
    if (!take_reports(packet->body, 24, packet->count, &reports))
        return ERR_MALFORMED;
    *sr = (struct rtcp_sr){
        .ssrc = bytes_read_32(at),
        .ntp = bytes_read_64(at + 4),
        .rtp_timestamp = bytes_read_32(at + 12),
        .packet_count = bytes_read_32(at + 16),
        .octet_count = bytes_read_32(at + 20),
        .report_count = packet->count,
        .reports = reports,
    };
    return OK;
}

int rtcp_read_rr(const struct rtcp_packet *packet, struct rtcp_rr *rr)
{
    struct view reports;
    assert(packet->type == RTCP_RR);
    if (!take_reports(packet->body, 4, packet->count, &reports))
        return ERR_MALFORMED;
    *rr = (struct rtcp_rr){
        .ssrc = bytes_read_32(packet->body.at),
        .report_count = packet->count,
        .reports = reports,
    };
    return OK;
}

struct rtcp_report rtcp_report_at(struct view reports, unsigned n)
{
    assert(n < reports.size / RTCP_REPORT_SIZE);
    const uint8_t *at = reports.at + n * (size_t)RTCP_REPORT_SIZE;
    int32_t lost = (int32_t)bytes_read_24(at + 5);
    return (struct rtcp_report){
        .ssrc = bytes_read_32(at),
        .fraction_lost = at[4],
        .packets_lost = lost >= 0x800000 ? lost - 0x1000000 : lost,
        .highest_sequence_number = bytes_read_32(at + 8),
        .jitter = bytes_read_32(at + 12),
        .last_sr = bytes_read_32(at + 16),
        .delay_since_last_sr = bytes_read_32(at + 20),
    };
}

/* ---- SDES ---- */

void rtcp_sdes_begin(const struct rtcp_packet *packet, struct rtcp_sdes *sdes)
{
    assert(packet->type == RTCP_SDES);
    /* chunks are whole words, whatever padding follows them */
    struct view chunks = view_slice(packet->body, 0, packet->body.size / 4 * 4);
    *sdes = (struct rtcp_sdes){ .rest = chunks, .chunks_left = packet->count };
}

/* A chunk ends with one to four zeros, up to the next word's border; chunks are whole words, so
 * the border is counted from the end of what there is. */
static int end_chunk(struct rtcp_sdes *sdes)
{
    size_t zeros = sdes->rest.size % 4 ? sdes->rest.size % 4 : 4;
    if (zeros > sdes->rest.size)
        return ERR_MALFORMED;
    sdes->rest = view_slice(sdes->rest, zeros, sdes->rest.size);
    sdes->in_chunk = false;
    return OK;
}

static int begin_chunk(struct rtcp_sdes *sdes)
{
    if (sdes->chunks_left == 0)
        return ERR_NOT_FOUND;
    if (sdes->rest.size < 4)
        return ERR_MALFORMED;
    sdes->ssrc = bytes_read_32(sdes->rest.at);
    sdes->rest = view_slice(sdes->rest, 4, sdes->rest.size);
    sdes->chunks_left--;
    sdes->in_chunk = true;
    return OK;
}

int rtcp_sdes_next(struct rtcp_sdes *sdes, struct rtcp_sdes_item *item)
{
    for (;;) {
        int status = OK;
        if (!sdes->in_chunk)
            status = begin_chunk(sdes);
        if (status != OK)
            return status;
        if (sdes->rest.size == 0)
            return ERR_MALFORMED;
        if (sdes->rest.at[0] != 0)
            break;
        status = end_chunk(sdes);
        if (status != OK)
            return status;
    }
    if (sdes->rest.size < 2 || sdes->rest.at[1] > sdes->rest.size - 2)
        return ERR_MALFORMED;
    size_t size = sdes->rest.at[1];
    *item = (struct rtcp_sdes_item){
        .ssrc = sdes->ssrc,
        .type = sdes->rest.at[0],
        .text = view_slice(sdes->rest, 2, size),
    };
    sdes->rest = view_slice(sdes->rest, 2 + size, sdes->rest.size);
    return OK;
}

/* ---- BYE ---- */

int rtcp_read_bye(const struct rtcp_packet *packet, struct rtcp_bye *bye)
{
    struct view body = packet->body;
    size_t size = 4 * (size_t)packet->count;
    struct view reason = { 0 };
    assert(packet->type == RTCP_BYE);
    if (body.size < size)
        return ERR_MALFORMED;
    if (body.size > size) {
        size_t reason_size = body.at[size];
        if (reason_size > body.size - size - 1)
            return ERR_MALFORMED;
        reason = view_slice(body, size + 1, reason_size);
    }
    *bye = (struct rtcp_bye){
        .ssrc_count = packet->count,
        .ssrcs = view_slice(body, 0, size),
        .reason = reason,
    };
    return OK;
}

uint32_t rtcp_ssrc_at(struct view ssrcs, unsigned n)
{
    assert(n < ssrcs.size / 4);
    return bytes_read_32(ssrcs.at + 4 * (size_t)n);
}

/* ---- extended reports ---- */

int rtcp_read_xr(const struct rtcp_packet *packet, uint32_t *ssrc, struct view *rest)
{
    assert(packet->type == RTCP_XR);
    if (packet->body.size < 4)
        return ERR_MALFORMED;
    *ssrc = bytes_read_32(packet->body.at);
    *rest = view_slice(packet->body, 4, packet->body.size);
    return OK;
}

int rtcp_xr_next(struct view *rest, struct rtcp_xr_block *block)
{
    if (rest->size == 0)
        return ERR_NOT_FOUND;
    if (rest->size < 4)
        return ERR_MALFORMED;
    size_t size = 4 * (size_t)bytes_read_16(rest->at + 2);
    if (size > rest->size - 4)
        return ERR_MALFORMED;
    struct rtcp_xr_block read = { .type = rest->at[0] };
    struct view body = view_slice(*rest, 4, size);
    if (read.type == RTCP_XR_RRTR) {
        if (body.size != 8)
            return ERR_MALFORMED;
        read.ntp = bytes_read_64(body.at);
    }
    if (read.type == RTCP_XR_DLRR) {
        if (body.size % RTCP_DLRR_SIZE || body.size / RTCP_DLRR_SIZE > UINT8_MAX)
            return ERR_MALFORMED;
        read.dlrr_count = (uint8_t)(body.size / RTCP_DLRR_SIZE);
        read.dlrrs = body;
    }
    *block = read;
    *rest = view_slice(*rest, 4 + size, rest->size);
    return OK;
}

struct rtcp_dlrr rtcp_dlrr_at(struct view dlrrs, unsigned n)
{
    assert(n < dlrrs.size / RTCP_DLRR_SIZE);
    const uint8_t *at = dlrrs.at + n * (size_t)RTCP_DLRR_SIZE;
    return (struct rtcp_dlrr){
        .ssrc = bytes_read_32(at),
        .last_rr = bytes_read_32(at + 4),
        .delay_since_last_rr = bytes_read_32(at + 8),
    };
}
