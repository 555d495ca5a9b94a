/* test_allocations.c - the heap runs out at every place in turn: nothing crashes, nothing is left.
 *
 * The heap is used in three ways only: when a server is made, for the tree of a JSON message, and
 * for a parcel.  The linker puts the functions below in the place of the C library's (--wrap).
 */
#include <stddef.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *at);

/* What the test itself needs does not run out.  realloc too: of NULL, compilers make it malloc. */
#define malloc(size)        __real_malloc(size)
#define calloc(count, size) __real_calloc(count, size)
#define realloc(at, size)   __real_realloc(at, size)
#define free(at)            __real_free(at)

#include "house_meet.h"
#include "house_paths.h"
#include "house_stomp.h"
#include "relay_tables.h"

#include <cjson/cJSON.h>

static long fails_at = -1; /* how many allocations still succeed; -1: all */
static bool has_failed;
static long in_use;

static bool fails(void)
{
    if (fails_at < 0 || fails_at-- > 0)
        return false;
    has_failed = true;
    fails_at = -1; /* one, and those behind it succeed */
    return true;
}

void *__wrap_malloc(size_t size)
{
    void *at = fails() ? NULL : __real_malloc(size);
    in_use += at != NULL;
    return at;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *at = fails() ? NULL : __real_calloc(count, size);
    in_use += at != NULL;
    return at;
}

void __wrap_free(void *at)
{
    in_use -= at != NULL;
    __real_free(at);
}

static void make_a_server(const struct endpoint_configs *endpoints, long least)
{
    static struct metrics metrics;
    uint64_t seed = 1;
    struct server_config config = {
        .worker_count = 1,
        .streams_max = 16,
        .rooms_max = 16,
        .members_max = 16,
        .buffer_bytes = 1024 * 1024,
        .random = { test_random_fill, &seed },
        .metrics = &metrics,
        .endpoints = endpoints,
    };
    int status = ERR_MEMORY;
    long before = in_use;
    for (long i = 0; status != OK; i++) {
        struct server *server = NULL;
        fails_at = i;
        status = server_new(&config, HOUSE_BEGIN, &server);
        fails_at = -1;
        if (status == OK) {
            assert_true(i > least); /* the sweep had something to sweep */
            server_free(server);
        } else {
            assert_int_equal(status, ERR_MEMORY);
            assert_null(server);
        }
        assert_int_equal(in_use, before);
    }
}

static void test_making_a_server(void **state)
{
    static const struct endpoint_config STOMP = STOMP_ENDPOINT;
    static const struct endpoint_configs STOMP_ALONE = { &STOMP, 1 };
    (void)state;
    make_a_server(NULL, 5);
    make_a_server(&STOMP_ALONE, 5);
    make_a_server(&ALL_PATHS, 15);
    make_a_server(&CLIENT_ENDPOINTS, 15);
}

/* Two who meet on a worker to which at least one is handed over. */
static void meet(struct house *house)
{
    static const char *const SAID[] = {
        "{'type':'join','version':1,'room':'%s','name':'%s'}",
        "{'type':'chat','id':1,'text':'hello','more':{'a':[1,2,{'b':'c'}]}}",
        "{'type':'candidate','id':2,'to':'m2','candidate':{'candidate':'x','sdpMid':'0'}}",
        "{'type':'leave','id':3}",
    };
    for (unsigned i = 0; i < 2; i++) {
        struct wire *wire = house_dial(house, i, STREAM_HTTP);
        if (!wire)
            continue;
        ws_open(wire, "");
        for (size_t j = 0; j < sizeof SAID / sizeof SAID[0] && !wire_is_closed(wire); j++) {
            char text[256];
            snprintf(text, sizeof text, SAID[j], "room", i ? "one" : "two");
            ws_say(wire, text);
        }
        if (i == 1)
            return;
    }
}

static void test_meeting(void **state)
{
    (void)state;
    cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = __wrap_malloc, .free_fn = __wrap_free });
    long before = in_use;
    long i = 0;
    do {
        struct house *house = house_build(&(struct wishes){ .workers = 2 });
        has_failed = false;
        fails_at = i++;
        meet(house);
        fails_at = -1;
        house_close(house);
        assert_int_equal(in_use, before);
    } while (has_failed);
    assert_true(i > 20);
    cJSON_InitHooks(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_making_a_server),
        cmocka_unit_test(test_meeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
