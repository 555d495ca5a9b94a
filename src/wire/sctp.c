/* Reading and writing SCTP packets. */
#include "wire/sctp.h"

#include "base/bytes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- checksum ---- */

/* clang-format off */
static const uint32_t CRC_TABLE[256] = {
    0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4, 0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb,
    0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b, 0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24,
    0x105ec76f, 0xe235446c, 0xf165b798, 0x030e349b, 0xd7c45070, 0x25afd373, 0x36ff2087, 0xc494a384,
    0x9a879fa0, 0x68ec1ca3, 0x7bbcef57, 0x89d76c54, 0x5d1d08bf, 0xaf768bbc, 0xbc267848, 0x4e4dfb4b,
    0x20bd8ede, 0xd2d60ddd, 0xc186fe29, 0x33ed7d2a, 0xe72719c1, 0x154c9ac2, 0x061c6936, 0xf477ea35,
    0xaa64d611, 0x580f5512, 0x4b5fa6e6, 0xb93425e5, 0x6dfe410e, 0x9f95c20d, 0x8cc531f9, 0x7eaeb2fa,
    0x30e349b1, 0xc288cab2, 0xd1d83946, 0x23b3ba45, 0xf779deae, 0x05125dad, 0x1642ae59, 0xe4292d5a,
    0xba3a117e, 0x4851927d, 0x5b016189, 0xa96ae28a, 0x7da08661, 0x8fcb0562, 0x9c9bf696, 0x6ef07595,
    0x417b1dbc, 0xb3109ebf, 0xa0406d4b, 0x522bee48, 0x86e18aa3, 0x748a09a0, 0x67dafa54, 0x95b17957,
    0xcba24573, 0x39c9c670, 0x2a993584, 0xd8f2b687, 0x0c38d26c, 0xfe53516f, 0xed03a29b, 0x1f682198,
    0x5125dad3, 0xa34e59d0, 0xb01eaa24, 0x42752927, 0x96bf4dcc, 0x64d4cecf, 0x77843d3b, 0x85efbe38,
    0xdbfc821c, 0x2997011f, 0x3ac7f2eb, 0xc8ac71e8, 0x1c661503, 0xee0d9600, 0xfd5d65f4, 0x0f36e6f7,
    0x61c69362, 0x93ad1061, 0x80fde395, 0x72966096, 0xa65c047d, 0x5437877e, 0x4767748a, 0xb50cf789,
    0xeb1fcbad, 0x197448ae, 0x0a24bb5a, 0xf84f3859, 0x2c855cb2, 0xdeeedfb1, 0xcdbe2c45, 0x3fd5af46,
    0x7198540d, 0x83f3d70e, 0x90a324fa, 0x62c8a7f9, 0xb602c312, 0x44694011, 0x5739b3e5, 0xa55230e6,
    0xfb410cc2, 0x092a8fc1, 0x1a7a7c35, 0xe811ff36, 0x3cdb9bdd, 0xceb018de, 0xdde0eb2a, 0x2f8b6829,
    0x82f63b78, 0x709db87b, 0x63cd4b8f, 0x91a6c88c, 0x456cac67, 0xb7072f64, 0xa457dc90, 0x563c5f93,
    0x082f63b7, 0xfa44e0b4, 0xe9141340, 0x1b7f9043, 0xcfb5f4a8, 0x3dde77ab, 0x2e8e845f, 0xdce5075c,
    0x92a8fc17, 0x60c37f14, 0x73938ce0, 0x81f80fe3, 0x55326b08, 0xa759e80b, 0xb4091bff, 0x466298fc,
    0x1871a4d8, 0xea1a27db, 0xf94ad42f, 0x0b21572c, 0xdfeb33c7, 0x2d80b0c4, 0x3ed04330, 0xccbbc033,
    0xa24bb5a6, 0x502036a5, 0x4370c551, 0xb11b4652, 0x65d122b9, 0x97baa1ba, 0x84ea524e, 0x7681d14d,
    0x2892ed69, 0xdaf96e6a, 0xc9a99d9e, 0x3bc21e9d, 0xef087a76, 0x1d63f975, 0x0e330a81, 0xfc588982,
    0xb21572c9, 0x407ef1ca, 0x532e023e, 0xa145813d, 0x758fe5d6, 0x87e466d5, 0x94b49521, 0x66df1622,
    0x38cc2a06, 0xcaa7a905, 0xd9f75af1, 0x2b9cd9f2, 0xff56bd19, 0x0d3d3e1a, 0x1e6dcdee, 0xec064eed,
    0xc38d26c4, 0x31e6a5c7, 0x22b65633, 0xd0ddd530, 0x0417b1db, 0xf67c32d8, 0xe52cc12c, 0x1747422f,
    0x49547e0b, 0xbb3ffd08, 0xa86f0efc, 0x5a048dff, 0x8ecee914, 0x7ca56a17, 0x6ff599e3, 0x9d9e1ae0,
    0xd3d3e1ab, 0x21b862a8, 0x32e8915c, 0xc083125f, 0x144976b4, 0xe622f5b7, 0xf5720643, 0x07198540,
    0x590ab964, 0xab613a67, 0xb831c993, 0x4a5a4a90, 0x9e902e7b, 0x6cfbad78, 0x7fab5e8c, 0x8dc0dd8f,
    0xe330a81a, 0x115b2b19, 0x020bd8ed, 0xf0605bee, 0x24aa3f05, 0xd6c1bc06, 0xc5914ff2, 0x37faccf1,
    0x69e9f0d5, 0x9b8273d6, 0x88d28022, 0x7ab90321, 0xae7367ca, 0x5c18e4c9, 0x4f48173d, 0xbd23943e,
    0xf36e6f75, 0x0105ec76, 0x12551f82, 0xe03e9c81, 0x34f4f86a, 0xc69f7b69, 0xd5cf889d, 0x27a40b9e,
    0x79b737ba, 0x8bdcb4b9, 0x988c474d, 0x6ae7c44e, 0xbe2da0a5, 0x4c4623a6, 0x5f16d052, 0xad7d5351,
};
/* clang-format on */

