/* test_rtcp.c - RTCP as RFC 3550 and RFC 3611 draw it: each packet by hand, and what the writer
 * makes of the same values byte for byte. */
#include "support.h"

#include "wire/rtcp.h"

/* The bytes of the last datagram, which views point into; in a block of exactly their size. */
static uint8_t *block;

static struct view from_hex(const char *hex)
{
    uint8_t bytes[512];
    size_t size = test_read_hex(hex, bytes);
    free(block);
    block = test_copy(view_make(bytes, size));
    return view_make(block, size);
}

static int free_block(void **state)
{
    (void)state;
    free(block);
    block = NULL;
    return 0;
}

static struct rtcp_packet first_of(const char *hex)
{
    struct view rest = from_hex(hex);
    struct rtcp_packet packet;
    assert_int_equal(rtcp_next(&rest, &packet), OK);
    assert_int_equal(rest.size, 0);
    return packet;
}

static void check_written(const struct rtcp_writer *writer, const char *hex)
{
    uint8_t bytes[512];
    size_t size = test_read_hex(hex, bytes);
    assert_false(writer->overflow);
    assert_int_equal(writer->size, size);
    assert_memory_equal(writer->at, bytes, size);
}

#define REPORT_1 "11111111 40 ffffff 0002fffe 00000007 b7052000 00054000"
#define REPORT_2 "22222222 00 7fffff 00000001 00000000 00000000 00000000"
#define SR       "82 c8 0012 a0b0c0d0 b44db705 20000000 00010203 00000004 00000500"
#define RR       "81 c9 0007 a0b0c0d0"
#define CNAME    "81 ca 0003 a0b0c0d0 01 04 6d6f696d 0000"

static const struct rtcp_report REPORTS[] = {
    { 0x11111111, 0x40, -1, 0x2fffe, 7, 0xb7052000, 0x00054000 },
    { 0x22222222, 0, 0x7fffff, 1, 0, 0, 0 },
};

static void check_reports(struct view reports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct rtcp_report report = rtcp_report_at(reports, i);
        assert_int_equal(report.ssrc, REPORTS[i].ssrc);
        assert_int_equal(report.fraction_lost, REPORTS[i].fraction_lost);
        assert_int_equal(report.packets_lost, REPORTS[i].packets_lost);
        assert_int_equal(report.highest_sequence_number, REPORTS[i].highest_sequence_number);
        assert_int_equal(report.jitter, REPORTS[i].jitter);
        assert_int_equal(report.last_sr, REPORTS[i].last_sr);
        assert_int_equal(report.delay_since_last_sr, REPORTS[i].delay_since_last_sr);
    }
}

static void test_sender_report(void **state)
{
    (void)state;
    uint8_t out[256];
    struct rtcp_writer writer;
    struct rtcp_sr sr;
    struct rtcp_packet packet = first_of(SR REPORT_1 REPORT_2);
    assert_int_equal(packet.type, RTCP_SR);
    assert_int_equal(rtcp_read_sr(&packet, &sr), OK);
    assert_int_equal(sr.ssrc, 0xa0b0c0d0);
    assert_true(sr.ntp == 0xb44db70520000000u);
    assert_int_equal(sr.rtp_timestamp, 0x10203);
    assert_int_equal(sr.packet_count, 4);
    assert_int_equal(sr.octet_count, 0x500);
    assert_int_equal(sr.report_count, 2);
    check_reports(sr.reports, 2);
    rtcp_begin(&writer, out, sizeof(out));
    rtcp_add_sr(&writer, &sr, REPORTS, 2);
    check_written(&writer, SR REPORT_1 REPORT_2);
}

/* A profile's extension may follow the reports (section 6.4.3). */
static void test_receiver_report(void **state)
{
    (void)state;
    uint8_t out[256];
    struct rtcp_writer writer;
    struct rtcp_rr rr;
    struct rtcp_packet packet = first_of(RR REPORT_1);
    assert_int_equal(rtcp_read_rr(&packet, &rr), OK);
    assert_int_equal(rr.ssrc, 0xa0b0c0d0);
    assert_int_equal(rr.report_count, 1);
    check_reports(rr.reports, 1);
    rtcp_begin(&writer, out, sizeof(out));
    rtcp_add_rr(&writer, 0xa0b0c0d0, REPORTS, 1);
    check_written(&writer, RR REPORT_1);
    packet = first_of("80 c9 0002 a0b0c0d0 ffffffff");
    assert_int_equal(rtcp_read_rr(&packet, &rr), OK);
    assert_int_equal(rr.report_count, 0);
}

