/* Fuzzes the reader of scripts of lines, and a line that follows what was read.
 *
 * Input: the script.  What must hold: what was read reads the same when it is written; and however
 * the line changes, packets are conserved, and come out in time.
 */
#include "input.h"
#include "netem/netem.h"
#include "netem/script.h"

enum { PACKETS = 64, STEPS = 300 };

static void check_written(const struct netem_script *script)
{
    char text[NETEM_STEP_TEXT_MAX];
    struct netem_script again;
    struct netem_script_error error;
    for (unsigned i = 0; i < script->count; i++) {
        struct netem_setting seen = { 0 }, wanted = { 0 };
        size_t size = netem_step_write(&script->steps[i], text);
        CHECK(size < sizeof text);
        CHECK(netem_script_read(view_make(text, size), &again, &error) == OK);
        CHECK(again.count == 1 && again.steps[0].words == script->steps[i].words &&
              again.steps[0].at == script->steps[i].at);
        netem_step_apply(&again.steps[0], &seen);
        netem_step_apply(&script->steps[i], &wanted);
        CHECK(memcmp(&seen, &wanted, sizeof seen) == 0);
    }
}

static void take_all(struct netem *line, usec now)
{
    for (struct netem_packet *packet; (packet = netem_take(line, now));) {
        CHECK(packet->sent_at <= packet->at && packet->at <= now);
        netem_give(line, packet);
    }
    CHECK(netem_until(line) > now);
}

static void check_line(const struct netem_script *script)
{
    static const uint8_t BYTES[1000];
    struct pool store;
    struct netem line;
    usec now = USEC_S;
    CHECK(netem_store_init(&store, PACKETS) == OK);
    netem_init(&line, &store, 1, 28, now);
    netem_follow(&line, now, script, now);
    for (unsigned i = 0; i < STEPS; i++) {
        if (line.step < script->count && i % 8 == 7)
            now = now > USEC_S + script->steps[line.step].at ? now
                                                             : USEC_S + script->steps[line.step].at;
        netem_send(&line, now, view_make(BYTES, i % sizeof BYTES), i);
        take_all(&line, now);
        const struct netem_counts *counts = &line.counts;
        CHECK(counts->sent + counts->doubled == counts->arrived + counts->lost +
                                                    counts->overflowed + line.queue_count +
                                                    line.way_count);
        CHECK(store.used == line.queue_count + line.way_count);
        now += i % 3 * USEC_MS;
    }
    netem_free(&line);
    CHECK(store.used == 0);
    pool_free(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct netem_script script;
    struct netem_script_error error = { 0 };
    struct span copy = input_copy(view_make(data, size));
    if (netem_script_read(view_of_span(copy), &script, &error) == OK) {
        check_written(&script);
        check_line(&script);
    } else {
        CHECK(error.line > 0 && error.what);
    }
    free(copy.at);
    return 0;
}
