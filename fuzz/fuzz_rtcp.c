/* Fuzzes RTCP: every reader over a datagram, and feedback of arrivals that the input names.
 *
 * Input: a byte of choice.  'w': then three bytes an arrival (steps of number and of time), which
 * are written and must be read back.  Otherwise a datagram.
 */
#include "wire/rtcp_twcc.h"

#include "input.h"

static void check_reports(struct view reports, unsigned count, struct view body)
{
    CHECK(view_within(reports, body) && reports.size == count * (size_t)RTCP_REPORT_SIZE);
    for (unsigned i = 0; i < count; i++) {
        struct rtcp_report report = rtcp_report_at(reports, i);
        uint8_t out[8 + RTCP_REPORT_SIZE];
        struct rtcp_writer writer;
        rtcp_begin(&writer, out, sizeof out);
        rtcp_add_rr(&writer, 1, &report, 1);
        CHECK(!writer.overflow && writer.size == sizeof out);
        CHECK(memcmp(out + 8, reports.at + i * (size_t)RTCP_REPORT_SIZE, RTCP_REPORT_SIZE) == 0);
    }
}

static void check_sdes(const struct rtcp_packet *packet)
{
    struct rtcp_sdes sdes;
    struct rtcp_sdes_item item;
    size_t items = 0;
    int status;
    rtcp_sdes_begin(packet, &sdes);
    while ((status = rtcp_sdes_next(&sdes, &item)) == OK) {
        CHECK(item.type != 0 && item.text.size <= 255 && view_within(item.text, packet->body));
        CHECK(++items <= packet->body.size);
    }
    CHECK(status == ERR_NOT_FOUND || status == ERR_MALFORMED);
}

static void check_xr(const struct rtcp_packet *packet)
{
    struct rtcp_xr_block block;
    struct view rest;
    uint32_t ssrc;
    if (rtcp_read_xr(packet, &ssrc, &rest) != OK)
        return;
    while (rtcp_xr_next(&rest, &block) == OK)
        for (unsigned i = 0; i < block.dlrr_count; i++)
            (void)rtcp_dlrr_at(block.dlrrs, i);
}

static void check_twcc(const struct rtcp_feedback *feedback)
{
    struct twcc twcc;
    struct twcc_reader reader;
    struct twcc_status status;
    unsigned seen = 0;
    if (twcc_read(feedback, &twcc) != OK)
        return;
    CHECK(view_within(twcc.chunks, feedback->fci) && view_within(twcc.deltas, feedback->fci));
    twcc_reader_begin(&twcc, &reader);
    while (twcc_reader_next(&reader, &status)) {
        CHECK(status.sequence_number == (uint16_t)(twcc.base_sequence_number + seen));
        seen++;
    }
    CHECK(seen == twcc.status_count && reader.deltas.size == 0 && reader.chunks.size == 0);
}

static void check_nack(const struct rtcp_feedback *feedback)
{
    struct rtcp_nack nack;
    uint16_t sequence_number;
    size_t count = 0;
    rtcp_nack_begin(feedback, &nack);
    while (rtcp_nack_next(&nack, &sequence_number))
        count++;
    CHECK(count >= feedback->fci.size / 4 && count <= feedback->fci.size / 4 * 17);
}

static void check_feedback(const struct rtcp_packet *packet)
{
    struct rtcp_feedback feedback;
    struct rtcp_fir fir;
    struct rtcp_remb remb;
    unsigned n = 0;
    if (rtcp_read_feedback(packet, &feedback) != OK)
        return;
    CHECK(view_within(feedback.fci, packet->body));
    check_nack(&feedback);
    check_twcc(&feedback);
    while (rtcp_fir_at(&feedback, n, &fir))
        n++;
    CHECK(n == feedback.fci.size / 8);
    if (rtcp_read_remb(&feedback, &remb) == OK)
        for (unsigned i = 0; i < remb.ssrc_count; i++)
            (void)rtcp_ssrc_at(remb.ssrcs, i);
}

static void check_packet(const struct rtcp_packet *packet)
{
    struct rtcp_sr sr;
    struct rtcp_rr rr;
    struct rtcp_bye bye;
    if (packet->type == RTCP_SR && rtcp_read_sr(packet, &sr) == OK)
        check_reports(sr.reports, sr.report_count, packet->body);
    if (packet->type == RTCP_RR && rtcp_read_rr(packet, &rr) == OK)
        check_reports(rr.reports, rr.report_count, packet->body);
    if (packet->type == RTCP_BYE && rtcp_read_bye(packet, &bye) == OK) {
        CHECK(view_within(bye.reason, packet->body));
        for (unsigned i = 0; i < bye.ssrc_count; i++)
            (void)rtcp_ssrc_at(bye.ssrcs, i);
    }
    if (packet->type == RTCP_SDES)
        check_sdes(packet);
    if (packet->type == RTCP_XR)
        check_xr(packet);
    if (packet->type == RTCP_RTPFB || packet->type == RTCP_PSFB)
        check_feedback(packet);
}

static void check_print(struct view datagram)
{
    char line[300];
    CHECK(rtcp_print(datagram, line, sizeof line) < sizeof line);
    CHECK(strlen(line) == rtcp_print(datagram, line, sizeof line));
}

static void check_datagram(struct view input)
{
    struct span copy = input_copy(input);
    struct view rest = view_of_span(copy);
    struct rtcp_packet packet;
    int status;
    while ((status = rtcp_next(&rest, &packet)) == OK) {
        CHECK(view_within(packet.body, view_of_span(copy)) && packet.count < 32);
        check_packet(&packet);
    }
    CHECK(status == ERR_MALFORMED || rest.size == 0);
    check_print(view_of_span(copy));
    free(copy.at);
}

#define ARRIVALS_MAX 1400

static void check_arrivals(struct view input)
{
    static struct twcc_arrival arrivals[ARRIVALS_MAX];
    size_t capacity = 24 + 8 * (size_t)input_byte(&input);
    uint64_t sequence_number = 0x10000;
    uint64_t base = sequence_number;
    usec now = 10000 * USEC_S;
    size_t count = 0;
    size_t done = 0;
    while (input.size >= 3 && count < ARRIVALS_MAX) {
        uint8_t skip = input_byte(&input);
        sequence_number += 1 + (skip < 250 ? skip / 32 : (skip - 249) * 300u);
        int8_t high = (int8_t)input_byte(&input);
        now += (usec)(int64_t)((high < 100 ? high * 10 : high * 100000) + input_byte(&input));
        arrivals[count++] = (struct twcc_arrival){ sequence_number, now };
    }
    while (done < count) {
        uint8_t *out = malloc(capacity);
        struct rtcp_writer writer;
        rtcp_begin(&writer, out, capacity);
        size_t used = twcc_add(&writer, 1, 2, 3, base, arrivals + done, count - done);
        CHECK((used > 0) == (writer.size > 0) && used <= count - done);
        check_datagram(view_make(out, writer.size));
        free(out);
        /* what has no room at all is given up */
        done += used ? used : 1;
        base = arrivals[done - 1].sequence_number + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    if (input_byte(&input) == 'w')
        check_arrivals(input);
    else
        check_datagram(input);
    return 0;
}
