/* label_pass.h -- one walk over the documents, asking about each of them or about
 * their chunks. */
#ifndef WINNOW_TEACH_LABEL_PASS_H
#define WINNOW_TEACH_LABEL_PASS_H

#include "winnow/refiner_label.h"

#include "base/buf.h"
#include "base/error.h"
#include "corpus/account.h"
#include "remote/completion_client.h"

/* What all passes of a call share. */
struct labelling {
    const struct winnow_refiner_label_options *opt;
    const struct winnow_list *paths;
    const struct winnow_env *env;
    struct winnow_refiner_label_result *result;
    struct completion_client_options client_options;
    struct completion_client *client; /* opened at the first question that is not answered yet */
    struct buf model;                 /* as answers name it; empty until one is known */
    /* One letter a drawn document: k kept, d dropped, ? not known.  Of the pass
     * over documents, for the one over chunks; empty: none took place. */
    struct buf verdicts;
    struct input_account account; /* of all passes */
};

/* chunks: asks about chunks and writes chunks.jsonl; else documents.jsonl. */
winnow_status label_pass(struct labelling *l, bool chunks, struct winnow_error *err);

#endif /* WINNOW_TEACH_LABEL_PASS_H */
