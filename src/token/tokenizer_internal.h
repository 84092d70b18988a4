/* tokenizer_internal.h -- the parts of a tokenizer.
 *
 *   text -> added tokens cut out (added.c) -> normalizer (normalize.c)
 *        -> pre-tokenizer: words (pretoken.c; scan.c, regex.c)
 *        -> BPE of each word (bpe.c) -> template (encode.c)
 *   ids  -> decoder (decode.c) -> text
 */
#ifndef WINNOW_TOKEN_TOKENIZER_INTERNAL_H
#define WINNOW_TOKEN_TOKENIZER_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "token/tokenizer.h"

/* ---- bytes and characters (alphabet.c) ---- */

/* GPT-2 writes every byte as a printable character: '!'..'~' and two Latin-1
 * ranges as themselves, the others as U+0100 and up. */
uint32_t alphabet_char(uint8_t byte);

/* The byte of that character, or -1. */
int alphabet_byte(uint32_t code);

/* Appends the bytes as characters of the alphabet. */
void alphabet_add(struct buf *out, struct str bytes);

/* What the pre-tokenizers tell apart.  Ill-formed bytes are 0, as symbols are. */
enum { CLASS_LETTER = 1, CLASS_NUMBER = 2, CLASS_SPACE = 4, CLASS_NEWLINE = 8 };

/* One byte of CLASS_ bits for each code point below CLASSES_SIZE. */
#define CLASSES_SIZE 0x10000U
void classes_fill(uint8_t *classes);
unsigned class_of(uint32_t code);

/* ---- scanners (scan.c) ---- */

enum scan_kind { SCAN_NONE, SCAN_GPT2, SCAN_LLAMA3, SCAN_QWEN2 };

/* The regular expression that a scanner stands for. */
const char *scan_pattern(enum scan_kind kind);
enum scan_kind scan_of_pattern(struct str pattern);

/* Where the word that starts at s[at] ends; at < s.len. */
size_t scan_next(enum scan_kind kind, const uint8_t *classes, struct str s, size_t at);

/* ---- regular expressions (regex.c) ---- */

struct regex;
struct regex_scratch;
winnow_status regex_new(struct str pattern, struct regex **out, struct winnow_error *err);
void regex_free(struct regex *r);
struct regex_scratch *regex_scratch_new(void);
void regex_scratch_free(struct regex_scratch *s);

/* The next match at or behind `at`: false where there is none. */
bool regex_find(const struct regex *r, struct regex_scratch *scratch, struct str s, size_t at,
                size_t *start, size_t *end);

/* ---- components ---- */

enum norm_kind { NORM_NFC, NORM_NFD, NORM_NFKC, NORM_NFKD, NORM_PREPEND, NORM_REPLACE, NORM_STRIP };
struct norm_step {
    enum norm_kind kind;
    struct str from, to; /* Prepend: to; Replace */
    bool strip_left, strip_right;
};

enum pre_kind { PRE_SPLIT, PRE_BYTE_LEVEL, PRE_DIGITS, PRE_METASPACE };
enum split_behavior { SPLIT_REMOVED, SPLIT_ISOLATED, SPLIT_PREVIOUS, SPLIT_NEXT, SPLIT_CONTIGUOUS };
enum prepend_scheme { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER };
struct pre_step {
    enum pre_kind kind;
    struct str pattern; /* Split: text or regular expression */
    bool is_regex, invert;
    enum split_behavior behavior;
    enum scan_kind scan; /* the scanner for that regular expression, if any */
    struct regex *regex;
    bool add_prefix_space, use_regex; /* ByteLevel */
    bool individual;                  /* Digits */
    struct str replacement;           /* Metaspace */
    enum prepend_scheme scheme;
    bool split;
};

