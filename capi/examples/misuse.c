/* Misuses every call in every way that the header speaks of, and expects the status that it promises.
 *
 *     misuse            with the settings for tests
 *     misuse plain      with the default settings
 *     misuse full       until there is no number left for a handle; it needs a gigabyte
 *     misuse starved    with a system that gives no memory (Linux)
 *
 * It says how many refusals there were, and fails if one was another one, or had nothing to say. */
#define _GNU_SOURCE
#include <frazil.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAIR = 1, LIST = 2, SLOTS = 3, DATA = 4, BUFFER = 5, TEXT = 6, POINT = 7, UNKNOWN = 99 };

static int refusals, mistakes;

static void expect(frazil_status wanted, frazil_status status, const char *call, int line) {
    if (status != wanted) {
        fprintf(stderr, "misuse.c:%d: %s: %s, not %s (%s)\n", line, call, frazil_status_name(status),
                frazil_status_name(wanted), frazil_error_message());
        mistakes++;
    }
    if (wanted > FRAZIL_NONE) {
        refusals++;
        if (strlen(frazil_error_message()) < 10) {
            fprintf(stderr, "misuse.c:%d: %s: nothing is said about it\n", line, call);
            mistakes++;
        }
    }
}

#define EXPECT(wanted, call) expect(FRAZIL_##wanted, call, #call, __LINE__)
#define DONE(call) EXPECT(OK, call)

/* Is the last message about this? */
static void expect_message(const char *part, int line) {
    if (strstr(frazil_error_message(), part) == NULL) {
        fprintf(stderr, "misuse.c:%d: \"%s\" does not speak of %s\n", line, frazil_error_message(), part);
        mistakes++;
    }
}
#define MESSAGE(part) expect_message(part, __LINE__)

static const frazil_value NOTHING = {0};

static void define(frazil_heap heap, uint16_t id, const char *name, uint32_t raw_words, uint32_t references,
                   uint32_t tail, uint32_t is_mutable) {
    frazil_shape shape = {name, references, raw_words, tail, is_mutable, id};
    DONE(frazil_shape_define(heap, &shape, sizeof shape));
}

static frazil_heap new_heap(const frazil_config *config) {
    frazil_heap heap;
    DONE(frazil_heap_create(config, sizeof *config, &heap));
    define(heap, PAIR, "pair", 0, 2, FRAZIL_TAIL_NONE, 0);
    define(heap, LIST, "list", 0, 1, FRAZIL_TAIL_NONE, 1);
    define(heap, SLOTS, "slots", 0, 0, FRAZIL_TAIL_REFERENCES, 1);
    define(heap, DATA, "data", 0, 0, FRAZIL_TAIL_BYTES, 0);
    define(heap, BUFFER, "buffer", 0, 0, FRAZIL_TAIL_BYTES, 1);
    define(heap, TEXT, "text", 0, 0, FRAZIL_TAIL_TEXT, 0);
    define(heap, POINT, "point", 2, 0, FRAZIL_TAIL_NONE, 1);
    return heap;
}

static frazil_value make(frazil_heap heap, uint16_t shape, size_t length) {
    frazil_value made = NOTHING;
    DONE(frazil_alloc(heap, shape, length, &made));
    return made;
}

static void collect(frazil_heap heap) { DONE(frazil_collect(heap, FRAZIL_COLLECT_COMPLETE, NULL, 0)); }

/* ------------------------------------------------------------------ one kind of call after the other */

static void settings(void) {
    frazil_config config;
    frazil_heap heap;
    EXPECT(NULL, frazil_config_default(NULL, sizeof config));
    EXPECT(NULL, frazil_config_stress(NULL, sizeof config));
    EXPECT(WRONG_SIZE, frazil_config_default(&config, sizeof config - 4));
    EXPECT(WRONG_SIZE, frazil_config_stress(&config, 0));
    DONE(frazil_config_default(&config, sizeof config));
    EXPECT(NULL, frazil_heap_create(&config, sizeof config, NULL));
    EXPECT(WRONG_SIZE, frazil_heap_create(&config, sizeof config + 8, &heap));
#define WITH(field, value, status)                                        \
    do {                                                                  \
        frazil_config wrong = config;                                     \
        wrong.field = value;                                              \
        EXPECT(status, frazil_heap_create(&wrong, sizeof wrong, &heap)); \
    } while (0)
    WITH(block_bytes, 5000, BAD_CONFIG);
    WITH(block_bytes, 0, BAD_CONFIG);
    WITH(nursery_bytes, 10, BAD_CONFIG);
    WITH(nursery_bytes, SIZE_MAX, BAD_CONFIG);
    WITH(limit_bytes, 1, BAD_CONFIG);
    WITH(stack_words, SIZE_MAX, BAD_CONFIG);
    WITH(count_max, 0, BAD_CONFIG);
    WITH(count_max, 254, BAD_CONFIG);
    WITH(count_max, 70000, BAD_CONFIG);
    WITH(short_collections, 2, BAD_ARGUMENT);
    WITH(check, 77, BAD_ARGUMENT);
    if (strcmp(frazil_status_name(12345), "unknown") != 0) mistakes++;
}

