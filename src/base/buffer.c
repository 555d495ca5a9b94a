#include "base/buffer.h"

#include "base/list.h"

#include <assert.h>
#include <stdlib.h>

#define PAGE_SIZE  ((size_t)256 * 1024)
#define SIZE_COUNT 5
#define OWN_MEMORY UINT32_MAX /* in place of a page */

static const uint32_t SIZES[SIZE_COUNT] = { 256, 1024, 4096, 16384,
                                            BUFFER_SIZE_MAX + sizeof(struct buffer) };

struct page {
    struct list node;    /* among the pages of its size that have room, or among the free pages */
    struct buffer *free; /* a chain through `deflated` */
    uint32_t size_class;
    uint32_t used;
    uint32_t touched;
};

struct buffers {
    uint8_t *memory;
    struct page *pages;
    uint32_t page_count;
    uint32_t pages_touched;
    struct list free_pages;
    struct list roomy[SIZE_COUNT];
    size_t used;
    size_t large_used; /* of it, in memory of their own */
    size_t large_max;
};

int buffers_new(size_t budget, struct buffers **out)
{
    uint32_t page_count = (uint32_t)((budget + PAGE_SIZE - 1) / PAGE_SIZE);
    struct buffers *store = calloc(1, sizeof *store);
    if (!store)
        return ERR_MEMORY;
    store->pages = calloc(page_count, sizeof *store->pages);
    if (!store->pages)
        goto give_store;
    store->memory = malloc(PAGE_SIZE * page_count);
    if (!store->memory)
        goto give_pages;

    store->page_count = page_count;
    store->large_max = budget / 4;
    list_init(&store->free_pages);
    for (int i = 0; i < SIZE_COUNT; i++)
        list_init(&store->roomy[i]);
    *out = store;
    return OK;

give_pages:
    free(store->pages);
give_store:
    free(store);
    return ERR_MEMORY;
}

void buffers_free(struct buffers *store)
{
    if (!store)
        return;
    assert(store->used == 0);
    free(store->memory);
    free(store->pages);
    free(store);
}

static uint32_t buffers_in_page(uint32_t size_class)
{
    return (uint32_t)(PAGE_SIZE / SIZES[size_class]);
}

static struct page *take_page(struct buffers *store, uint32_t size_class)
{
    struct page *page;
    if (!list_empty(&store->free_pages)) {
        page = LIST_ENTRY(store->free_pages.next, struct page, node);
        list_remove(&page->node);
    } else if (store->pages_touched < store->page_count) {
        page = &store->pages[store->pages_touched++];
        list_init(&page->node);
    } else {
        return NULL;
    }
    page->size_class = size_class;
    page->free = NULL;
    page->used = 0;
    page->touched = 0;
    list_append(&store->roomy[size_class], &page->node);
    return page;
}

static struct buffer *take_from(struct buffers *store, struct page *page)
{
    uint32_t number = (uint32_t)(page - store->pages);
    struct buffer *buffer = page->free;
    if (buffer) {
        page->free = buffer->deflated;
    } else {
        size_t at = PAGE_SIZE * number + (size_t)SIZES[page->size_class] * page->touched++;
        buffer = (struct buffer *)(void *)(store->memory + at);
    }
    page->used++;
    if (page->used == buffers_in_page(page->size_class))
        list_remove(&page->node);
    *buffer = (struct buffer){
        .references = 1,
        .capacity = SIZES[page->size_class] - (uint32_t)sizeof *buffer,
        .page = number,
    };
    return buffer;
}

/* Twice as large as need be, at most: one that grows byte by byte is copied a few times only. */
static int take_large(struct buffers *store, size_t size, struct buffer **out)
{
    size_t capacity = 2 * BUFFER_SIZE_MAX;
    if (size > BUFFER_LARGE_MAX)
        return ERR_LIMIT;
    while (capacity < size)
        capacity *= 2;
    size_t whole = sizeof(struct buffer) + capacity;
    if (whole > store->large_max - store->large_used)
        return ERR_LIMIT;
    struct buffer *buffer = malloc(whole);
    if (!buffer)
        return ERR_LIMIT;
    *buffer = (struct buffer){
        .references = 1,
        .capacity = (uint32_t)capacity,
        .page = OWN_MEMORY,
    };
    store->large_used += whole;
    store->used += whole;
    *out = buffer;
    return OK;
}

static void give_large(struct buffers *store, struct buffer *buffer)
{
    size_t whole = sizeof *buffer + buffer->capacity;
    store->large_used -= whole;
    store->used -= whole;
    free(buffer);
}

int buffers_take(struct buffers *store, size_t size, struct buffer **out)
{
    uint32_t size_class = 0;
    if (size > BUFFER_SIZE_MAX)
        return take_large(store, size, out);
    while (SIZES[size_class] - sizeof(struct buffer) < size)
        size_class++;

    struct page *page;
    if (!list_empty(&store->roomy[size_class]))
        page = LIST_ENTRY(store->roomy[size_class].next, struct page, node);
    else
        page = take_page(store, size_class);
    if (!page)
        return ERR_LIMIT;
    *out = take_from(store, page);
    store->used += SIZES[size_class];
    return OK;
}

void buffer_give(struct buffers *store, struct buffer *buffer)
{
    if (!buffer)
        return;
    assert(buffer->references > 0);
    if (--buffer->references > 0)
        return;
    buffer_give(store, buffer->deflated);
    if (buffer->page == OWN_MEMORY) {
        give_large(store, buffer);
        return;
    }

    struct page *page = &store->pages[buffer->page];
    bool was_full = page->used == buffers_in_page(page->size_class);
    store->used -= SIZES[page->size_class];
    buffer->deflated = page->free;
    page->free = buffer;
    page->used--;
    if (page->used == 0) {
        list_remove(&page->node);
        list_append(&store->free_pages, &page->node);
    } else if (was_full) {
        list_append(&store->roomy[page->size_class], &page->node);
    }
}

size_t buffers_used(const struct buffers *store)
{
    return store->used;
}
