/* fasttext_words.h -- what fastText sees of a text: words, their pieces, their n-grams.
 *
 * A word is what stands between white space; its hash is FNV-1a over bytes taken as signed.
 * N-grams of words are hashed into buckets, and so are the characters' n-grams of a word
 * between "<" and ">".
 */
#ifndef WINNOW_QUALITY_FASTTEXT_WORDS_H
#define WINNOW_QUALITY_FASTTEXT_WORDS_H

#include "base/str.h"

#define FASTTEXT_LABEL       "__label__"
#define FASTTEXT_END_OF_LINE "</s>" /* the word that ends every line */

#define FASTTEXT_HASH_START  2166136261U

/* One more byte; the char is sign-extended as on the machines where fastText is at home. */
static inline uint32_t fasttext_hash_add(uint32_t h, char c)
{
    uint32_t extended = (uint32_t)(int32_t)(int8_t)c;
    return (h ^ extended) * 16777619U;
}
uint32_t fasttext_hash(struct str word);

/* The hash of an n-gram of words and one more; the first word's own is fasttext_gram(hash). */
static inline uint64_t fasttext_gram(uint32_t word_hash)
{
    return (uint64_t)(int64_t)(int32_t)word_hash;
}
static inline uint64_t fasttext_gram_add(uint64_t h, uint32_t word_hash)
{
    return h * 116049371U + fasttext_gram(word_hash);
}

/* Takes the next word off *rest, with its hash; false at the end.  A line feed is white space
 * here: a document is one line. */
bool fasttext_next_word(struct str *rest, struct str *word, uint32_t *hash);

/* Numbers that grow as they are told. */
struct fasttext_ids {
    uint32_t *items;
    size_t count, cap;
};
void fasttext_ids_release(struct fasttext_ids *ids);
void fasttext_ids_add(struct fasttext_ids *ids, uint32_t id);

/* The buckets of a word's character n-grams, minn..maxn characters, of which bare "<" and ">"
 * are none.  bucket > 0. */
void fasttext_pieces(struct str word, int32_t minn, int32_t maxn, uint32_t bucket,
                     struct fasttext_ids *out);

#endif /* WINNOW_QUALITY_FASTTEXT_WORDS_H */
