/* lisp [OPTION]... FILE...: runs programs.
 *
 *     --size N      the value of `size` in the program: how much it does
 *     --nursery N   bytes allocated between two collections
 *     --short       short collections, too
 *     --check N     checking mode, with a collection at every Nth safepoint
 *     --stats       says at the end what the collector did
 *
 * In this folder, with a library that `capi/install.sh` has installed (the programs use the prelude):
 *
 *     cc -O2 *.c -o lisp $(pkg-config --cflags --libs frazil)
 *     ./lisp --stats prelude.lisp queens.lisp */
#include "lisp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The whole of a file, with a zero behind it. */
static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t used = 0, room = 1 << 12;
    char *text = malloc(room);
    if (file == NULL || text == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    for (size_t read; (read = fread(text + used, 1, room - used - 1, file)) > 0;) {
        used += read;
        if (used + 1 == room && (text = realloc(text, room *= 2)) == NULL) abort();
    }
    text[used] = '\0';
    fclose(file);
    return text;
}

/* Runs a program. Whatever was in frames is dropped if it fails. */
static bool run(lisp *l, const char *text) {
    volatile uint64_t length = *frazil_field(l->raw, FRAZIL_STACK_LENGTH_OFFSET);
    value expression;
    if (setjmp(l->on_error) != 0) {
        *frazil_field(l->raw, FRAZIL_STACK_LENGTH_OFFSET) = length;
        l->depth = 0;
        fprintf(stderr, "lisp: %s\n", l->message);
        return false;
    }
    while (read_next(l, &text, &expression)) eval(l, expression, NIL);
    return true;
}

static void print_statistics(lisp *l) {
    frazil_statistics s;
    check(l, frazil_statistics_get(l->heap, &s, sizeof s));
    fprintf(stderr,
            "%.1f MB allocated, %.1f MB promoted, %" PRIu64 " collections (%" PRIu64 " short), %.1f ms in them, "
            "the longest %.2f ms, heap %.1f MB at most\n",
            (double)s.allocated_bytes / 1e6, (double)s.promoted_bytes / 1e6,
            s.short_collections + s.complete_collections, s.short_collections, (double)s.pause_total_ns / 1e6,
            (double)s.pause_max_ns / 1e6, (double)s.block_bytes_max / 1e6);
}

static noreturn void usage(void) {
    fputs("usage: lisp [--size N] [--nursery N] [--short] [--check N] [--stats] FILE...\n", stderr);
    exit(2);
}

static size_t amount(const char *text) {
    char *end;
    unsigned long long n = text == NULL ? 0 : strtoull(text, &end, 10);
    if (text == NULL || *text == '\0' || *end != '\0') usage();
    return (size_t)n;
}

int main(int count, char **arguments) {
    static lisp l = {.every = 1};
    frazil_config config;
    bool statistics = false, succeeded = true;
    size_t size = 1;
    int at = 1;
    frazil_config_default(&config, sizeof config);
    for (; at < count && strncmp(arguments[at], "--", 2) == 0; at++) {
        if (strcmp(arguments[at], "--short") == 0) config.short_collections = 1;
        else if (strcmp(arguments[at], "--stats") == 0) statistics = true;
        else if (strcmp(arguments[at], "--size") == 0) size = amount(arguments[++at]);
        else if (strcmp(arguments[at], "--nursery") == 0) config.nursery_bytes = amount(arguments[++at]);
        else if (strcmp(arguments[at], "--check") == 0) config.check = 1, l.every = amount(arguments[++at]);
        else usage();
    }
    if (at >= count) usage();
    lisp_begin(&l, &config);
    put(&l, symbol(&l, "size", 4), SYMBOL_VALUE, number((int64_t)size));
    for (; at < count && succeeded; at++) {
        char *text = read_file(arguments[at]);
        succeeded = run(&l, text);
        free(text);
    }
    if (statistics) print_statistics(&l);
    lisp_end(&l);
    return succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
}