static void test_reports_past_the_end(void **state)
{
    (void)state;
    struct rtcp_rr rr = { .ssrc = 77 };
    struct rtcp_sr sr = { .ssrc = 77 };
    struct rtcp_packet packet = first_of("81 c9 0006 a0b0c0d0 00000000 00000000 00000000 00000000"
                                         "00000000");
    assert_int_equal(rtcp_read_rr(&packet, &rr), ERR_MALFORMED);
    packet = first_of("80 c9 0000");
    assert_int_equal(rtcp_read_rr(&packet, &rr), ERR_MALFORMED);
    packet = first_of("80 c8 0005 00000000 00000000 00000000 00000000 00000000");
    assert_int_equal(rtcp_read_sr(&packet, &sr), ERR_MALFORMED);
    assert_int_equal(rr.ssrc + sr.ssrc, 154);
}

static void test_lost_packets_are_cut_to_24_bits(void **state)
{
    (void)state;
    uint8_t out[256];
    struct rtcp_writer writer;
    struct rtcp_report reports[3] = { { .packets_lost = INT32_MAX },
                                      { .packets_lost = INT32_MIN },
                                      { .packets_lost = -0x800000 } };
    rtcp_begin(&writer, out, sizeof(out));
    rtcp_add_rr(&writer, 1, reports, 3);
    struct view written = view_make(out + 8, sizeof(out) - 8);
    assert_int_equal(rtcp_report_at(written, 0).packets_lost, 0x7fffff);
    assert_int_equal(rtcp_report_at(written, 1).packets_lost, -0x800000);
    assert_int_equal(rtcp_report_at(written, 2).packets_lost, -0x800000);
}

static void test_cname(void **state)
{
    (void)state;
    /* with how many zeros each size ends: one to four */
    static const char *const WRITTEN[] = {
        "81 ca 0002 a0b0c0d0 01 00 0000",          "81 ca 0002 a0b0c0d0 01 01 61 00",
        "81 ca 0003 a0b0c0d0 01 02 6161 00000000", "81 ca 0003 a0b0c0d0 01 03 616161 000000",
        "81 ca 0003 a0b0c0d0 01 04 61616161 0000",
    };
    for (size_t size = 0; size < 5; size++) {
        uint8_t out[64];
        struct rtcp_writer writer;
        struct rtcp_sdes sdes;
        struct rtcp_sdes_item item;
        rtcp_begin(&writer, out, sizeof(out));
        rtcp_add_cname(&writer, 0xa0b0c0d0, view_make("aaaa", size));
        check_written(&writer, WRITTEN[size]);
        struct rtcp_packet packet = first_of(WRITTEN[size]);
        rtcp_sdes_begin(&packet, &sdes);
        assert_int_equal(rtcp_sdes_next(&sdes, &item), OK);
        assert_int_equal(item.ssrc, 0xa0b0c0d0);
        assert_int_equal(item.type, RTCP_CNAME);
        assert_true(view_equal(item.text, view_make("aaaa", size)));
        assert_int_equal(rtcp_sdes_next(&sdes, &item), ERR_NOT_FOUND);
    }
}

static void test_chunks_with_many_items(void **state)
{
    (void)state;
    struct rtcp_sdes sdes;
    struct rtcp_sdes_item item;
    struct rtcp_packet packet = first_of("83 ca 0009 00000001 01 01 61 06 02 6263 00"
                                         "00000002 00000000"
                                         "00000003 08 05 6162636465 01 01 66 0000");
    rtcp_sdes_begin(&packet, &sdes);
    assert_int_equal(rtcp_sdes_next(&sdes, &item), OK);
    assert_view(item.text, "a");
    assert_int_equal(rtcp_sdes_next(&sdes, &item), OK);
    assert_int_equal(item.type, 6);
    assert_int_equal(item.ssrc, 1);
    assert_view(item.text, "bc");
    assert_int_equal(rtcp_sdes_next(&sdes, &item), OK);
    assert_int_equal(item.ssrc, 3);
    assert_view(item.text, "abcde");
    assert_int_equal(rtcp_sdes_next(&sdes, &item), OK);
    assert_view(item.text, "f");
    assert_int_equal(rtcp_sdes_next(&sdes, &item), ERR_NOT_FOUND);
}

