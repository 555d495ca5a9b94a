#include "netem/script.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit TIMES[] = { { "us", 1 }, { "ms", USEC_MS }, { "s", USEC_S }, { NULL, 0 } };
static const struct unit RATES[] = { { "k", 1000 }, { "M", 1000000 }, { "", 1 }, { NULL, 0 } };
static const struct unit SIZES[] = { { "kB", 1000 }, { "B", 1 }, { NULL, 0 } };
static const struct unit CHANCES[] = { { "%", NETEM_ALL / 100 }, { NULL, 0 } };

#define QUEUE_BYTES_MAX 1000000000

struct reader {
    struct view rest; /* of the line */
    struct netem_step *step;
    const char *what; /* the error */
};

/* ---- values ---- */

static struct view take_word(struct reader *reader)
{
    struct view rest = view_trim(reader->rest);
    size_t size = 0;
    while (size < rest.size && rest.at[size] != ' ' && rest.at[size] != '\t')
        size++;
    reader->rest = view_slice(rest, size, rest.size);
    return view_slice(rest, 0, size);
}

static size_t count_digits(struct view v)
{
    size_t count = 0;
    while (count < v.size && v.at[count] >= '0' && v.at[count] <= '9')
        count++;
    return count;
}

/* A number with a unit, of which there are not more than `most` of the smallest.  A fraction has up
 * to six digits, and what of it is smaller than the smallest unit is cut. */
static bool read_value(struct view v, const struct unit *units, uint64_t most, uint64_t *value)
{
    uint64_t whole, part = 0, scale = 1;
    size_t digits = count_digits(v);
    if (!view_read_number(view_slice(v, 0, digits), most, &whole))
        return false;
    v = view_slice(v, digits, v.size);
    if (v.size > 0 && v.at[0] == '.') {
        v = view_slice(v, 1, v.size);
        digits = count_digits(v);
        if (digits > 6 || !view_read_number(view_slice(v, 0, digits), 999999, &part))
            return false;
        for (size_t i = 0; i < digits; i++)
            scale *= 10;
        v = view_slice(v, digits, v.size);
    }
    while (units->name && !view_equal(v, view_of(units->name)))
        units++;
    if (!units->name || whole > most / units->factor)
        return false;
    whole = whole * units->factor + part * units->factor / scale;
    if (whole > most)
        return false;
    *value = whole;
    return true;
}

static bool take_time(struct reader *reader, usec *time)
{
    if (read_value(take_word(reader), TIMES, NETEM_TIME_MAX, time))
        return true;
    reader->what = "a time is wanted, such as 20ms or 1.5s";
    return false;
}

static bool take_chance(struct reader *reader, uint32_t *of_a_million)
{
    uint64_t value;
    if (!read_value(take_word(reader), CHANCES, NETEM_ALL, &value)) {
        reader->what = "a chance is wanted, such as 5% or 0.1%";
        return false;
    }
    *of_a_million = (uint32_t)value;
    return true;
}

/* ---- words ---- */

static bool take_rate(struct reader *reader)
{
    struct view word = take_word(reader);
    uint64_t *rate = &reader->step->setting.rate_bps;
    if (view_equal(word, VIEW("none"))) {
        *rate = 0;
        return true;
    }
    if (read_value(word, RATES, NETEM_RATE_MAX, rate) && *rate > 0)
        return true;
    reader->what = "a rate is wanted, such as 300k or 2.5M, or none";
    return false;
}

static bool take_queue(struct reader *reader)
{
    struct view word = take_word(reader);
    struct netem_setting *setting = &reader->step->setting;
    uint64_t bytes = 0;
    setting->queue_time = 0;
    setting->queue_bytes = 0;
    if (view_equal(word, VIEW("none")))
        return true;
    if (read_value(word, SIZES, QUEUE_BYTES_MAX, &bytes) && bytes > 0) {
        setting->queue_bytes = (uint32_t)bytes;
        return true;
    }
    if (read_value(word, TIMES, NETEM_TIME_MAX, &setting->queue_time) && setting->queue_time > 0)
        return true;
    reader->what = "a size or a time is wanted, such as 20kB or 200ms, or none";
    return false;
}

