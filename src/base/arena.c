/* arena.c -- blocks that are filled from the front and given back together.
 *
 *     head ─► block (used bytes of size) ─► older ─► older ─► NULL
 *
 * A piece that does not fit into the newest block begins another one; what was
 * left in the old one is lost until the arena's end, so blocks should be large
 * beside pieces.  Every piece starts at a cache line.  Short strings, of which
 * there are millions, share pieces of 4 KiB instead.
 *
 * Under AddressSanitizer memory that is not handed out is poisoned and each piece
 * has a red zone behind it: an overrun inside a block, and a use after
 * arena_reset(), are found as they would be on the heap. */
#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) /* gcc */
#define ARENA_POISONS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) /* clang */
#define ARENA_POISONS
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#define REDZONE        64U
#define SHORT_TEXT     0U /* each string has its own red zone, but for empty ones */
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define REDZONE        0U
#define SHORT_TEXT     255U
#endif
#define TEXT_PIECE  4096U

#define ARENA_ALIGN 64U

struct arena_block {
    alignas(ARENA_ALIGN) struct arena_block *older;
    size_t size;
    alignas(ARENA_ALIGN) unsigned char data[];
};
_Static_assert(sizeof(struct arena_block) % ARENA_ALIGN == 0, "data must start aligned");

void arena_init(struct arena *a, size_t block_size)
{
    *a = (struct arena){.block_size = block_size};
}

void arena_release(struct arena *a)
{
    while (a->head) {
        struct arena_block *older = a->head->older;
        UNPOISON(a->head->data, a->head->size);
        mem_free(a->head);
        a->head = older;
    }
    a->used = 0;
    a->text_left = 0;
}

void arena_reset(struct arena *a)
{
    if (!a->head) {
        return;
    }
    struct arena older = {.head = a->head->older};
    arena_release(&older);
    a->head->older = NULL;
    a->used = 0;
    a->text_left = 0;
    POISON(a->head->data, a->head->size);
}

static size_t arena_need(size_t bytes)
{
    return ((bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1)) + REDZONE;
}

static bool arena_grow(struct arena *a, size_t need, bool may_fail)
{
    size_t size = need > a->block_size ? need : a->block_size;
    size_t bytes = sizeof(struct arena_block) + size;
    struct arena_block *block = may_fail ? mem_try_alloc(bytes) : mem_alloc(bytes);
    if (!block) {
        return false;
    }
    block->older = a->head;
    block->size = size;
    POISON(block->data, block->size);
    a->head = block;
    a->used = 0;
    return true;
}

static void *arena_take(struct arena *a, size_t bytes, bool may_fail)
{
    size_t need = arena_need(bytes);
    if ((!a->head || a->head->size - a->used < need) && !arena_grow(a, need, may_fail)) {
        return NULL;
    }
    void *p = a->head->data + a->used;
    a->used += need;
    assert(a->used <= a->head->size);
    UNPOISON(p, bytes);
    memset(p, 0, bytes);
    return p;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    assert(size == 0 || count <= (SIZE_MAX / 2) / size);
    return arena_take(a, count * size, false);
}

void *arena_try_alloc(struct arena *a, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 2) / size) {
        return NULL;
    }
    return arena_take(a, count * size, true);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy;
    if (len <= SHORT_TEXT) {
        if (a->text_left <= len) {
            a->text = arena_alloc(a, TEXT_PIECE, 1);
            a->text_left = TEXT_PIECE;
        }
        copy = a->text;
        a->text += len + 1;
        a->text_left -= len + 1;
    } else {
        copy = arena_alloc(a, len + 1, 1);
    }
    if (len > 0) {
        memcpy(copy, s, len);
    }
    copy[len] = '\0';
    return copy;
}