static void shapes(frazil_heap heap) {
    frazil_shape good = {"good", 1, 0, FRAZIL_TAIL_NONE, 0, 50};
    uint64_t header;
    size_t bytes;
    EXPECT(NULL, frazil_shape_define(heap, NULL, sizeof good));
    EXPECT(WRONG_SIZE, frazil_shape_define(heap, &good, sizeof good + 1));
#define SHAPE(field, value, status)                                        \
    do {                                                                   \
        frazil_shape wrong = good;                                         \
        wrong.field = value;                                               \
        EXPECT(status, frazil_shape_define(heap, &wrong, sizeof wrong)); \
    } while (0)
    SHAPE(tail, 4, BAD_ARGUMENT);
    SHAPE(is_mutable, 3, BAD_ARGUMENT);
    SHAPE(raw_words, 64, WRONG_SHAPE);
    SHAPE(tail, FRAZIL_TAIL_REFERENCES, WRONG_SHAPE);
    SHAPE(id, PAIR, WRONG_SHAPE);
    MESSAGE("pair");
    good.tail = FRAZIL_TAIL_BYTES;
    SHAPE(raw_words, 1, WRONG_SHAPE);
    SHAPE(references, 64, WRONG_SHAPE);
    good.tail = FRAZIL_TAIL_TEXT;
    SHAPE(is_mutable, 1, WRONG_SHAPE);
    good.name = NULL;
    DONE(frazil_shape_define(heap, &good, sizeof good));
    EXPECT(NULL, frazil_shape_header(heap, PAIR, 0, NULL, &bytes));
    EXPECT(NULL, frazil_shape_header(heap, PAIR, 0, &header, NULL));
    EXPECT(WRONG_SHAPE, frazil_shape_header(heap, UNKNOWN, 0, &header, &bytes));
    EXPECT(TOO_LONG, frazil_shape_header(heap, SLOTS, (size_t)1 << 33, &header, &bytes));
}

