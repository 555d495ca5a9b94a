/* Fuzzes negotiations: two ends, of which one is polite, that add, send, stop, restart, offer and
 * answer in any order, with descriptions lost, late, or made of an input's own text.
 *
 * Input: a byte an act, with its operands; text that is to be taken follows its length in two
 * bytes.  What must hold: what is written is read; what was agreed is agreed by both.
 */
#include "input.h"
#include "negotiation_support.h"

#define TEXT_SIZE ((size_t)64 * 1024)
#define ACTS_MAX  200

struct end {
    struct negotiation negotiation;
    struct negotiation_section sections[END_SECTIONS];
    struct negotiation_local local;
    char letter[TEXT_SIZE]; /* its last description */
    size_t letter_size;     /* 0: none is under way */
    bool is_answer;
};

static struct end ends[2];
static struct sdp sdp;
static struct description description;
static int owners[4];

static void check_sections(const struct end *end)
{
    const struct negotiation *n = &end->negotiation;
    CHECK(n->described <= n->count && n->count + n->recycled <= n->capacity);
    CHECK(n->format_count <= NEGOTIATION_FORMATS_MAX);
    for (uint32_t i = 0; i < n->count; i++) {
        const struct negotiation_section *section = &n->sections[i];
        CHECK((i < n->described) == (section->state != NEGOTIATION_WANTED));
        CHECK(section->mid_size <= DESCRIPTION_MID_MAX);
        CHECK(section->rids_size <= NEGOTIATION_RIDS_SIZE);
        for (unsigned k = 0; k < section->format_count; k++)
            CHECK(section->formats[k] < n->format_count);
        CHECK(section->state != NEGOTIATION_AGREED || section->kind == SDP_APPLICATION ||
              section->format_count > 0);
    }
    for (uint32_t i = 0; i < n->format_count; i++)
        for (uint32_t k = 0; k < i; k++) {
            uint8_t type = n->formats[i].payload_type;
            CHECK(type == 255 || (n->formats[k].payload_type != type && n->formats[k].rtx != type));
        }
}

/* Both are stable, and nothing of a third was taken: they see the same. */
static void check_agreement(void)
{
    const struct negotiation *a = &ends[0].negotiation, *b = &ends[1].negotiation;
    CHECK(a->described == b->described);
    for (uint32_t i = 0; i < a->described; i++) {
        const struct negotiation_section *x = &a->sections[i], *y = &b->sections[i];
        CHECK((x->state == NEGOTIATION_STOPPED) == (y->state == NEGOTIATION_STOPPED));
        if (x->state == NEGOTIATION_STOPPED)
            continue;
        CHECK(x->kind == y->kind && x->mid_size == y->mid_size);
        CHECK(memcmp(x->mid, y->mid, x->mid_size) == 0);
        CHECK(x->direction == sdp_direction_turned((enum sdp_direction)y->direction));
    }
}

static void add(struct end *end, uint8_t choice)
{
    enum sdp_kind kind = choice & 1 ? SDP_VIDEO : SDP_AUDIO;
    struct negotiation_sending sending = end_sending(1 + choice);
    (void)!negotiation_add(&end->negotiation, &owners[choice >> 6], kind, &sending, choice & 2,
                           &END_FORMATS[kind == SDP_VIDEO ? 1 + (choice >> 2 & 1) : 0], 1);
}

static void change(struct end *end, uint8_t choice)
{
    struct negotiation_sending sending = end_sending(1 + choice);
    uint32_t i = choice & 15;
    if (i >= end->negotiation.count)
        return;
    struct negotiation_section *section = &end->sections[i];
    if (choice & 0x80)
        negotiation_stop(&end->negotiation, section);
    else if (section->state == NEGOTIATION_AGREED && section->kind != SDP_APPLICATION)
        negotiation_send(&end->negotiation, section,
                         choice & 0x40 ? &sending : &(struct negotiation_sending){ 0 });
}