static void test_broken_chunks(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "81 ca 0000",                     /* no SSRC */
        "81 ca 0001 00000001",            /* no end */
        "81 ca 0002 00000001 01 03 6161", /* text past the end */
        "81 ca 0002 00000001 01 02 6161", /* no zero behind it */
        "82 ca 0002 00000001 00000000",   /* the second is not there */
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        struct rtcp_sdes sdes;
        struct rtcp_sdes_item item;
        int status = OK;
        struct rtcp_packet packet = first_of(BROKEN[i]);
        rtcp_sdes_begin(&packet, &sdes);
        while (status == OK)
            status = rtcp_sdes_next(&sdes, &item);
        assert_int_equal(status, ERR_MALFORMED);
    }
}

static void test_bye(void **state)
{
    (void)state;
    static const uint32_t SSRCS[] = { 1, 0xfffffffe };
    uint8_t out[64];
    struct rtcp_writer writer;
    struct rtcp_bye bye;
    struct rtcp_packet packet = first_of("82 cb 0004 00000001 fffffffe 03 627965 00000000");
    assert_int_equal(rtcp_read_bye(&packet, &bye), OK);
    assert_int_equal(bye.ssrc_count, 2);
    assert_int_equal(rtcp_ssrc_at(bye.ssrcs, 1), 0xfffffffe);
    assert_view(bye.reason, "bye");
    packet = first_of("82 cb 0002 00000001 fffffffe");
    assert_int_equal(rtcp_read_bye(&packet, &bye), OK);
    assert_int_equal(bye.reason.size, 0);
    rtcp_begin(&writer, out, sizeof(out));
    rtcp_add_bye(&writer, SSRCS, 2);
    check_written(&writer, "82 cb 0002 00000001 fffffffe");
    packet = first_of("82 cb 0001 00000001");
    assert_int_equal(rtcp_read_bye(&packet, &bye), ERR_MALFORMED);
    packet = first_of("81 cb 0002 00000001 04 616263");
    assert_int_equal(rtcp_read_bye(&packet, &bye), ERR_MALFORMED);
}

/* RFC 3611, sections 4.4 and 4.5, behind a block that is not known. */
static void test_extended_reports(void **state)
{
    (void)state;
    static const struct rtcp_dlrr DLRRS[] = { { 1, 2, 3 }, { 4, 5, 6 } };
    uint8_t out[128];
    struct rtcp_writer writer;
    struct rtcp_xr_block found;
    struct view rest;
    uint32_t ssrc;
    struct rtcp_packet packet =
        first_of("80 cf 000d a0b0c0d0 07 00 0001 12345678 04 00 0002 01020304 05060708"
                 "05 00 0006 00000001 00000002 00000003 00000004 00000005 00000006");
    assert_int_equal(rtcp_read_xr(&packet, &ssrc, &rest), OK);
    assert_int_equal(ssrc, 0xa0b0c0d0);
    assert_int_equal(rtcp_xr_next(&rest, &found), OK);
    assert_int_equal(found.type, 7);
    assert_int_equal(rtcp_xr_next(&rest, &found), OK);
    assert_int_equal(found.type, RTCP_XR_RRTR);
    assert_true(found.ntp == 0x0102030405060708u);
    assert_int_equal(rtcp_xr_next(&rest, &found), OK);
    assert_int_equal(found.dlrr_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        struct rtcp_dlrr dlrr = rtcp_dlrr_at(found.dlrrs, i);
        assert_memory_equal(&dlrr, &DLRRS[i], sizeof(dlrr));
    }
    assert_int_equal(rtcp_xr_next(&rest, &found), ERR_NOT_FOUND);
    rtcp_begin(&writer, out, sizeof(out));
    rtcp_add_rrtr(&writer, 9, 0x0102030405060708u);
    rtcp_add_dlrr(&writer, 9, DLRRS, 2);
    check_written(&writer, "80 cf 0004 00000009 04 00 0002 01020304 05060708 80 cf 0008 00000009"
                           "05 00 0006 00000001 00000002 00000003 00000004 00000005 00000006");
}