static void objects(frazil_heap heap, frazil_value foreign) {
    frazil_value pair, list, data, buffer, text, point, parts[2], loaded;
    frazil_object_info info;
    const uint8_t *bytes;
    size_t length;
    uint64_t word;
    uint8_t some[8] = "bytes";

    EXPECT(NULL, frazil_alloc(heap, PAIR, 0, NULL));
    EXPECT(WRONG_SHAPE, frazil_alloc(heap, UNKNOWN, 0, &pair));
    EXPECT(WRONG_SHAPE, frazil_alloc(heap, TEXT, 3, &text));
    EXPECT(TOO_LONG, frazil_alloc(heap, SLOTS, SIZE_MAX, &list));

    pair = make(heap, PAIR, 0), list = make(heap, LIST, 0), data = make(heap, DATA, 5);
    buffer = make(heap, BUFFER, 5), point = make(heap, POINT, 0);
    parts[0] = pair, parts[1] = foreign;
    EXPECT(NULL, frazil_make(heap, PAIR, parts, 2, NULL, 0, NULL));
    EXPECT(NULL, frazil_make(heap, PAIR, NULL, 2, NULL, 0, &loaded));
    EXPECT(NULL, frazil_make(heap, DATA, NULL, 0, NULL, 3, &loaded));
    EXPECT(BAD_ARGUMENT, frazil_make(heap, SLOTS, parts, SIZE_MAX / 4, NULL, 0, &loaded));
    EXPECT(WRONG_HEAP, frazil_make(heap, PAIR, parts, 2, NULL, 0, &loaded));
    EXPECT(WRONG_SIZE, frazil_make(heap, PAIR, parts, 1, NULL, 0, &loaded));
    EXPECT(WRONG_SIZE, frazil_make(heap, PAIR, parts, 0, some, 8, &loaded));
    EXPECT(WRONG_SIZE, frazil_make(heap, POINT, NULL, 0, some, 8, &loaded));
    EXPECT(WRONG_SIZE, frazil_make(heap, DATA, parts, 1, some, 5, &loaded));
    EXPECT(WRONG_SIZE, frazil_make(heap, TEXT, parts, 1, some, 5, &loaded));
    EXPECT(WRONG_SHAPE, frazil_make(heap, UNKNOWN, parts, 1, some, 5, &loaded));
    EXPECT(NOT_UTF8, frazil_make(heap, TEXT, NULL, 0, (const uint8_t *)"\xff\xfe", 2, &loaded));
    DONE(frazil_make(heap, TEXT, NULL, 0, (const uint8_t *)"word", 4, &text));
    parts[1] = frazil_immediate(24);
    EXPECT(NOT_AN_OBJECT, frazil_make(heap, PAIR, parts, 2, NULL, 0, &loaded));

    EXPECT(NULL, frazil_load(heap, pair, 0, NULL));
    EXPECT(OUT_OF_RANGE, frazil_load(heap, pair, 2, &loaded));
    EXPECT(OUT_OF_RANGE, frazil_load(heap, data, 0, &loaded));
    EXPECT(OUT_OF_RANGE, frazil_store(heap, list, SIZE_MAX, pair));
    EXPECT(FROZEN, frazil_store(heap, pair, 0, list));
    EXPECT(WRONG_HEAP, frazil_store(heap, list, 0, foreign));
    EXPECT(WRONG_HEAP, frazil_store(heap, foreign, 0, list));
    EXPECT(OUT_OF_RANGE, frazil_initialise(heap, pair, 2, list));
    EXPECT(WRONG_HEAP, frazil_initialise(heap, pair, 0, foreign));
    DONE(frazil_initialise(heap, pair, 0, list));
    DONE(frazil_store(heap, list, 0, pair));

    EXPECT(NULL, frazil_raw_load(heap, point, 0, NULL));
    EXPECT(OUT_OF_RANGE, frazil_raw_load(heap, point, 2, &word));
    EXPECT(OUT_OF_RANGE, frazil_raw_load(heap, pair, 0, &word));
    EXPECT(OUT_OF_RANGE, frazil_raw_store(heap, point, 2, 1));
    EXPECT(NULL, frazil_bytes_read(heap, data, 0, NULL, 5));
    EXPECT(OUT_OF_RANGE, frazil_bytes_read(heap, data, 3, some, 3));
    EXPECT(OUT_OF_RANGE, frazil_bytes_read(heap, data, SIZE_MAX, some, 3));
    EXPECT(WRONG_SHAPE, frazil_bytes_read(heap, pair, 0, some, 1));
    EXPECT(NULL, frazil_bytes_write(heap, buffer, 0, NULL, 5));
    EXPECT(OUT_OF_RANGE, frazil_bytes_write(heap, buffer, 0, some, 6));
    EXPECT(WRONG_SHAPE, frazil_bytes_write(heap, text, 0, some, 1));
    EXPECT(WRONG_SHAPE, frazil_bytes_write(heap, list, 0, some, 0));
    EXPECT(NULL, frazil_bytes_view(heap, data, NULL, &length));
    EXPECT(NULL, frazil_bytes_view(heap, data, &bytes, NULL));
    EXPECT(WRONG_SHAPE, frazil_bytes_view(heap, pair, &bytes, &length));
    DONE(frazil_bytes_write(heap, data, 0, some, 5)); /* it is young */
    EXPECT(NULL, frazil_describe(heap, pair, NULL, sizeof info));
    EXPECT(WRONG_SIZE, frazil_describe(heap, pair, &info, 8));

    EXPECT(BAD_ARGUMENT, frazil_guard(heap, list, 2));
    EXPECT(FROZEN, frazil_guard(heap, pair, 1));
    DONE(frazil_guard(heap, list, 1));
    EXPECT(GUARDED, frazil_store(heap, list, 0, NOTHING));
    DONE(frazil_guard(heap, point, 1));
    EXPECT(GUARDED, frazil_raw_store(heap, point, 0, 1));
    DONE(frazil_guard(heap, buffer, 1));
    EXPECT(GUARDED, frazil_bytes_write(heap, buffer, 0, some, 1));
    DONE(frazil_freeze_deep(heap, list, NULL));
    DONE(frazil_freeze(heap, point));
    DONE(frazil_freeze(heap, buffer));
    DONE(frazil_freeze(heap, pair)); /* it is immutable: nothing is changed, and nothing is wrong */
    EXPECT(FROZEN, frazil_store(heap, list, 0, NOTHING));
    EXPECT(FROZEN, frazil_initialise(heap, list, 0, NOTHING));
    EXPECT(FROZEN, frazil_raw_store(heap, point, 0, 1));
    EXPECT(FROZEN, frazil_bytes_write(heap, buffer, 0, some, 1));
}

/* What takes an object or a value refuses what is none. */
static void words(frazil_heap heap, frazil_value wrong, frazil_status status) {
    frazil_value list = make(heap, LIST, 0), loaded;
    frazil_object_info info;
    frazil_handle handle;
    frazil_scope scope;
    frazil_weak weak;
    const uint8_t *bytes;
    size_t length;
    uint64_t word;
    uint8_t byte;
#define EACH(call) expect(status, call, #call, __LINE__)
    EACH(frazil_load(heap, wrong, 0, &loaded));
    EACH(frazil_store(heap, wrong, 0, list));
    EACH(frazil_initialise(heap, wrong, 0, list));
    EACH(frazil_raw_load(heap, wrong, 0, &word));
    EACH(frazil_raw_store(heap, wrong, 0, 1));
    EACH(frazil_bytes_read(heap, wrong, 0, &byte, 1));
    EACH(frazil_bytes_write(heap, wrong, 0, &byte, 1));
    EACH(frazil_bytes_view(heap, wrong, &bytes, &length));
    EACH(frazil_describe(heap, wrong, &info, sizeof info));
    EACH(frazil_freeze(heap, wrong));
    EACH(frazil_guard(heap, wrong, 1));
    EACH(frazil_weak_new(heap, wrong, &weak));
    EACH(frazil_finalize(heap, wrong, 1));
    if (!frazil_is_reference(wrong)) return; /* as a value, an immediate is right */
    DONE(frazil_handle_new(heap, list, &handle));
    EACH(frazil_store(heap, list, 0, wrong));
    EACH(frazil_initialise(heap, list, 0, wrong));
    EACH(frazil_freeze_deep(heap, wrong, NULL));
    EACH(frazil_handle_new(heap, wrong, &handle));
    EACH(frazil_handle_set(heap, handle, wrong));
    DONE(frazil_handle_free(heap, handle));
    DONE(frazil_scope_open(heap, &scope));
    EACH(frazil_handle_local(heap, wrong, &handle));
    DONE(frazil_scope_close(heap, scope, NULL));
}

