#include "base/bytes.h"
#include "wire/rtcp.h"

#include <assert.h>
#include <string.h>

#define COUNT_MAX 31

void rtcp_begin(struct rtcp_writer *writer, uint8_t *out, size_t capacity)
{
    *writer = (struct rtcp_writer){ .at = out, .capacity = capacity };
}

uint8_t *rtcp_add(struct rtcp_writer *writer, unsigned type, unsigned count, size_t body_size)
{
    assert(type <= 255 && count <= COUNT_MAX && body_size % 4 == 0);
    size_t size = RTCP_HEADER_SIZE + body_size;
    if (size > writer->capacity - writer->size || body_size / 4 > UINT16_MAX) {
        writer->overflow = true;
        return NULL;
    }
    uint8_t *at = writer->at + writer->size;
    at[0] = (uint8_t)(0x80 | count);
    at[1] = (uint8_t)type;
    bytes_write_16(at + 2, (uint32_t)(body_size / 4));
    memset(at + RTCP_HEADER_SIZE, 0, body_size);
    writer->size += size;
    return at + RTCP_HEADER_SIZE;
}

static int32_t clamp_lost(int32_t lost)
{
    return lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : lost;
}

static void write_reports(uint8_t *at, const struct rtcp_report *reports, unsigned count)
{
    for (unsigned i = 0; i < count; i++, at += RTCP_REPORT_SIZE) {
        bytes_write_32(at, reports[i].ssrc);
        at[4] = reports[i].fraction_lost;
        bytes_write_24(at + 5, (uint32_t)clamp_lost(reports[i].packets_lost));
        bytes_write_32(at + 8, reports[i].highest_sequence_number);
        bytes_write_32(at + 12, reports[i].jitter);
        bytes_write_32(at + 16, reports[i].last_sr);
        bytes_write_32(at + 20, reports[i].delay_since_last_sr);
    }
}

void rtcp_add_sr(struct rtcp_writer *writer, const struct rtcp_sr *sr,
                 const struct rtcp_report *reports, unsigned count)
{
    uint8_t *at = rtcp_add(writer, RTCP_SR, count, 24 + count * (size_t)RTCP_REPORT_SIZE);
    if (!at)
        return;
    bytes_write_32(at, sr->ssrc);
    bytes_write_64(at + 4, sr->ntp);
    bytes_write_32(at + 12, sr->rtp_timestamp);
    bytes_write_32(at + 16, sr->packet_count);
    bytes_write_32(at + 20, sr->octet_count);
    write_reports(at + 24, reports, count);
}

void rtcp_add_rr(struct rtcp_writer *writer, uint32_t ssrc, const struct rtcp_report *reports,
                 unsigned count)
{
    uint8_t *at = rtcp_add(writer, RTCP_RR, count, 4 + count * (size_t)RTCP_REPORT_SIZE);
    if (!at)
        return;
    bytes_write_32(at, ssrc);
    write_reports(at + 4, reports, count);
}

void rtcp_add_cname(struct rtcp_writer *writer, uint32_t ssrc, struct view cname)
{
    cname = view_slice(cname, 0, 255);
    /* the item, and one to four zeros behind it */
    size_t items = (2 + cname.size) / 4 * 4 + 4;
    uint8_t *at = rtcp_add(writer, RTCP_SDES, 1, 4 + items);
    if (!at)
        return;
    bytes_write_32(at, ssrc);
    at[4] = RTCP_CNAME;
    at[5] = (uint8_t)cname.size;
    if (cname.size)
        memcpy(at + 6, cname.at, cname.size);
}

void rtcp_add_bye(struct rtcp_writer *writer, const uint32_t *ssrcs, unsigned count)
{
    uint8_t *at = rtcp_add(writer, RTCP_BYE, count, 4 * (size_t)count);
    for (unsigned i = 0; at && i < count; i++)
        bytes_write_32(at + 4 * (size_t)i, ssrcs[i]);
}

void rtcp_add_rrtr(struct rtcp_writer *writer, uint32_t ssrc, uint64_t ntp)
{
    uint8_t *at = rtcp_add(writer, RTCP_XR, 0, 4 + 4 + 8);
    if (!at)
        return;
    bytes_write_32(at, ssrc);
    at[4] = RTCP_XR_RRTR;
    bytes_write_16(at + 6, 2);
    bytes_write_64(at + 8, ntp);
}

void rtcp_add_dlrr(struct rtcp_writer *writer, uint32_t ssrc, const struct rtcp_dlrr *dlrrs,
                   unsigned count)
{
    uint8_t *at = rtcp_add(writer, RTCP_XR, 0, 4 + 4 + count * (size_t)RTCP_DLRR_SIZE);
    if (!at)
        return;
    bytes_write_32(at, ssrc);
    at[4] = RTCP_XR_DLRR;
    bytes_write_16(at + 6, 3 * count);
    at += 8;
    for (unsigned i = 0; i < count; i++, at += RTCP_DLRR_SIZE) {
        bytes_write_32(at, dlrrs[i].ssrc);
        bytes_write_32(at + 4, dlrrs[i].last_rr);
        bytes_write_32(at + 8, dlrrs[i].delay_since_last_rr);
    }
}