static bool take_delay(struct reader *reader)
{
    return take_time(reader, &reader->step->setting.delay);
}

static bool take_jitter(struct reader *reader)
{
    reader->step->setting.reorders = false;
    return take_time(reader, &reader->step->setting.jitter);
}

static bool take_jumble(struct reader *reader)
{
    reader->step->setting.reorders = true;
    return take_time(reader, &reader->step->setting.jitter);
}

static bool take_loss(struct reader *reader)
{
    return take_chance(reader, &reader->step->setting.loss);
}

static bool take_burst(struct reader *reader)
{
    return take_chance(reader, &reader->step->setting.burst_begin) &&
           take_chance(reader, &reader->step->setting.burst_end);
}

static bool take_duplicate(struct reader *reader)
{
    return take_chance(reader, &reader->step->setting.duplicate);
}

static bool take_reorder(struct reader *reader)
{
    return take_chance(reader, &reader->step->setting.reorder) &&
           take_time(reader, &reader->step->setting.reorder_by);
}

static bool take_block(struct reader *reader)
{
    reader->step->setting.is_blocked = true;
    return true;
}

static bool take_open(struct reader *reader)
{
    reader->step->setting.is_blocked = false;
    return true;
}

static const struct {
    const char *name;
    enum netem_word word;
    bool (*take)(struct reader *reader);
} WORDS[] = {
    { "rate", NETEM_RATE, take_rate },          { "queue", NETEM_QUEUE, take_queue },
    { "delay", NETEM_DELAY, take_delay },       { "jitter", NETEM_JITTER, take_jitter },
    { "jumble", NETEM_JITTER, take_jumble },    { "loss", NETEM_LOSS, take_loss },
    { "burst", NETEM_BURST, take_burst },       { "duplicate", NETEM_DUPLICATE, take_duplicate },
    { "reorder", NETEM_REORDER, take_reorder }, { "block", NETEM_BLOCK, take_block },
    { "open", NETEM_BLOCK, take_open },
};

static bool take_one(struct reader *reader, struct view name)
{
    for (unsigned i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        uint32_t bit = 1u << WORDS[i].word;
        if (!view_equal(name, view_of(WORDS[i].name)))
            continue;
        if (reader->step->words & bit) {
            reader->what = "the same is said twice";
            return false;
        }
        reader->step->words |= bit;
        return WORDS[i].take(reader);
    }
    reader->what = "an unknown word";
    return false;
}

static bool read_step(struct reader *reader)
{
    if (!view_equal(take_word(reader), VIEW("at"))) {
        reader->what = "a step begins with `at`";
        return false;
    }
    if (!take_time(reader, &reader->step->at))
        return false;
    for (struct view name; (name = take_word(reader)).size > 0;)
        if (!take_one(reader, name))
            return false;
    return true;
}

int netem_script_read(struct view text, struct netem_script *script,
                      struct netem_script_error *error)
{
    struct netem_script made = { 0 };
    struct view line;
    unsigned number = 0;
    while (view_split(&text, '\n', &line)) {
        struct netem_step step = { 0 };
        number++;
        if (line.size > 0 && line.at[line.size - 1] == '\r')
            line.size--;
        line = view_trim(view_slice(line, 0, view_find_byte(line, '#')));
        if (line.size == 0)
            continue;
        struct reader reader = { .rest = line, .step = &step };
        if (read_step(&reader) && made.count > 0 && step.at < made.steps[made.count - 1].at)
            reader.what = "it is earlier than the step before";
        if (reader.what) {
            *error = (struct netem_script_error){ number, reader.what };
            return ERR_MALFORMED;
        }
        if (made.count == NETEM_STEPS_MAX) {
            *error = (struct netem_script_error){ number, "too many steps" };
            return ERR_LIMIT;
        }
        made.steps[made.count++] = step;
    }
    *script = made;
    return OK;
}