static void handles(frazil_heap heap, frazil_heap other) {
    frazil_value pair = make(heap, PAIR, 0), held;
    frazil_handle handle, local, none = {0}, invented;
    frazil_scope outer, inner, no_scope = {0};
    frazil_weak weak, no_weak = {0};

    EXPECT(NULL, frazil_handle_new(heap, pair, NULL));
    DONE(frazil_handle_new(heap, pair, &handle));
    EXPECT(NULL, frazil_handle_get(heap, handle, NULL));
    EXPECT(WRONG_HEAP, frazil_handle_get(other, handle, &held));
    EXPECT(WRONG_HEAP, frazil_handle_set(other, handle, NOTHING));
    EXPECT(WRONG_HEAP, frazil_handle_free(other, handle));
    EXPECT(STALE_HANDLE, frazil_handle_get(heap, none, &held));
    EXPECT(STALE_HANDLE, frazil_handle_set(heap, none, pair));
    invented.bits = handle.bits + 12345;
    EXPECT(STALE_HANDLE, frazil_handle_get(heap, invented, &held));
    DONE(frazil_handle_free(heap, handle));
    EXPECT(STALE_HANDLE, frazil_handle_get(heap, handle, &held));
    EXPECT(STALE_HANDLE, frazil_handle_set(heap, handle, pair));
    EXPECT(STALE_HANDLE, frazil_handle_free(heap, handle));

    EXPECT(WRONG_SCOPE, frazil_handle_local(heap, pair, &local));
    EXPECT(NULL, frazil_scope_open(heap, NULL));
    DONE(frazil_scope_open(heap, &outer));
    EXPECT(NULL, frazil_handle_local(heap, pair, NULL));
    DONE(frazil_handle_local(heap, pair, &handle));
    DONE(frazil_scope_open(heap, &inner));
    DONE(frazil_handle_local(heap, pair, &local));
    EXPECT(WRONG_SCOPE, frazil_scope_close(heap, outer, NULL));
    EXPECT(WRONG_HEAP, frazil_scope_close(other, inner, NULL));
    EXPECT(STALE_HANDLE, frazil_scope_close(heap, no_scope, NULL));
    EXPECT(STALE_HANDLE, frazil_scope_close(heap, inner, &none));
    DONE(frazil_scope_close(heap, inner, NULL));
    EXPECT(STALE_HANDLE, frazil_scope_close(heap, inner, NULL));
    EXPECT(STALE_HANDLE, frazil_handle_get(heap, local, &held));
    DONE(frazil_handle_get(heap, handle, &held));
    local = handle;
    DONE(frazil_scope_close(heap, outer, &handle));
    EXPECT(STALE_HANDLE, frazil_handle_get(heap, local, &held));
    DONE(frazil_handle_get(heap, handle, &held));
    DONE(frazil_handle_free(heap, handle));

    EXPECT(NULL, frazil_weak_new(heap, pair, NULL));
    DONE(frazil_weak_new(heap, pair, &weak));
    EXPECT(NULL, frazil_weak_get(heap, weak, NULL));
    EXPECT(WRONG_HEAP, frazil_weak_get(other, weak, &held));
    EXPECT(WRONG_HEAP, frazil_weak_free(other, weak));
    EXPECT(STALE_HANDLE, frazil_weak_get(heap, no_weak, &held));
    invented.bits = weak.bits;
    EXPECT(STALE_HANDLE, frazil_handle_get(heap, invented, &held));
    MESSAGE("weak reference");
    collect(heap);
    EXPECT(NONE, frazil_weak_get(heap, weak, &held));
    if (held.word != 0) mistakes++;
    DONE(frazil_weak_free(heap, weak));
    EXPECT(STALE_HANDLE, frazil_weak_get(heap, weak, &held));
    EXPECT(STALE_HANDLE, frazil_weak_free(heap, weak));
}

