/* test_rtp_captures.c - what Chromium 156 sends, beside its dissection.
 *
 * Of its test picture and tone, as its own log of packets shows them before they are encrypted.
 * Payloads of video are cut where their descriptors have ended.  VP8 is there twice: with L1T3 it
 * bears dependency descriptors, and then its payloads say nothing of layers.
 */
#include "payload_support.h"

#include "wire/dependency_descriptor.h"
#include "wire/payload.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"

#define DESCRIPTOR_ID 13 /* as negotiated */

/* Letters as in test_payload.c.  A descriptor speaks of the structure of the same SSRC. */
static const struct capture {
    enum payload_codec codec; /* PAYLOAD_CODECS: RTCP */
    const char *hex;
    const char *line;
    const char *payload;
    const char *descriptor;
} CAPTURES[] = {
    { PAYLOAD_VP8,
      "90e000a79abfb1de8f850ababede000822e131d94100059030830606061030007c010001000600"
      "06000a0000000000009080a6f5503e009d012a80026801396100251c22",
      "rtp ssrc=8f850aba pt=96 seq=167 ts=2596254174 marker", "feku s0 t0", NULL },
    { PAYLOAD_VP8,
      "90e000a89abfc3728f850ababede000322e17bfc41001290300000009080a6f6712d00e4b8f893"
      "47a747a7d88517f1fa",
      "rtp ssrc=8f850aba pt=96 seq=168 ts=2596258674 marker", "fe s0 t0", NULL },
    { PAYLOAD_VP8,
      "90604934e63f20393aa6723a1000000d020322f733040200050901300d178000018002044eaaaf"
      "2860414d34538a0940409fc059c00e0c01805c8b01e701027f01673c0010d046009d012a800268"
      "01395f00231c240c2c2c",
      "rtp ssrc=3aa6723a pt=96 seq=18740 ts=3862896697", "fku s0 t0",
      "dd frame=1 template=0 s0 t0 start structure SSS active=7" },
    { PAYLOAD_VP8,
      "90e04935e63f20393aa6723abede00092222fdcc4100069030830606061030007c010020002400"
      "24002e00000000d240000100000056e18866abfffe156e188664347c82cc3aa15a",
      "rtp ssrc=3aa6723a pt=96 seq=18741 ts=3862896697 marker", "e s0 t0",
      "dd frame=1 template=0 s0 t0 end SSS" },
    { PAYLOAD_VP8,
      "90e04936e63f32813aa6723abede000422230a634100099030d2c50002000000303129000c1c24"
      "0c2c2c44cc24418400027069c2",
      "rtp ssrc=3aa6723a pt=96 seq=18742 ts=3862901377 marker", "fe s0 t0",
      "dd frame=2 template=5 s0 t2 start end --D -1" },
    { PAYLOAD_VP9,
      "90e27cbbe4b279dc7fd705941000001a0203f80b6804020004090130080406060610030100070d"
      "010019002200230026000000000d32c00001c00514853aaaa8018004004002a02a0060010015d3"
      "4514174d144c700874321651118543276809f8059813f80b38e00e0b01804d648e01013f00b33c"
      "000000beecd31010014000b4834983420013f00b30d0e0",
      "rtp ssrc=7fd70594 pt=98 seq=31931 ts=3836901852 marker", "fekul s0 t0",
      "dd frame=1 template=0 s0 t0 start end structure SSSSSS active=7" },
    { PAYLOAD_VP9,
      "90e27cebe4b429ee7fd70594bede000322fcf2154100a3d2c7002900fdece832048708260004fe"
      "02ceb141c120e0c880",
      "rtp ssrc=7fd70594 pt=98 seq=31979 ts=3837012462 marker", "feul s1 t1",
      "dd frame=41 template=7 s1 t1 start end ----DS -4" },
    { PAYLOAD_VP9,
      "90627cece4b438587fd70594bede000322fd083d4100a6d2c4002a00fdece9500287004000027e"
      "0167027f01679001c1",
      "rtp ssrc=7fd70594 pt=98 seq=31980 ts=3837016152", "feul s0 t2",
      "dd frame=42 template=4 s0 t2 start end --D--- -2" },
    { PAYLOAD_VP9,
      "90e27cede4b438587fd70594bede000322fd16874100a8d2c9002b00fdece952028700600004fe"
      "02ce9351c120e0cc70",
      "rtp ssrc=7fd70594 pt=98 seq=31981 ts=3837016152 marker", "feul s1 t2",
      "dd frame=43 template=9 s1 t2 start end -----D -2" },
    { PAYLOAD_VP9,
      "90627ceee4b44afa7fd70594bede000722fd3b874100ab7c010006000c000c000c00000000d2c1"
      "002c000000fdecea100887010000027e0167027f0167b0d1c1",
      "rtp ssrc=7fd70594 pt=98 seq=31982 ts=3837020922", "feul s0 t0",
      "dd frame=44 template=1 s0 t0 start end SSS--- -8" },
    { PAYLOAD_AV1,
      "902d72062da06b61e00feb481000001702034cdb1a04020003090130080406060610030100070d"
      "010008001300140018000000000d21c000018003187aaaf130a0a014d141382304600864222226"
      "5013f00b3027f016700e1103503654629801013f00b314027f0167140000281208003303098084"
      "40c22021989fece00d00403400129face04fe02ce9a006186180b232a0b5f45ecb973c1a94f5f1",
      "rtp ssrc=e00feb48 pt=45 seq=29190 ts=765487969", "fkul s0 t0",
      "dd frame=1 template=0 s0 t0 start end structure SSSS active=f" },
    { PAYLOAD_AV1,
      "90ad72072da06b61e00feb48bede0007224cde7641000490307c01000800140014001c00000000"
      "d2c300020010340830e0400200013400ffffff16a24000400099261e6a991693332ec4d1ef29e6"
      "54457261b19862b3f1e48f520c9b",
      "rtp ssrc=e00feb48 pt=45 seq=29191 ts=765487969 marker", "fel s1 t0",
      "dd frame=2 template=3 s1 t0 start end --SS -1" },
    { PAYLOAD_AV1,
      "902d72082da07cf5e00feb48bede0004224cfdbf41000f9030d2c2000300000010342035008004"
      "008268012cb2ca2d44800080009834efd40139c43a863287d1c109d4d58e7290d60b8e9e8ab074"
      "92a4",
      "rtp ssrc=e00feb48 pt=45 seq=29192 ts=765492469", "fl s0 t1",
      "dd frame=3 template=2 s0 t1 start end -D-R -2" },
    { PAYLOAD_AV1,
      "90ad72092da07cf5e00feb48bede0004224cfe1b4100109030d2c5000400000010342834000404"
      "00026801fffffe2d44800080009ee07849ba2cbf6c09536a20e2db0e5e22555fc026091c32ba40"
      "0745",
      "rtp ssrc=e00feb48 pt=45 seq=29193 ts=765492469 marker", "fel s1 t1",
      "dd frame=4 template=5 s1 t1 start end ---D -2 -1" },
    { PAYLOAD_H264,
      "90667ae07326250267bc1c72bede000322738dfc41000590300000007800136742c01f8c8d4050"
      "17fcb35060606078442350000468ce3c80",
      "rtp ssrc=67bc1c72 pt=102 seq=31456 ts=1931879682", "fku s0 t0", NULL },
    { PAYLOAD_H264,
      "90667ae17326250267bc1c72bede000322738e3b41000690300000007c85b80004000005388c50"
      "0010458e000203f1c0",
      "rtp ssrc=67bc1c72 pt=102 seq=31457 ts=1931879682", "fku s0 t0", NULL },
    { PAYLOAD_H264,
      "90e67ae27326250267bc1c72bede0008227396d34100079030830606061030007c010002000400"
      "0400110000000000007c45e3b00046446664444666447fffc005eaac3d",
      "rtp ssrc=67bc1c72 pt=102 seq=31458 ts=1931879682 marker", "e s0 t0", NULL },
    { PAYLOAD_H264,
      "90e67ae37326369667bc1c72bede00032273bec8410012903000000061e0004000be405380498d"
      "ffc04e10ae002d669d",
      "rtp ssrc=67bc1c72 pt=102 seq=31459 ts=1931884182 marker", "fe s0 t0", NULL },
    { PAYLOAD_OPUS,
      "90ef1fdc6a913a9672631e8dbede000322e103db4100019031e0ff00780be4c136ecc58d8c4946"
      "9904c5aaed92e7634a",
      "rtp ssrc=72631e8d pt=111 seq=8156 ts=1787902614 marker", "fe s0 t0", NULL },
    { PAYLOAD_OPUS,
      "906f1fdd6a913e5672631e8dbede000322e117b94100029031e0ff007807c97227e144ea55f1f0"
      "c0d5de1e6060fc2ce0",
      "rtp ssrc=72631e8d pt=111 seq=8157 ts=1787903574", "fe s0 t0", NULL },
    { PAYLOAD_RED,
      "903f57fc87aed3f48dd3d3b6bede00032222dd164100029031c0ff00ef0f00206f780be4c136ec"
      "c58d8c49469904c5aaed92e7634a3a1898ee62cb60ff6c1b29007807c97227e144ea55f1f0c0d5"
      "de1e6060fc2ce0504912f0b8b07e31f783cdcd8300",
      "rtp ssrc=8dd3d3b6 pt=63 seq=22524 ts=2276381684", "fe s0 t0", NULL },
    { PAYLOAD_RED,
      "903f57fd87aed7b48dd3d3b6bede00032222f1734100039031c0ff00ef0f00226f7807c97227e1"
      "44ea55f1f0c0d5de1e6060fc2ce0504912f0b8b07e31f783cdcd83007807c979c8c957c0a21223"
      "faef67f32ee3d3d5e9ecdb400fa0b6552ab78c83cd83cd00",
      "rtp ssrc=8dd3d3b6 pt=63 seq=22525 ts=2276382644", "fe s0 t0", NULL },
    { PAYLOAD_CODECS,
      "80c800068f850abaeeac1cf8bdf6ec5b9ac05120000000190000407881ca00068f850aba01106c"
      "4e626242376f6c444b4855536e4b63000080cf00058f850aba05000003000000011cf8b6f20000"
      "06ea",
      "rtcp sr ssrc=8f850aba ntp=eeac1cf8bdf6ec5b rtp=2596294944 packets=25 octets=16504 sdes xr",
      NULL, NULL },
    { PAYLOAD_CODECS,
      "81c90007fa17fa1772631e8d0000000000002056000000a61cfaaacf0000080280cf0004fa17fa"
      "1704000002eeac1cfab2e9ab29",
      "rtcp rr ssrc=fa17fa17 [ssrc=72631e8d lost=0/256,0 seq=8278 jitter=166 lsr=1cfaaacf "
      "dlsr=2050] xr",
      NULL, NULL },
    { PAYLOAD_CODECS, "afcd0008fa17fa1772631e8d0007000b09748801200b470e0801000d130c110b51000003",
      "rtcp transport-cc sender=fa17fa17 media=72631e8d base=7 statuses=11 reference=619656 "
      "count=1",
      NULL, NULL },
};