enum dec_kind {
    DEC_BYTE_LEVEL,
    DEC_REPLACE,
    DEC_BYTE_FALLBACK,
    DEC_FUSE,
    DEC_STRIP,
    DEC_METASPACE
};
struct dec_step {
    enum dec_kind kind;
    struct str from, to; /* Replace; Metaspace: from; Strip: from, one character */
    size_t start, stop;  /* Strip */
    enum prepend_scheme scheme;
    bool split;
};

struct added_token {
    struct str content;
    uint32_t id;
    bool special, lstrip, rstrip, single_word, normalized;
};

/* Texts to look for in a text, by leftmost-longest match. */
struct trie_node {
    uint32_t child, sibling; /* 0: none */
    uint32_t token;          /* index + 1 into the added tokens, 0: none ends here */
    uint8_t byte;
};
struct trie {
    struct trie_node *nodes; /* nodes[0] is the root */
    size_t count, cap;
    bool first[256]; /* bytes that some text starts with */
};
void trie_release(struct trie *t);
void trie_put(struct trie *t, struct str text, uint32_t token);

/* The longest text that starts at s[at]: its token + 1 and its length, or 0. */
uint32_t trie_match(const struct trie *t, struct str s, size_t at, size_t *len);

/* ---- merges (bpe.c) ---- */

struct merge {
    uint32_t left, right, rank, id; /* rank MERGE_NONE: an empty slot */
};
#define MERGE_NONE UINT32_MAX
struct merge_table {
    struct merge *slots; /* open addressing by (left, right) */
    size_t mask;         /* slots - 1 */
    struct merge *list;  /* as they were given, best first */
    size_t count, cap;
};
void merge_table_release(struct merge_table *m);

/* A pair put twice keeps the later rank.  Then index() once. */
void merge_table_put(struct merge_table *m, struct merge merge);
void merge_table_index(struct merge_table *m);

/* ---- the whole ---- */

struct tokenizer {
    struct arena keep; /* strings and steps */
    struct map ids;    /* token text -> id; owns the texts */
    struct str *tokens;
    uint32_t size, cap;
    bool twins;        /* two ids have one text; ids holds the first put */
    uint8_t *in_model; /* by id; false: only an added token, or none */
    uint8_t *special;  /* by id */

    bool byte_level; /* words are bytes, in GPT-2's alphabet */
    bool byte_fallback, fuse_unk, ignore_merges;
    uint32_t unk;
    uint32_t byte_ids[256]; /* of the byte's token, or of <0x00>..<0xFF> with fallback */
    uint32_t *char_ids;     /* not byte_level: of characters below CLASSES_SIZE */
    struct merge_table merges;
    bool cut_at_space; /* no merge crosses from another character to U+2581 */

    struct norm_step *norms;
    struct pre_step *pres;
    struct dec_step *decs;
    size_t norm_count, pre_count, dec_count;
    struct added_token *added;
    size_t added_count;
    struct trie raw, normal; /* added tokens looked for before and after the normalizer */

    struct u32_list prefix, suffix; /* what the template puts around a text */
    uint32_t bos, eos;

    uint8_t *classes;
    uint8_t *nfc_unsafe; /* bits: characters that NFC may touch; NULL without NFC */
    enum scan_kind fast; /* the one scanner that is all of the pre-tokenizer */
    struct str *decoded; /* by id: what the decoder's steps make of a token alone */
};

/* An empty tokenizer; what is added to it is owned by it. */
struct tokenizer *tokenizer_new(void);

/* Room for ids below `size`; `count` tokens are to come, and far more room than
 * they need is refused. */
#define TOKENIZER_SIZE_MAX ((uint32_t)1 << 24)
winnow_status tokenizer_reserve(struct tokenizer *t, uint64_t size, uint64_t count,
                                struct winnow_error *err);

/* Puts a token at an id; refuses ids without room and two texts at one id. */
winnow_status tokenizer_put(struct tokenizer *t, struct str token, uint64_t id, bool in_model,
                            struct winnow_error *err);