static void frames(frazil_heap heap) {
    frazil_value *one, *two;
    frazil_raw *raw;
    EXPECT(NULL, frazil_frame_push(heap, 3, NULL));
    EXPECT(FULL, frazil_frame_push(heap, SIZE_MAX, &one));
    DONE(frazil_frame_push(heap, 3, &one));
    DONE(frazil_frame_push(heap, 2, &two));
    EXPECT(WRONG_FRAME, frazil_frame_pop(heap, one, 3));
    EXPECT(WRONG_FRAME, frazil_frame_pop(heap, two, 1));
    EXPECT(WRONG_FRAME, frazil_frame_pop(heap, two, 1000));
    EXPECT(NULL, frazil_frame_pop(heap, NULL, 2));
    DONE(frazil_frame_pop(heap, two, 2));
    EXPECT(WRONG_FRAME, frazil_frame_pop(heap, two, 2));
    DONE(frazil_frame_pop(heap, one, 3));
    DONE(frazil_heap_raw(heap, &raw));
    EXPECT(NULL, frazil_heap_raw(heap, NULL));
    if (frazil_enter(raw, (size_t)1 << 33) != NULL) mistakes++;
}

static void collections(frazil_heap heap) {
    frazil_report report;
    frazil_statistics statistics;
    frazil_value next;
    uint64_t token;
    EXPECT(BAD_ARGUMENT, frazil_collect(heap, 3, NULL, 0));
    EXPECT(WRONG_SIZE, frazil_collect(heap, FRAZIL_COLLECT_AUTO, &report, 8));
    EXPECT(NULL, frazil_should_collect(heap, NULL));
    EXPECT(NULL, frazil_should_collect_early(heap, NULL));
    EXPECT(NULL, frazil_statistics_get(heap, NULL, sizeof statistics));
    EXPECT(WRONG_SIZE, frazil_statistics_get(heap, &statistics, sizeof report));
    EXPECT(NULL, frazil_next_finalizable(heap, NULL, &token));
    EXPECT(NULL, frazil_next_finalizable(heap, &next, NULL));
    EXPECT(NONE, frazil_next_finalizable(heap, &next, &token));
    DONE(frazil_drain(heap, 10, NULL));
}

/* Every call on a heap that is not there, or not this thread's. */
static void *no_heap(void *argument) {
    frazil_heap heap = *(frazil_heap *)argument;
    frazil_status status = heap.number == 0 ? FRAZIL_NO_HEAP : FRAZIL_WRONG_THREAD;
    frazil_shape shape = {"shape", 0, 0, 0, 0, 200};
    frazil_value value = {1}, *slots = &value;
    frazil_handle handle = {1};
    frazil_weak weak = {1};
    frazil_scope scope = {1};
    frazil_shared shared = {1};
    frazil_statistics statistics;
    frazil_object_info info;
    frazil_raw *raw;
    const uint8_t *bytes;
    uint8_t byte = 0;
    uint64_t word;
    size_t size;
    bool due;
    EACH(frazil_heap_destroy(heap));
    EACH(frazil_heap_raw(heap, &raw));
    EACH(frazil_shape_define(heap, &shape, sizeof shape));
    EACH(frazil_shape_header(heap, PAIR, 0, &word, &size));
    EACH(frazil_alloc(heap, PAIR, 0, &value));
    EACH(frazil_make(heap, DATA, NULL, 0, NULL, 0, &value));
    EACH(frazil_load(heap, value, 0, &value));
    EACH(frazil_store(heap, value, 0, value));
    EACH(frazil_initialise(heap, value, 0, value));
    EACH(frazil_raw_load(heap, value, 0, &word));
    EACH(frazil_raw_store(heap, value, 0, 0));
    EACH(frazil_bytes_read(heap, value, 0, &byte, 1));
    EACH(frazil_bytes_write(heap, value, 0, &byte, 1));
    EACH(frazil_bytes_view(heap, value, &bytes, &size));
    EACH(frazil_describe(heap, value, &info, sizeof info));
    EACH(frazil_freeze(heap, value));
    EACH(frazil_freeze_deep(heap, value, NULL));
    EACH(frazil_guard(heap, value, 1));
    EACH(frazil_handle_new(heap, value, &handle));
    EACH(frazil_handle_local(heap, value, &handle));
    EACH(frazil_handle_get(heap, handle, &value));
    EACH(frazil_handle_set(heap, handle, value));
    EACH(frazil_handle_free(heap, handle));
    EACH(frazil_scope_open(heap, &scope));
    EACH(frazil_scope_close(heap, scope, NULL));
    EACH(frazil_frame_push(heap, 1, &slots));
    EACH(frazil_frame_pop(heap, slots, 1));
    EACH(frazil_weak_new(heap, value, &weak));
    EACH(frazil_weak_get(heap, weak, &value));
    EACH(frazil_weak_free(heap, weak));
    EACH(frazil_finalize(heap, value, 0));
    EACH(frazil_next_finalizable(heap, &value, &word));
    EACH(frazil_collect(heap, FRAZIL_COLLECT_AUTO, NULL, 0));
    EACH(frazil_should_collect(heap, &due));
    EACH(frazil_should_collect_early(heap, &due));
    EACH(frazil_want_collection(heap));
    EACH(frazil_drain(heap, 1, NULL));
    EACH(frazil_check(heap));
    EACH(frazil_statistics_get(heap, &statistics, sizeof statistics));
    EACH(frazil_listen(heap, NULL, NULL));
    EACH(frazil_share(heap, handle, &shared));
    EACH(frazil_import(heap, shared, &value));
    return NULL;
}