void netem_step_apply(const struct netem_step *step, struct netem_setting *setting)
{
    const struct netem_setting *from = &step->setting;
#define SAID(word) (step->words & 1u << (word))
    if (SAID(NETEM_RATE))
        setting->rate_bps = from->rate_bps;
    if (SAID(NETEM_QUEUE)) {
        setting->queue_bytes = from->queue_bytes;
        setting->queue_time = from->queue_time;
    }
    if (SAID(NETEM_DELAY))
        setting->delay = from->delay;
    if (SAID(NETEM_JITTER)) {
        setting->jitter = from->jitter;
        setting->reorders = from->reorders;
    }
    if (SAID(NETEM_LOSS))
        setting->loss = from->loss;
    if (SAID(NETEM_BURST)) {
        setting->burst_begin = from->burst_begin;
        setting->burst_end = from->burst_end;
    }
    if (SAID(NETEM_DUPLICATE))
        setting->duplicate = from->duplicate;
    if (SAID(NETEM_REORDER)) {
        setting->reorder = from->reorder;
        setting->reorder_by = from->reorder_by;
    }
    if (SAID(NETEM_BLOCK))
        setting->is_blocked = from->is_blocked;
}

/* ---- writing ---- */

struct writer {
    char *out;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(writer->out + writer->size, NETEM_STEP_TEXT_MAX - writer->size, format,
                         arguments);
    va_end(arguments);
    writer->size += (size_t)size;
}

static void put_chance(struct writer *writer, uint32_t of_a_million)
{
    put(writer, " %" PRIu32 ".%04" PRIu32 "%%", of_a_million / 10000, of_a_million % 10000);
}

static void put_rate_and_queue(struct writer *writer, const struct netem_step *step)
{
    const struct netem_setting *setting = &step->setting;
    if (SAID(NETEM_RATE) && setting->rate_bps)
        put(writer, " rate %" PRIu64, setting->rate_bps);
    else if (SAID(NETEM_RATE))
        put(writer, " rate none");
    if (SAID(NETEM_QUEUE) && setting->queue_bytes)
        put(writer, " queue %" PRIu32 "B", setting->queue_bytes);
    else if (SAID(NETEM_QUEUE) && setting->queue_time)
        put(writer, " queue %" PRIu64 "us", setting->queue_time);
    else if (SAID(NETEM_QUEUE))
        put(writer, " queue none");
}

size_t netem_step_write(const struct netem_step *step, char *out)
{
    const struct netem_setting *setting = &step->setting;
    struct writer writer = { .out = out };
    put(&writer, "at %" PRIu64 "us", step->at);
    put_rate_and_queue(&writer, step);
    if (SAID(NETEM_DELAY))
        put(&writer, " delay %" PRIu64 "us", setting->delay);
    if (SAID(NETEM_JITTER))
        put(&writer, " %s %" PRIu64 "us", setting->reorders ? "jumble" : "jitter", setting->jitter);
    if (SAID(NETEM_LOSS)) {
        put(&writer, " loss");
        put_chance(&writer, setting->loss);
    }
    if (SAID(NETEM_BURST)) {
        put(&writer, " burst");
        put_chance(&writer, setting->burst_begin);
        put_chance(&writer, setting->burst_end);
    }
    if (SAID(NETEM_DUPLICATE)) {
        put(&writer, " duplicate");
        put_chance(&writer, setting->duplicate);
    }
    if (SAID(NETEM_REORDER)) {
        put(&writer, " reorder");
        put_chance(&writer, setting->reorder);
        put(&writer, " %" PRIu64 "us", setting->reorder_by);
    }
    if (SAID(NETEM_BLOCK))
        put(&writer, setting->is_blocked ? " block" : " open");
#undef SAID
    return writer.size;
}
