/* near_name.c -- the field's other words for what is here.
 *
 * Whoever comes from another tool types its words; a spelling distance does not lead
 * from "minhash" to `dedup`, so this list does.  Words are looked up whole. */
#include "option/near_name.h"

#include <strings.h>

struct near {
    const char *words; /* with a blank before and behind each */
    const char *say;
};

static const struct near COMMANDS[] = {
    {" filter quality heuristics heuristic gopher c4 fineweb gopher-repetition clean-rules ",
     "`rules` removes documents by the field's rules, `prune` by the score of a small model"},
    {" clean cleanup clean-text scrub boilerplate edit normalize normalise ",
     "`refine` cuts noise out of each document, `rules` removes whole ones, `extract` makes text "
     "of pages"},
    {" tokenize tokenise encode tok detokenize decode bpe ",
     "`tokenizer encode` turns text into ids, `tokenizer decode` back, `tokenizer train` makes a "
     "tokenizer, and `count --tokenizer PATH` counts tokens"},
    {" minhash deduplicate dedupe uniq unique simhash lsh fuzzy near-dedup neardup exact-dedup ",
     "`dedup` keeps one of each text; what is only similar stays"},
    {" perplexity ppl nll loglikelihood rank ",
     "`score` gives each document its mean NLL (the logarithm of its perplexity), `prune` keeps a "
     "band of it"},
    {" select top-k topk band sift ", "`prune` keeps a band of the documents by score"},
    {" decon decontamination contamination leak leakage overlap ",
     "`decontaminate` finds the items of benchmarks in documents"},
    {" html warc wet html2text parse convert import ingest extract-text trafilatura ",
     "`extract` makes documents of HTML, WARC, WET, text and Markdown"},
    {" stats stat wc info du size histogram ", "`count` counts documents, bytes, words and tokens"},
    {" split held-out heldout validation valid test-set train-test-split ",
     "`holdout` sets a share of the documents aside"},
    {" sample shuffle subset take ",
     "`--limit N` reads the first N documents, `holdout --share 10%` sets a random share aside"},
    {" head tail cat less print ",
     "documents are JSON lines: `-o -` writes them to standard output, zstdcat shows a shard"},
    {" pipeline recipe flow exec start resume ",
     "`run RECIPE.yaml` runs the stages of a recipe and goes on where it stood; `winnow help "
     "recipe` tells how one is written"},
    {" compare experiment ablate ablation ab ",
     "`prove` trains small models on each corpus at equal compute and compares them"},
    {" evaluate benchmark bench test lm-eval ",
     "`eval` measures a model, `prove` compares corpora, `refiner eval` measures refined pages"},
    {" pretrain fit ", "`train` trains a small model on a corpus"},
    {" finetune fine-tune sft lora tune distill ",
     "`refiner train` teaches a small model to write programs"},
    {" check validate fsck checksum ", "`verify` checks a finished run"},
    {" why show inspect trace diff history ",
     "`explain RUN ID` tells what happened to one document"},
    {" html-report dashboard summary view ", "`report` writes a finished run as one HTML page"},
    {" label annotate classify classifier ",
     "`quality` asks a classifier of texts, `rules --no-filter` measures documents, `score` scores "
     "them, `refiner label` asks an expert"},
    {" fasttext dclm edu ", "`quality` scores documents with a fastText model"},
    {" langid lang lid languages ", "`language` says what language each document is in"},
    {" pii redact anonymize anonymise presidio ",
     "`mask` puts placeholders where e-mail, telephone, card and IP numbers stand"},
    {" url urls domains blacklist blocklists blacklists ut1 url-filter ",
     "`blocklist` leaves out documents of listed addresses, `mask --kinds url` cuts addresses out "
     "of texts"},
    {" cluster clusters kmeans semdedup d4 topics embed embeddings ",
     "`diversify` makes clusters of documents and thins what says the same; `features` makes "
     "vectors"},
    {" merge concat join combine ",
     "every command takes several files and folders at once, as in `winnow dedup a/ b/ -o "
     "runs/both`"},
    {" generate infer complete ", "`refine` asks a model for programs; nothing writes free text"},
    {" version ", "`winnow --version` prints it"},
    {NULL, NULL},
};

static const struct near OPTIONS[] = {
    {" jobs workers cpus cores num-threads nthreads parallel j ", "threads"},
    {" ram mem max-memory memory-limit mem-limit ", "memory"},
    {" out outdir out-dir output-dir output-folder output-file outfile destination dest ",
     "output"},
    {" random-seed rng-seed ", "seed"},
    {" ratio fraction keep keep-rate percent ", "rate"},
    {" fraction ratio percent size ", "share"},
    {" max-docs max-documents num-docs max-samples n head take ", "limit"},
    {" estimate plan simulate ", "dry-run"},
    {" tmp tmpdir temp temp-dir tmp-dir ", "temporary"},
    {" text-field text-column content-key field ", "text-key"},
    {" id-field id-column ", "id-key"},
    {" ctx context context-length ctx-size seq-len sequence-length max-length ", "window"},
    {" ref-model reference ", "reference-model"},
    {" filters rules rule rulesets ", "sets"},
    {" base-url api-url endpoint host url ", "server"},
    {" edit-text cut modify rewrite ", "edit"},
    {" silent ", "quiet"},
    {" learning-rate lr ", "learning-rate"},
    {" tokens budget ", "tokens"},
    {NULL, NULL},
};

/* Whether word is one of words. */
static bool has_word(const char *words, struct str word)
{
    for (const char *at = words; (at = strchr(at, ' ')) != NULL && at[1] != '\0'; at++) {
        if (strncasecmp(at + 1, word.ptr, word.len) == 0 && at[1 + word.len] == ' ') {
            return true;
        }
    }
    return false;
}

const char *near_command(struct str word)
{
    for (const struct near *n = COMMANDS; n->words && word.len > 0; n++) {
        if (has_word(n->words, word)) {
            return n->say;
        }
    }
    return NULL;
}

static const char *other_name(const struct option_set *sets, size_t n, struct str name)
{
    for (const struct near *o = OPTIONS; o->words; o++) {
        for (size_t i = 0; i < n && has_word(o->words, name); i++) {
            if (option_find(sets[i].table, str_of(o->say))) {
                return o->say;
            }
        }
    }
    return NULL;
}

const char *near_option(const struct option_set *sets, size_t n, struct str name)
{
    char text[48];
    if (name.len == 0 || name.len >= sizeof text) {
        return NULL;
    }
    for (size_t i = 0; i < name.len; i++) {
        text[i] = name.ptr[i] == '_' ? '-' : name.ptr[i];
    }
    name.ptr = text;
    const char *best = other_name(sets, n, name);
    if (best) {
        return best;
    }
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < n && name.len > 1; i++) {
        size_t distance;
        const char *near = option_nearest(sets[i].table, name, &distance);
        if (near && distance < best_distance) {
            best = near;
            best_distance = distance;
        }
    }
    return best;
}