/* A thread that leaves its heap behind: the heap ends with it. */
static void *left_behind(void *argument) {
    frazil_heap *heap = argument;
    DONE(frazil_heap_create(NULL, 0, heap));
    return NULL;
}

static void threads(frazil_heap heap) {
    pthread_t thread;
    frazil_heap left;
    pthread_create(&thread, NULL, no_heap, &heap);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, left_behind, &left);
    pthread_join(thread, NULL);
    EXPECT(NO_HEAP, frazil_heap_destroy(left));
}

/* The listener hears of what was refused, and may use the heap. */
static void heard(const frazil_event *event, void *context) {
    int *times = context;
    frazil_statistics statistics;
    times[event->kind]++;
    DONE(frazil_statistics_get(event->heap, &statistics, sizeof statistics));
    if (event->kind == FRAZIL_EVENT_REFUSED && event->status != FRAZIL_LIMIT) mistakes++;
}

/* More bytes than an object can have; nobody reads them. */
static void too_long(frazil_heap heap) {
    const size_t bytes = (size_t)5 << 30;
    frazil_value made;
    void *many = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (many == MAP_FAILED) return;
    EXPECT(TOO_LONG, frazil_make(heap, DATA, NULL, 0, many, bytes, &made));
    EXPECT(TOO_LONG, frazil_make(heap, TEXT, NULL, 0, many, bytes, &made));
    munmap(many, bytes);
}

static void limits(frazil_config config) {
    static uint8_t large[2 << 20];
    int times[3] = {0, 0, 0};
    frazil_heap heap;
    frazil_value made;
    frazil_handle handles[128];
    size_t count = 0;
    frazil_status status;
    config.limit_bytes = 1 << 20;
    heap = new_heap(&config);
    DONE(frazil_listen(heap, heard, times));
    EXPECT(LIMIT, frazil_alloc(heap, DATA, 1 << 30, &made));
    MESSAGE("1048576");
    EXPECT(LIMIT, frazil_make(heap, DATA, NULL, 0, large, sizeof large, &made));
    while ((status = frazil_alloc(heap, DATA, 10000, &made)) == FRAZIL_OK && count < 128)
        DONE(frazil_handle_new(heap, made, &handles[count++]));
    EXPECT(LIMIT, status);
    while (count > 0) DONE(frazil_handle_free(heap, handles[--count]));
    collect(heap);
    make(heap, PAIR, 0); /* the heap is as good as before */
    if (times[FRAZIL_EVENT_COLLECTED] != 1 || times[FRAZIL_EVENT_REFUSED] != 3) mistakes++;
    DONE(frazil_listen(heap, NULL, NULL));
    collect(heap);
    if (times[FRAZIL_EVENT_COLLECTED] != 1) mistakes++;
    DONE(frazil_heap_destroy(heap));
}

/* Groups, and what their heaps share. */
static void sharing(frazil_config config, frazil_heap alone) {
    frazil_group group, other_group, no_group = {0};
    frazil_shared shared, none = {0};
    frazil_heap heap, other;
    frazil_handle handle, lone;
    frazil_value list, value, *slots;
    config.check = 1;
    EXPECT(NULL, frazil_group_create(&config, sizeof config, NULL));
    EXPECT(WRONG_SIZE, frazil_group_create(&config, 3, &group));
    config.check = 2;
    EXPECT(BAD_ARGUMENT, frazil_group_create(&config, sizeof config, &group));
    config.check = 1, config.count_max = 0;
    EXPECT(BAD_CONFIG, frazil_group_create(&config, sizeof config, &group));
    config.count_max = 253;
    DONE(frazil_group_create(&config, sizeof config, &group));
    DONE(frazil_group_create(&config, sizeof config, &other_group));
    EXPECT(NULL, frazil_heap_create_in(group, NULL));
    EXPECT(STALE_HANDLE, frazil_heap_create_in(no_group, &heap));
    EXPECT(STALE_HANDLE, frazil_group_destroy(no_group));
    DONE(frazil_heap_create_in(group, &heap));
    DONE(frazil_heap_create_in(other_group, &other));
    DONE(frazil_group_destroy(other_group));
    EXPECT(STALE_HANDLE, frazil_group_destroy(other_group));
    EXPECT(STALE_HANDLE, frazil_heap_create_in(other_group, &heap));
    define(heap, LIST, "list", 0, 1, FRAZIL_TAIL_NONE, 1);
    DONE(frazil_handle_new(heap, make(heap, LIST, 0), &handle));
    EXPECT(NULL, frazil_share(heap, handle, NULL));
    EXPECT(NOT_SHAREABLE, frazil_share(heap, handle, &shared));
    MESSAGE("mutable");
    EXPECT(WRONG_HEAP, frazil_share(other, handle, &shared));
    DONE(frazil_handle_new(alone, NOTHING, &lone));
    EXPECT(WRONG_GROUP, frazil_share(alone, lone, &shared));
    DONE(frazil_handle_free(alone, lone));
    DONE(frazil_handle_get(heap, handle, &list));
    DONE(frazil_freeze(heap, list));
    DONE(frazil_frame_push(heap, 1, &slots)); /* sharing has to collect, and a root leads nowhere */
    slots[0] = frazil_immediate(0x123456788);
    EXPECT(BAD_REFERENCE, frazil_share(heap, handle, &shared));
    DONE(frazil_frame_pop(heap, slots, 1));
    DONE(frazil_share(heap, handle, &shared));
    EXPECT(NULL, frazil_import(heap, shared, NULL));
    EXPECT(STALE_HANDLE, frazil_import(heap, none, &value));
    EXPECT(WRONG_GROUP, frazil_import(other, shared, &value));
    EXPECT(WRONG_GROUP, frazil_import(alone, shared, &value));
    DONE(frazil_import(heap, shared, &value));
    EXPECT(TOO_LATE, frazil_finalize(heap, value, 1));
    EXPECT(FROZEN, frazil_store(heap, value, 0, NOTHING));
    DONE(frazil_shared_free(shared));
    EXPECT(STALE_HANDLE, frazil_shared_free(shared));
    EXPECT(STALE_HANDLE, frazil_import(heap, shared, &value));
    DONE(frazil_handle_free(heap, handle));
    EXPECT(STALE_HANDLE, frazil_share(heap, handle, &shared));
    DONE(frazil_heap_destroy(heap));
    DONE(frazil_heap_destroy(other));
    DONE(frazil_group_destroy(group));
}