static void say(struct end *end, uint8_t choice)
{
    struct sdp_writer writer = { .at = end->letter,
                                 .capacity = choice & 0x80 ? choice * 8u : TEXT_SIZE };
    struct description_error error;
    int status;
    if (end->negotiation.state == NEGOTIATION_LOCAL_OFFER)
        return;
    end->is_answer = end->negotiation.state == NEGOTIATION_REMOTE_OFFER;
    if (end->is_answer)
        status = negotiation_write_answer(&end->negotiation, &end->local, &writer);
    else
        status = negotiation_write_offer(&end->negotiation, &end->local, &writer);
    CHECK(status == OK || status == ERR_LIMIT);
    end->letter_size = status == OK ? writer.size : 0;
    if (status == OK)
        CHECK(description_read(view_make(end->letter, writer.size), &sdp, &description, &error) ==
              OK);
}

/* True: it was taken. */
static bool take(struct end *end, struct view text, bool is_answer)
{
    struct description_error error = { 0 };
    struct negotiation_remote remote;
    if (description_read(text, &sdp, &description, &error) != OK)
        return false;
    int status = is_answer
                     ? negotiation_take_answer(&end->negotiation, &description, &remote, &error)
                     : negotiation_take_offer(&end->negotiation, &description, &remote, &error);
    CHECK(status == OK || error.what);
    return status == OK;
}

static void hear(struct end *end, struct end *from)
{
    if (from->letter_size == 0)
        return;
    (void)!take(end, view_make(from->letter, from->letter_size), from->is_answer);
    from->letter_size = 0;
}

static bool hear_text(struct end *end, uint8_t choice, struct view *input)
{
    size_t size = (size_t)input_byte(input) << 8;
    size |= input_byte(input);
    struct span copy = input_copy(input_take(input, size));
    bool is_taken = take(end, view_of_span(copy), choice & 1);
    free(copy.at);
    return is_taken;
}

/* The polite one takes the other's offer at the end, and both are to agree. */
static void settle(void)
{
    struct end *polite = &ends[0], *other = &ends[1];
    for (unsigned i = 0; i < 2; i++) {
        negotiation_rollback(&ends[i].negotiation);
        if (ends[i].negotiation.state == NEGOTIATION_REMOTE_OFFER)
            return; /* it never says what it answers: no agreement */
    }
    say(other, 0);
    if (!take(polite, view_make(other->letter, other->letter_size), false))
        return;
    say(polite, 0);
    CHECK(take(other, view_make(polite->letter, polite->letter_size), true));
    check_agreement();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    bool is_pure = true; /* nothing of a third's has been taken */
    for (unsigned i = 0; i < 2; i++) {
        memset(&ends[i], 0, sizeof ends[i]);
        negotiation_init(&ends[i].negotiation, &END_POLICY, ends[i].sections, END_SECTIONS, 1 + i,
                         i == 0);
        ends[i].local = end_local(i ? "theirs00" : "ours0000", (uint8_t)(100 * i));
    }
    for (unsigned acts = 0; input.size > 0 && acts < ACTS_MAX; acts++) {
        uint8_t act = input_byte(&input);
        struct end *end = &ends[act >> 7];
        uint8_t choice = input_byte(&input);
        switch (act & 7) {
        case 0:
            add(end, choice);
            break;
        case 1:
            change(end, choice);
            break;
        case 2:
        case 3:
            say(end, choice);
            break;
        case 4:
        case 5:
            hear(end, &ends[!(act >> 7)]);
            break;
        case 6:
            negotiation_rollback(&end->negotiation);
            if (choice & 1)
                negotiation_restart(&end->negotiation);
            break;
        default:
            is_pure &= !hear_text(end, choice, &input);
        }
        check_sections(&ends[0]);
        check_sections(&ends[1]);
    }
    if (is_pure)
        settle();
    return 0;
}
