/* fasttext_words.c -- words and hashes as fastText makes them. */
#include "quality/fasttext_words.h"

#include "base/grow.h"
#include "base/mem.h"

uint32_t fasttext_hash(struct str word)
{
    uint32_t h = FASTTEXT_HASH_START;
    for (size_t i = 0; i < word.len; i++) {
        h = fasttext_hash_add(h, word.ptr[i]);
    }
    return h;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

bool fasttext_next_word(struct str *rest, struct str *word, uint32_t *hash)
{
    const char *at = rest->ptr, *end = rest->len > 0 ? at + rest->len : at;
    while (at < end && is_space(*at)) {
        at++;
    }
    uint32_t h = FASTTEXT_HASH_START;
    const char *start = at;
    for (; at < end && !is_space(*at); at++) {
        h = fasttext_hash_add(h, *at);
    }
    *word = (struct str){start, (size_t)(at - start)};
    *rest = (struct str){at, (size_t)(end - at)};
    *hash = h;
    return word->len > 0;
}

void fasttext_ids_release(struct fasttext_ids *ids)
{
    mem_free(ids->items);
    *ids = (struct fasttext_ids){0};
}

void fasttext_ids_add(struct fasttext_ids *ids, uint32_t id)
{
    GROW(ids->items, ids->count, ids->cap, 1024);
    ids->items[ids->count++] = id;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0U) == 0x80U;
}

/* The byte at i of "<word>". */
static char framed(struct str word, size_t i)
{
    if (i == 0) {
        return '<';
    }
    return i <= word.len ? word.ptr[i - 1] : '>';
}

void fasttext_pieces(struct str word, int32_t minn, int32_t maxn, uint32_t bucket,
                     struct fasttext_ids *out)
{
    size_t bytes = word.len + 2;
    for (size_t i = 0; i < bytes; i++) {
        if (continues(framed(word, i))) {
            continue;
        }
        uint32_t h = FASTTEXT_HASH_START;
        size_t j = i;
        for (int32_t n = 1; j < bytes && n <= maxn; n++) {
            do {
                h = fasttext_hash_add(h, framed(word, j++));
            } while (j < bytes && continues(framed(word, j)));
            if (n >= minn && !(n == 1 && (i == 0 || j == bytes))) {
                fasttext_ids_add(out, h % bucket);
            }
        }
    }
}