/* Words that were kept over a collection. Only checking mode is certain to notice. */
static void stale(frazil_config config) {
    frazil_heap heap;
    frazil_value kept, old, loaded, *slots;
    frazil_handle handle;
    config.check = 1;
    heap = new_heap(&config);
    kept = make(heap, LIST, 0);
    DONE(frazil_handle_new(heap, kept, &handle));
    collect(heap);
    make(heap, LIST, 0);
    EXPECT(NOT_AN_OBJECT, frazil_load(heap, kept, 0, &loaded));
    words(heap, kept, FRAZIL_NOT_AN_OBJECT);
    /* In a frame, which the host writes itself. */
    DONE(frazil_frame_push(heap, 1, &slots));
    slots[0] = kept;
    EXPECT(BAD_REFERENCE, frazil_check(heap));
    MESSAGE("word 0 of the root stack");
    EXPECT(BAD_REFERENCE, frazil_collect(heap, FRAZIL_COLLECT_AUTO, NULL, 0));
    slots[0] = frazil_empty();
    collect(heap); /* nothing was broken */
    /* Old objects that died. */
    DONE(frazil_handle_get(heap, handle, &old));
    DONE(frazil_handle_free(heap, handle));
    collect(heap);
    EXPECT(NOT_AN_OBJECT, frazil_load(heap, old, 0, &loaded));
    /* The middle of an object. */
    kept = make(heap, SLOTS, 10);
    kept.word += 16;
    EXPECT(NOT_AN_OBJECT, frazil_load(heap, kept, 0, &loaded));
    DONE(frazil_heap_destroy(heap));
}

/* A store of the host's own, without the write test that short collections need. The heap is broken then. */
static void missed_test(frazil_config config) {
    frazil_heap heap;
    frazil_value list, loaded;
    frazil_handle handle;
    config.check = 1, config.short_collections = 1;
    heap = new_heap(&config);
    DONE(frazil_handle_new(heap, make(heap, LIST, 0), &handle));
    collect(heap);
    DONE(frazil_handle_get(heap, handle, &list));
    if (frazil_may_write(list)) mistakes++;
    frazil_words(list)[1] = make(heap, PAIR, 0).word;
    EXPECT(INTERNAL, frazil_collect(heap, FRAZIL_COLLECT_SHORT, NULL, 0));
    MESSAGE("write");
    EXPECT(BROKEN, frazil_load(heap, list, 0, &loaded));
    EXPECT(BROKEN, frazil_collect(heap, FRAZIL_COLLECT_AUTO, NULL, 0));
    DONE(frazil_heap_destroy(heap));
}