static void check_rtcp(const struct capture *capture)
{
    char line[300];
    struct view datagram = from_hex(capture->hex);
    rtcp_print(datagram, line, sizeof(line));
    assert_string_equal(line, capture->line);
}

static void check_payload(const struct capture *capture, const struct rtp_packet *packet)
{
    char seen[32];
    struct payload payload;
    struct view bytes = rtp_payload(packet, block);
    assert_int_equal(payload_read(capture->codec, bytes, packet->marker, &payload), OK);
    snprintf(seen, sizeof(seen), "%s%s%s%s%s s%u t%u", payload.starts_frame ? "f" : "",
             payload.ends_frame ? "e" : "", payload.starts_key ? "k" : "",
             payload.switching_up ? "u" : "", payload.has_layers ? "l" : "", payload.spatial_id,
             payload.temporal_id);
    assert_string_equal(seen, capture->payload);
}

static void check_descriptor(const struct capture *capture, const struct rtp_packet *packet,
                             struct dd_structure *structure)
{
    char line[200];
    struct view value;
    struct dd_frame frame;
    assert_int_equal(rtp_extension_value(packet, block, DESCRIPTOR_ID, &value),
                     capture->descriptor != NULL);
    if (!capture->descriptor)
        return;
    assert_int_equal(dd_read(value, structure, &frame), OK);
    dd_print(structure, &frame, line, sizeof(line));
    assert_string_equal(line, capture->descriptor);
}

static void test_captures(void **state)
{
    (void)state;
    static struct dd_structure structure;
    uint32_t ssrc = 0;
    for (size_t i = 0; i < sizeof(CAPTURES) / sizeof(CAPTURES[0]); i++) {
        char line[200];
        struct rtp_packet packet;
        struct view datagram = from_hex(CAPTURES[i].hex);
        assert_int_equal(rtp_is_rtcp(datagram), CAPTURES[i].codec == PAYLOAD_CODECS);
        if (CAPTURES[i].codec == PAYLOAD_CODECS) {
            check_rtcp(&CAPTURES[i]);
            continue;
        }
        assert_int_equal(rtp_read(datagram, &packet), OK);
        rtp_print(&packet, line, sizeof(line));
        /* without sizes, which are those of the cut */
        assert_int_equal(strncmp(line, CAPTURES[i].line, strlen(CAPTURES[i].line)), 0);
        check_payload(&CAPTURES[i], &packet);
        if (packet.ssrc != ssrc)
            memset(&structure, 0, sizeof(structure));
        ssrc = packet.ssrc;
        check_descriptor(&CAPTURES[i], &packet, &structure);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captures),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
