/* run_places.h -- where in a run folder a path leads, so that what a run has
 * removed, counted or noted never comes back as documents.
 *
 * docs/formats/run.md draws the folder. */
#ifndef WINNOW_CORPUS_RUN_PLACES_H
#define WINNOW_CORPUS_RUN_PLACES_H

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"

/* Whether a folder is that of a run, finished or not. */
bool run_place_is_run(const char *folder);

/* For a folder that is to be read as a corpus: documents is the folder to walk.
 * That is the folder itself, unless it is a run or one of its stages, which
 * means their documents/.  WINNOW_E_USAGE where these are not finished, where
 * they hold no documents, and for other places inside a run. */
winnow_status run_place_documents(const char *folder, struct buf *documents,
                                  struct winnow_error *err);

/* For a file that is named, or that a pattern matched: WINNOW_E_USAGE where it is of the
 * documents of a run or stage that is not finished, and, matched, where it is anything else
 * in a run. */
winnow_status run_place_file(const char *path, bool matched, struct winnow_error *err);

/* For such a run or stage: whether the shards that were found in its documents/, the keys of
 * names, are those that its stats.json lists. */
winnow_status run_place_check(const char *folder, const struct map *names,
                              struct winnow_error *err);

#endif /* WINNOW_CORPUS_RUN_PLACES_H */