/* Until there is no number left. All ends well: nothing that was made is lost. */
static void full(void) {
    frazil_config config;
    frazil_heap heap;
    frazil_status status;
    frazil_handle handle;
    frazil_scope scope;
    frazil_weak weak;
    frazil_value list, held;
    DONE(frazil_config_default(&config, sizeof config));
#define UNTIL_FULL(call)                           \
    do {                                           \
        size_t made = 0;                           \
        heap = new_heap(&config);                  \
        DONE(frazil_scope_open(heap, &scope));     \
        list = make(heap, LIST, 0);                \
        while ((status = call) == FRAZIL_OK) made++; \
        expect(FRAZIL_FULL, status, #call, __LINE__); \
        if (made < ((size_t)1 << 24) - 2) mistakes++; \
    } while (0)
    UNTIL_FULL(frazil_handle_new(heap, list, &handle));
    DONE(frazil_handle_get(heap, handle, &held));
    EXPECT(FULL, frazil_scope_close(heap, scope, &handle)); /* what is kept would need another one */
    DONE(frazil_handle_free(heap, handle));
    DONE(frazil_handle_new(heap, list, &handle)); /* there is room for one */
    DONE(frazil_scope_close(heap, scope, NULL));
    DONE(frazil_heap_destroy(heap));
    UNTIL_FULL(frazil_handle_local(heap, list, &handle));
    DONE(frazil_scope_close(heap, scope, NULL));
    DONE(frazil_scope_open(heap, &scope));
    DONE(frazil_handle_local(heap, list, &handle));
    DONE(frazil_heap_destroy(heap));
    UNTIL_FULL(frazil_scope_open(heap, &scope));
    DONE(frazil_scope_close(heap, scope, NULL));
    DONE(frazil_heap_destroy(heap));
    UNTIL_FULL(frazil_weak_new(heap, list, &weak));
    DONE(frazil_weak_free(heap, weak));
    DONE(frazil_weak_new(heap, list, &weak));
    DONE(frazil_heap_destroy(heap));
}

/* The system gives no more than a few megabytes of addresses, and then again what is wanted. */
static void starved(void) {
    const size_t more = 8 << 20;
    struct rlimit whole, little;
    frazil_config config;
    frazil_heap heap, other;
    frazil_group group;
    frazil_handle handle;
    frazil_status status;
    frazil_value made;
    unsigned long pages = 0;
    static uint8_t bytes[100000];
    FILE *own = fopen("/proc/self/statm", "r");
    if (own == NULL || fscanf(own, "%lu", &pages) != 1) {
        printf("skipped: no /proc/self/statm\n");
        return;
    }
    fclose(own);
    DONE(frazil_config_default(&config, sizeof config));
    heap = new_heap(&config);
    DONE(frazil_group_create(&config, sizeof config, &group));
    own = fopen("/proc/self/statm", "r"); /* again: a heap has taken addresses */
    if (fscanf(own, "%lu", &pages) != 1) mistakes++;
    fclose(own);
    getrlimit(RLIMIT_AS, &whole);
    little = whole, little.rlim_cur = pages * 4096 + more;
    setrlimit(RLIMIT_AS, &little);
    EXPECT(NO_MEMORY, frazil_heap_create(&config, sizeof config, &other));
    EXPECT(NO_MEMORY, frazil_heap_create_in(group, &other));
    EXPECT(NO_MEMORY, frazil_alloc(heap, DATA, (size_t)1 << 30, &made));
    do {
        status = frazil_make(heap, DATA, NULL, 0, bytes, sizeof bytes, &made);
        if (status == FRAZIL_OK) status = frazil_handle_new(heap, made, &handle);
    } while (status == FRAZIL_OK);
    expect(FRAZIL_NO_MEMORY, status, "frazil_make", __LINE__);
    collect(heap); /* it needs no memory */
    setrlimit(RLIMIT_AS, &whole);
    make(heap, DATA, 1 << 30);
    DONE(frazil_heap_create_in(group, &other));
    DONE(frazil_check(heap));
    DONE(frazil_heap_destroy(other));
    DONE(frazil_heap_destroy(heap));
    DONE(frazil_group_destroy(group));
}

static int said(void) {
    printf("%d refusals, %d mistakes\n", refusals, mistakes);
    return mistakes == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **arguments) {
    frazil_config config;
    frazil_heap heap, other, gone = {0}, ended;
    frazil_value foreign;
    if (strlen(frazil_error_message()) != 0) mistakes++;
    if (count > 1 && strcmp(arguments[1], "full") == 0) return full(), said();
    if (count > 1 && strcmp(arguments[1], "starved") == 0) return starved(), said();
    DONE(count > 1 && strcmp(arguments[1], "plain") == 0 ? frazil_config_default(&config, sizeof config)
                                                          : frazil_config_stress(&config, sizeof config));
    settings();
    heap = new_heap(&config), other = new_heap(&config);
    foreign = make(other, LIST, 0);
    shapes(heap);
    objects(heap, foreign);
    words(heap, frazil_immediate(1), FRAZIL_NOT_AN_OBJECT);
    words(heap, frazil_immediate(0), FRAZIL_NOT_AN_OBJECT);
    words(heap, frazil_immediate(0x123456788), FRAZIL_NOT_AN_OBJECT);
    words(heap, frazil_immediate(UINT64_MAX - 7), FRAZIL_NOT_AN_OBJECT);
    words(heap, foreign, FRAZIL_WRONG_HEAP);
    handles(heap, other);
    frames(heap);
    collections(heap);
    limits(config);
    too_long(heap);
    stale(config);
    sharing(config, heap);
    missed_test(config);
    threads(heap);
    no_heap(&gone);
    DONE(frazil_check(heap));
    DONE(frazil_heap_destroy(other));
    EXPECT(NO_HEAP, frazil_check(other));
    DONE(frazil_heap_destroy(heap));
    EXPECT(NO_HEAP, frazil_heap_destroy(heap));
    DONE(frazil_heap_create(NULL, 0, &ended)); /* the numbers of the others are not used again */
    EXPECT(NO_HEAP, frazil_check(heap));
    DONE(frazil_heap_destroy(ended));
    return said();
}
