/* join.c -- one of several processes: which launchers say so, and the module that talks MPI.
 *
 * The launcher tells by variables of the environment, each its own.  Tasks of a plain `srun`
 * (without --mpi=pmix or pmi2) have none of these: they are processes of their own, as a job's
 * user may want them. */
#include "cli/join.h"

#include "base/file.h"
#include "ranks/ranks.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "winnow-mpi.so"

static unsigned long number(const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets any */
    return text ? strtoul(text, NULL, 10) : 0;
}

unsigned long cli_started(void)
{
    static const char *const COUNTS[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"};
    unsigned long n = 0;
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS && n == 0; i++) {
        n = number(COUNTS[i]);
    }
    if (n == 0 && getenv("PMIX_RANK")) { /* NOLINT(concurrency-mt-unsafe) */
        n = number("SLURM_STEP_NUM_TASKS");
        n = n > 0 ? n : 2; /* MPI will tell */
    }
    return n;
}

/* Beside the program, or where `make install` puts it. */
static void *load(struct buf *tried)
{
    static const char *const PLACES[] = {".", ("../" WINNOW_MODULES), "../lib/winnow"};
    struct buf path = {0};
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    void *module = NULL;
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
    }
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES && !module; i++) {
        buf_clear(&path);
        buf_addf(&path, "%s/%s/" MODULE, self, PLACES[i]);
        if (file_exists(buf_cstr(&path))) { /* global: MPI's own modules look for its symbols */
            module = dlopen(buf_cstr(&path), RTLD_NOW | RTLD_GLOBAL);
            buf_clear(tried);
            buf_add_text(tried, module ? "" : dlerror()); /* NOLINT(concurrency-mt-unsafe) */
        }
    }
    buf_release(&path);
    return module;
}

static winnow_status join(unsigned long started, struct buf *tried, struct winnow_ranks **out,
                          struct winnow_error *err)
{
    struct ranks_transport transport;
    void *module = load(tried);
    ranks_join *enter = NULL;
    void *symbol = module ? dlsym(module, RANKS_JOIN) : NULL;
    memcpy(&enter, &symbol, sizeof enter);
    if (!enter) {
        return error_set(err, WINNOW_E_USAGE,
                         "this is one of %lu processes of one launch, and %s%s: build winnow where "
                         "cmake finds an MPI (libopenmpi-dev, libmpich-dev), or start one process",
                         started,
                         tried->len > 0 ? "the module that talks MPI cannot be loaded: "
                                        : "the module " MODULE " is not there",
                         buf_cstr(tried));
    }
    if (enter(&transport) != 0) {
        return error_set(err, WINNOW_E_IO, "MPI cannot be started");
    }
    *out = ranks_new(&transport);
    if (transport.count == 1) {
        ranks_free(*out);
        *out = NULL;
    }
    return WINNOW_OK;
}

winnow_status cli_join(struct winnow_ranks **out, struct winnow_error *err)
{
    unsigned long started = cli_started();
    struct buf tried = {0};
    *out = NULL;
    winnow_status st = started > 1 ? join(started, &tried, out, err) : WINNOW_OK;
    buf_release(&tried);
    return st;
}