static uint32_t crc_bytes(uint32_t crc, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ at[i]) & 0xff];
    return crc;
}

#ifdef __x86_64__
/* The processor's own instruction: 0.1 us a packet instead of 3. */
__attribute__((target("sse4.2"))) static uint32_t crc_words(uint32_t crc, const uint8_t *at,
                                                            size_t size)
{
    uint64_t word;
    uint64_t wide = crc;
    for (; size >= sizeof word; at += sizeof word, size -= sizeof word) {
        memcpy(&word, at, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    return crc_bytes((uint32_t)wide, at, size);
}
#endif

static uint32_t crc_add(uint32_t crc, const uint8_t *at, size_t size)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return crc_words(crc, at, size);
#endif
    return crc_bytes(crc, at, size);
}

uint32_t sctp_crc32c(struct view bytes, size_t hole)
{
    static const uint8_t ZEROES[4];
    uint32_t crc = 0xffffffff;
    if (bytes.size < sizeof ZEROES || hole > bytes.size - sizeof ZEROES)
        return ~crc_add(crc, bytes.at, bytes.size);
    size_t behind = hole + sizeof ZEROES;
    crc = crc_add(crc, bytes.at, hole);
    crc = crc_add(crc, ZEROES, sizeof ZEROES);
    return ~crc_add(crc, bytes.at + behind, bytes.size - behind);
}

/* The checksum is the one number that is written with its low byte first (appendix A). */
static uint32_t read_checksum(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* ---- reading ---- */

int sctp_read_packet(struct view datagram, struct sctp_packet *packet)
{
    if (datagram.size < SCTP_HEADER_SIZE || datagram.size % 4 != 0)
        return ERR_MALFORMED;
    if (sctp_crc32c(datagram, 8) != read_checksum(datagram.at + 8))
        return ERR_FORGED;
    *packet = (struct sctp_packet){
        .source_port = bytes_read_16(datagram.at),
        .destination_port = bytes_read_16(datagram.at + 2),
        .tag = bytes_read_32(datagram.at + 4),
        .chunks = view_slice(datagram, SCTP_HEADER_SIZE, datagram.size),
    };
    return OK;
}

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

int sctp_next_chunk(struct view *rest, struct sctp_chunk *chunk)
{
    if (rest->size == 0)
        return ERR_NOT_FOUND;
    if (rest->size < SCTP_CHUNK_HEADER_SIZE)
        return ERR_MALFORMED;
    size_t length = bytes_read_16(rest->at + 2);
    if (length < SCTP_CHUNK_HEADER_SIZE || length > rest->size)
        return ERR_MALFORMED;
    *chunk = (struct sctp_chunk){
        .type = rest->at[0],
        .flags = rest->at[1],
        .value = view_slice(*rest, SCTP_CHUNK_HEADER_SIZE, length - SCTP_CHUNK_HEADER_SIZE),
    };
    *rest = view_slice(*rest, padded(length), rest->size);
    return OK;
}

int sctp_next_parameter(struct view *rest, struct sctp_parameter *parameter)
{
    if (rest->size == 0)
        return ERR_NOT_FOUND;
    if (rest->size < 4)
        return ERR_MALFORMED;
    size_t length = bytes_read_16(rest->at + 2);
    if (length < 4 || length > rest->size)
        return ERR_MALFORMED;
    *parameter = (struct sctp_parameter){
        .type = bytes_read_16(rest->at),
        .value = view_slice(*rest, 4, length - 4),
    };
    *rest = view_slice(*rest, padded(length), rest->size);
    return OK;
}

int sctp_read_data(struct view value, struct sctp_data *data)
{
    if (value.size <= SCTP_DATA_HEADER_SIZE - SCTP_CHUNK_HEADER_SIZE)
        return ERR_MALFORMED;
    *data = (struct sctp_data){
        .tsn = bytes_read_32(value.at),
        .stream = bytes_read_16(value.at + 4),
        .ssn = bytes_read_16(value.at + 6),
        .ppid = bytes_read_32(value.at + 8),
        .payload = view_slice(value, 12, value.size),
    };
    return OK;
}

int sctp_read_init(struct view value, struct sctp_init_chunk *init)
{
    if (value.size < 16)
        return ERR_MALFORMED;
    struct sctp_init_chunk read = {
        .tag = bytes_read_32(value.at),
        .window = bytes_read_32(value.at + 4),
        .streams_out = bytes_read_16(value.at + 8),
        .streams_in = bytes_read_16(value.at + 10),
        .initial_tsn = bytes_read_32(value.at + 12),
        .parameters = view_slice(value, 16, value.size),
    };
    if (read.tag == 0 || read.streams_out == 0 || read.streams_in == 0)
        return ERR_MALFORMED;
    *init = read;
    return OK;
}

int sctp_read_sack(struct view value, struct sctp_sack *sack)
{
    if (value.size < 12)
        return ERR_MALFORMED;
    uint16_t gaps = bytes_read_16(value.at + 8);
    uint16_t duplicates = bytes_read_16(value.at + 10);
    if (value.size < 12 + 4 * ((size_t)gaps + duplicates))
        return ERR_MALFORMED;
    *sack = (struct sctp_sack){
        .cumulative_tsn = bytes_read_32(value.at),
        .window = bytes_read_32(value.at + 4),
        .gap_count = gaps,
        .gaps = view_slice(value, 12, 4 * (size_t)gaps),
    };
    return OK;
}

struct sctp_gap sctp_gap_at(struct view gaps, unsigned n)
{
    const uint8_t *at = gaps.at + 4 * (size_t)n;
    assert(4 * ((size_t)n + 1) <= gaps.size);
    return (struct sctp_gap){ bytes_read_16(at), bytes_read_16(at + 2) };
}

int sctp_read_forward_tsn(struct view value, struct sctp_forward_tsn *forward)
{
    if (value.size < 4)
        return ERR_MALFORMED;
    *forward = (struct sctp_forward_tsn){
        .new_cumulative_tsn = bytes_read_32(value.at),
        .skip_count = (uint16_t)((value.size - 4) / 4),
        .skips = view_slice(value, 4, value.size),
    };
    return OK;
}

struct sctp_skip sctp_skip_at(struct view skips, unsigned n)
{
    const uint8_t *at = skips.at + 4 * (size_t)n;
    assert(4 * ((size_t)n + 1) <= skips.size);
    return (struct sctp_skip){ bytes_read_16(at), bytes_read_16(at + 2) };
}

/* ---- writing ---- */

void sctp_begin(struct sctp_writer *writer, uint8_t *out, size_t capacity, uint16_t source_port,
                uint16_t destination_port, uint32_t tag)
{
    assert(capacity >= SCTP_HEADER_SIZE && capacity % 4 == 0 && capacity <= UINT16_MAX);
    *writer = (struct sctp_writer){ .at = out, .capacity = capacity, .size = SCTP_HEADER_SIZE };
    bytes_write_16(out, source_port);
    bytes_write_16(out + 2, destination_port);
    bytes_write_32(out + 4, tag);
    bytes_write_32(out + 8, 0);
}

size_t sctp_room(const struct sctp_writer *writer)
{
    size_t left = writer->capacity - writer->size;
    return left > SCTP_CHUNK_HEADER_SIZE ? left - SCTP_CHUNK_HEADER_SIZE : 0;
}

uint8_t *sctp_add_chunk(struct sctp_writer *writer, uint8_t type, uint8_t flags, size_t size)
{
    size_t whole = SCTP_CHUNK_HEADER_SIZE + padded(size);
    if (whole > writer->capacity - writer->size)
        return NULL;
    uint8_t *at = writer->at + writer->size;
    at[0] = type;
    at[1] = flags;
    bytes_write_16(at + 2, (uint32_t)(SCTP_CHUNK_HEADER_SIZE + size));
    memset(at + SCTP_CHUNK_HEADER_SIZE + size, 0, padded(size) - size);
    writer->chunk = writer->size;
    writer->size += whole;
    return at + SCTP_CHUNK_HEADER_SIZE;
}

uint8_t *sctp_add_parameter(struct sctp_writer *writer, uint16_t type, size_t size)
{
    size_t whole = 4 + padded(size);
    assert(writer->chunk >= SCTP_HEADER_SIZE);
    if (whole > writer->capacity - writer->size)
        return NULL;
    uint8_t *at = writer->at + writer->size;
    bytes_write_16(at, type);
    bytes_write_16(at + 2, (uint32_t)(4 + size));
    memset(at + 4 + size, 0, padded(size) - size);
    writer->size += whole;
    bytes_write_16(writer->at + writer->chunk + 2,
                   (uint32_t)(writer->size - writer->chunk - (padded(size) - size)));
    return at + 4;
}

void sctp_seal(struct sctp_writer *writer)
{
    uint32_t crc = sctp_crc32c(view_make(writer->at, writer->size), 8);
    for (unsigned i = 0; i < 4; i++)
        writer->at[8 + i] = (uint8_t)(crc >> 8 * i);
}