static void test_broken_extended_reports(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "80 cf 0000",
        "80 cf 0002 00000001 04 00 0002",
        "80 cf 0003 00000001 04 00 0001 00000000",
        "80 cf 0003 00000001 05 00 0001 00000000",
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        struct rtcp_xr_block found;
        struct view rest;
        uint32_t ssrc;
        struct rtcp_packet packet = first_of(BROKEN[i]);
        int status = rtcp_read_xr(&packet, &ssrc, &rest);
        if (status == OK)
            status = rtcp_xr_next(&rest, &found);
        assert_int_equal(status, ERR_MALFORMED);
    }
}

static void test_packet_after_packet(void **state)
{
    (void)state;
    struct rtcp_packet packet;
    struct view rest = from_hex(RR REPORT_1 CNAME "80 cc 0002 00000001 6e616d65"
                                                  "a1 ce 0003 00000001 00000002 00000004");
    static const unsigned TYPES[] = { RTCP_RR, RTCP_SDES, RTCP_APP, RTCP_PSFB };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rtcp_next(&rest, &packet), OK);
        assert_int_equal(packet.type, TYPES[i]);
    }
    assert_int_equal(packet.body.size, 8); /* without padding */
    assert_int_equal(packet.count, 1);
    assert_int_equal(rtcp_next(&rest, &packet), ERR_NOT_FOUND);
}

/* Feedbacks that are padded each to whole words, and sent together. */
static void test_padding_before_the_last(void **state)
{
    (void)state;
    struct rtcp_packet packet;
    struct view rest =
        from_hex("a1 cd 0003 00000001 00000002 00000003 81 ce 0002 00000001 00000002");
    assert_int_equal(rtcp_next(&rest, &packet), OK);
    assert_int_equal(packet.body.size, 9);
    assert_int_equal(rtcp_next(&rest, &packet), OK);
    assert_int_equal(packet.type, RTCP_PSFB);
    assert_int_equal(rtcp_next(&rest, &packet), ERR_NOT_FOUND);
}

static void test_broken_headers(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "80 c9 00",
        "40 c9 0001 00000001",
        "80 c9 0002 00000001",
        "80 c9 ffff 00000001",
        "a0 c9 0001 00000000", /* padding of none */
        "a0 c9 0001 00000005", /* of more than there is */
        "a0 c9 0000",          /* in no body */
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        struct rtcp_packet packet = { .type = 77 };
        struct view whole = from_hex(BROKEN[i]);
        struct view rest = whole;
        assert_int_equal(rtcp_next(&rest, &packet), ERR_MALFORMED);
        assert_int_equal(packet.type, 77);
        assert_ptr_equal(rest.at, whole.at);
    }
}

static void read_all(struct view rest)
{
    struct rtcp_packet packet;
    char line[600];
    assert_in_range(rtcp_print(rest, line, sizeof(line)), 4, sizeof(line) - 1);
    while (rtcp_next(&rest, &packet) == OK) {
        struct rtcp_sr sr;
        struct rtcp_rr rr;
        struct rtcp_bye bye;
        if (packet.type == RTCP_SR && rtcp_read_sr(&packet, &sr) == OK && sr.report_count)
            (void)rtcp_report_at(sr.reports, sr.report_count - 1u);
        if (packet.type == RTCP_RR && rtcp_read_rr(&packet, &rr) == OK && rr.report_count)
            (void)rtcp_report_at(rr.reports, rr.report_count - 1u);
        if (packet.type == RTCP_BYE && rtcp_read_bye(&packet, &bye) == OK && bye.ssrc_count)
            (void)rtcp_ssrc_at(bye.ssrcs, bye.ssrc_count - 1u);
        if (packet.type == RTCP_SDES) {
            struct rtcp_sdes sdes;
            struct rtcp_sdes_item item;
            rtcp_sdes_begin(&packet, &sdes);
            while (rtcp_sdes_next(&sdes, &item) == OK)
                continue;
        }
    }
}

static void test_every_truncation_and_bit_flip(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size = test_read_hex(SR REPORT_1 REPORT_2 CNAME "81 cb 0002 00000001 03 627965", bytes);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = test_copy(view_make(bytes, cut));
        read_all(view_make(copy, cut));
        free(copy);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint8_t *copy = test_copy(view_make(bytes, size));
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        read_all(view_make(copy, size));
        free(copy);
    }
}

static void check_line(const char *hex, const char *wanted)
{
    char line[512];
    size_t size = rtcp_print(from_hex(hex), line, sizeof(line));
    assert_string_equal(line, wanted);
    assert_int_equal(size, strlen(wanted));
}