/* Merge number `rank` by the texts of its halves. */
winnow_status tokenizer_put_merge(struct tokenizer *t, struct str left, struct str right,
                                  size_t rank, struct winnow_error *err);

/* The last step of each constructor: tables that follow from the parts. */
winnow_status tokenizer_finish(struct tokenizer *t, struct winnow_error *err);

/* The scanner that is the whole of the pre-tokenizer, or SCAN_NONE. */
enum scan_kind scan_only(const struct tokenizer *t);

/* Components of the usual tokenizers, for those not read from JSON.  pre is one
 * of "gpt2", "llama3", "qwen2", "smollm". */
winnow_status tokenizer_set_byte_level(struct tokenizer *t, struct str pre,
                                       struct winnow_error *err);
void tokenizer_set_spm(struct tokenizer *t, bool add_space_prefix);
struct str tokenizer_keep(struct tokenizer *t, struct str s);
void tokenizer_add_added(struct tokenizer *t, struct added_token token);

/* Guesses bos and eos from the template and the usual names, where unset. */
void tokenizer_guess_specials(struct tokenizer *t);

/* ---- working memory ---- */

struct span {
    size_t start, end;
};
struct pieces {
    struct span *spans;
    size_t count, cap;
};
void pieces_add(struct pieces *p, size_t start, size_t end);

/* Word cache: 64-byte lines, one look-up each. */
#define CACHE_KEY 24
#define CACHE_IDS 9
struct cache_line {
    uint64_t key[3];
    uint8_t len, count;
    uint32_t ids[CACHE_IDS];
};
#define CACHE_LINES 32768U

/* A long word while it is merged: a list of symbols; id BPE_DEAD once merged
 * into the symbol on its left. */
#define BPE_DEAD UINT32_MAX
struct bpe_symbol {
    uint32_t id, prev, next;
};

struct tokenizer_scratch {
    const struct tokenizer *t;
    struct cache_line *cache;
    struct buf normal, spare; /* normalizer */
    struct pieces pieces[2];  /* pre-tokenizer: in and out of a step, */
    struct buf rewritten[2];  /* and the texts of steps that write one */
    struct regex_scratch *regex;
    struct u32_list word;       /* symbols of the word at hand */
    struct bpe_symbol *symbols; /* long words */
    size_t symbol_cap;
    uint64_t *heap; /* rank << 32 | index of the left symbol */
    size_t heap_len, heap_cap;
    struct buf mapped;
};

/* Appends the ids of one word. */
void bpe_encode_word(const struct tokenizer *t, struct tokenizer_scratch *s, struct str word,
                     struct u32_list *out);

/* The normalized text: text itself, or a view into the scratch. */
struct str normalize(const struct tokenizer *t, struct tokenizer_scratch *s, struct str text);
void normalize_prepare(struct tokenizer *t);

/* Cuts text into words and appends the ids of each.  first: text stands at the
 * very start of what is encoded. */
void pretoken_encode(const struct tokenizer *t, struct tokenizer_scratch *s, struct str text,
                     bool first, struct u32_list *out);

/* Fills t->decoded. */
void decode_prepare(struct tokenizer *t);

/* Fills the tries. */
void added_prepare(struct tokenizer *t);

/* Walks text: pieces between added tokens (token NULL) and added tokens. */
struct added_walk {
    const struct tokenizer *t;
    const struct trie *trie;
    struct str text;
    size_t at;   /* where the search goes on */
    size_t from; /* where the next piece starts */
    bool plain_special;
    const struct added_token *token; /* found, to be given after the piece before it */
    size_t stop;                     /* where it ends */
};
struct added_walk added_walk(const struct tokenizer *t, const struct trie *trie, struct str text,
                             bool plain_special);
bool added_next(struct added_walk *w, struct str *piece, const struct added_token **token);

#endif /* WINNOW_TOKEN_TOKENIZER_INTERNAL_H */