static void test_print(void **state)
{
    (void)state;
    check_line(SR REPORT_1 CNAME, "rtcp broken"); /* one report of two, and a size for two */
    check_line(RR REPORT_1 CNAME "80 cc 0002 00000001 6e616d65 81 cb 0001 00000009",
               "rtcp rr ssrc=a0b0c0d0 [ssrc=11111111 lost=64/256,-1 seq=196606 jitter=7 "
               "lsr=b7052000 dlsr=344064] sdes app bye ssrc=00000009");
    check_line("80 c8 0006 a0b0c0d0 b44db705 20000000 00010203 00000004 00000500",
               "rtcp sr ssrc=a0b0c0d0 ntp=b44db70520000000 rtp=66051 packets=4 octets=1280");
    check_line("81 cd 0003 00000001 00000002 0005 0003 81 ce 0002 00000001 00000002",
               "rtcp nack sender=00000001 media=00000002 5 6 7 pli sender=00000001 "
               "media=00000002");
    check_line("81 cd 0003 00000001 00000002 0001 ffff",
               "rtcp nack sender=00000001 media=00000002 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 "
               "and 1 more");
    check_line("84 ce 0004 00000001 00000000 00000009 07 000000",
               "rtcp fir sender=00000001 media=00000000 [ssrc=00000009 number=7]");
    check_line("8f ce 0004 00000001 00000000 52454d42 00 0bd090",
               "rtcp afb sender=00000001 media=00000000 remb=1000000");
    check_line("8f cd 0005 00000001 00000002 0001 00dd 000003 04 00dd 0000",
               "rtcp transport-cc sender=00000001 media=00000002 base=1 statuses=221 reference=3 "
               "count=4");
    check_line("9f cd 0002 00000001 00000002 80 d0 0000 80 cf 0000",
               "rtcp feedback sender=00000001 media=00000002 type=208 xr");
    check_line("81 cd 0001 00000001 81 c9 0001 00000001 81 cb 0000",
               "rtcp nack broken rr broken bye broken");
}

static void test_print_at_every_capacity(void **state)
{
    (void)state;
    static const char LINE[] = "rtcp nack sender=00000001 media=00000002 5 6 7";
    struct view datagram = from_hex("81 cd 0003 00000001 00000002 0005 0003");
    for (size_t capacity = 0; capacity < sizeof(LINE) + 10; capacity++) {
        char *out = malloc(capacity + 1);
        size_t size = rtcp_print(datagram, out, capacity);
        size_t cut = capacity ? capacity - 1 : 0;
        assert_int_equal(size, cut < sizeof(LINE) - 1 ? cut : sizeof(LINE) - 1);
        assert_memory_equal(out, LINE, size);
        free(out);
    }
}

/* What does not fit is not there; what is there is whole. */
static void test_writer_at_every_capacity(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 80; capacity++) {
        uint8_t *out = malloc(capacity + 1);
        struct rtcp_writer writer;
        struct rtcp_packet packet;
        rtcp_begin(&writer, out, capacity);
        rtcp_add_rr(&writer, 1, REPORTS, 1);
        rtcp_add_cname(&writer, 1, VIEW("moim"));
        rtcp_add_rrtr(&writer, 1, 2);
        assert_int_equal(writer.overflow, capacity < 32 + 16 + 20);
        struct view rest = view_make(out, writer.size);
        int status = OK;
        while (status == OK)
            status = rtcp_next(&rest, &packet);
        assert_int_equal(status, ERR_NOT_FOUND);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sender_report),
        cmocka_unit_test(test_receiver_report),
        cmocka_unit_test(test_reports_past_the_end),
        cmocka_unit_test(test_lost_packets_are_cut_to_24_bits),
        cmocka_unit_test(test_cname),
        cmocka_unit_test(test_chunks_with_many_items),
        cmocka_unit_test(test_broken_chunks),
        cmocka_unit_test(test_bye),
        cmocka_unit_test(test_extended_reports),
        cmocka_unit_test(test_broken_extended_reports),
        cmocka_unit_test(test_packet_after_packet),
        cmocka_unit_test(test_padding_before_the_last),
        cmocka_unit_test(test_broken_headers),
        cmocka_unit_test(test_every_truncation_and_bit_flip),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_print_at_every_capacity),
        cmocka_unit_test(test_writer_at_every_capacity),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
