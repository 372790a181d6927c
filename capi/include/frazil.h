/* frazil.h: a generational collector for language runtimes, for C and whatever speaks C.
 *
 * Objects are born in a nursery by moving a finger up. A collection moves the survivors to old blocks, where immutable
 * objects are reference counted and mutable ones are traced. The host runs no barrier and touches no count.
 *
 * A value is a word, good until the next collection, which happens inside of frazil_collect and nowhere else. What has to
 * outlive one is held by a handle, by a frame of the root stack, or by an object that is held itself.
 *
 * Every call that can fail returns a status; frazil_error_message() says more. A call that failed did nothing. Nothing
 * unwinds into the caller. What is promised to every call, for nothing can notice it: a pointer that is not null leads to
 * what its type says, aligned, and results go to distinct places outside of the heap.
 *
 * Every call on a heap may come to FRAZIL_NO_HEAP, FRAZIL_WRONG_THREAD, FRAZIL_BUSY, FRAZIL_BROKEN and FRAZIL_INTERNAL;
 * every one that takes a pointer to FRAZIL_NULL; every one that takes an object or a value to FRAZIL_NOT_AN_OBJECT and
 * FRAZIL_WRONG_HEAP. What else may come is said with each.
 */
#ifndef FRAZIL_H
#define FRAZIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ statuses */

typedef enum frazil_status {
    FRAZIL_OK = 0,             /* done */
    FRAZIL_NONE = 1,           /* done, and there is nothing: a dead weak reference, an empty queue */
    FRAZIL_NULL = 2,           /* a pointer is null that must not be */
    FRAZIL_BAD_ARGUMENT = 3,   /* a number is none of its enumeration's */
    FRAZIL_WRONG_SIZE = 4,     /* a structure has another size in this library; a length is not that of the object */
    FRAZIL_OUT_OF_RANGE = 5,   /* no reference, word or byte has this index */
    FRAZIL_NO_HEAP = 6,        /* there is no such heap, or it has ended */
    FRAZIL_WRONG_THREAD = 7,   /* the heap belongs to another thread */
    FRAZIL_WRONG_HEAP = 8,     /* a handle, weak reference, scope or object belongs to another heap */
    FRAZIL_STALE_HANDLE = 9,   /* a handle, weak reference or scope has ended, or never was one */
    FRAZIL_NOT_AN_OBJECT = 10, /* a word is no reference, or leads to no object */
    FRAZIL_WRONG_SHAPE = 11,   /* there is no such shape, or it is not one for this */
    FRAZIL_FROZEN = 12,        /* the object is frozen, or was born immutable */
    FRAZIL_GUARDED = 13,       /* the host guards the object against writes */
    FRAZIL_LIMIT = 14,         /* the heap's limit would be passed; a collection may help */
    FRAZIL_NO_MEMORY = 15,     /* the system gave no memory */
    FRAZIL_TOO_LONG = 16,      /* no object can have a tail this long */
    FRAZIL_WRONG_SCOPE = 17,   /* the scope is not the innermost one, or there is none */
    FRAZIL_WRONG_FRAME = 18,   /* the frame is not the one on top of the root stack */
    FRAZIL_FULL = 19,          /* the root stack has no room, or there are too many handles */
    FRAZIL_BAD_REFERENCE = 20, /* a root or a reference leads to no object: it was not rooted during a collection */
    FRAZIL_BAD_CONFIG = 21,    /* the settings do not agree with each other */
    FRAZIL_NOT_UTF8 = 22,      /* the bytes of a text are not UTF-8 */
    FRAZIL_BUSY = 23,          /* the heap is in the middle of another call (this one comes from a signal handler, say) */
    FRAZIL_BROKEN = 24,        /* a call before ended with FRAZIL_INTERNAL: the heap can only be destroyed */
    FRAZIL_INTERNAL = 25,      /* an error in the collector; or one of the host's that checking mode found */
    FRAZIL_NOT_SHAREABLE = 26, /* something mutable can be reached from what was to be shared */
    FRAZIL_WRONG_GROUP = 27,   /* the heap belongs to no group, or to another one */
    FRAZIL_TOO_LATE = 28       /* the object may have been shared already: it is registered before it is */
} frazil_status;

/* What was wrong with the last call of this thread that failed; empty if none did. Valid until the next that fails. */
const char *frazil_error_message(void);
/* The name of a status as it stands above; "unknown" for other numbers. */
const char *frazil_status_name(uint32_t status);
/* The version of the library, such as "0.1.0". */
const char *frazil_version(void);

/* ------------------------------------------------------------------ what the host holds */

/* A word: a reference to an object, or an immediate of the host's own. References have their three lowest bits clear and
 * are not zero. Everything else is the host's to give a meaning. */
typedef struct frazil_value {
    uint64_t word;
} frazil_value;

/* A heap, by its number. Numbers are never used twice; no heap has 0. */
typedef struct frazil_heap {
    uint64_t number;
} frazil_heap;

/* A root with a number that is checked: has it ended, is it this heap's? None is 0. */
typedef struct frazil_handle {
    uint64_t bits;
} frazil_handle;

/* A reference that keeps nothing alive. None is 0. */
typedef struct frazil_weak {
    uint64_t bits;
} frazil_weak;

/* A group of heaps that may share frozen data, by its number. None is 0. */
typedef struct frazil_group {
    uint64_t number;
} frazil_group;

/* Something frozen that any heap of a group may import, by its number. None is 0. */
typedef struct frazil_shared {
    uint64_t number;
} frazil_shared;

/* A scope of handles. None is 0. */
typedef struct frazil_scope {
    uint64_t bits;
} frazil_scope;

/* A heap's own memory, for the inline functions at the end. */
typedef struct frazil_raw frazil_raw;

/* ------------------------------------------------------------------ heaps */

/* The settings of a heap. Start from frazil_config_default. */
typedef struct frazil_config {
    size_t block_bytes;                 /* of an old block: 4096, 8192, 16384 or 32768 */
    size_t nursery_bytes;               /* allocated between two collections, about: 1 KiB to 1 TiB */
    size_t limit_bytes;                 /* of nursery and old blocks, at least 256 KiB; 0: what the system gives */
    size_t stack_words;                 /* of the root stack, at most 2^32; memory is taken when it is used */
    uint32_t nursery_growth;            /* while much survives, the nursery grows to so many times that; 1: it does not */
    uint32_t nursery_percent_of_traced; /* a collection is due after so many percent of the bytes that the last traced */
    uint32_t short_collections;         /* 1: there may be short ones; then stores of the host's own need the write test */
    uint32_t cheap_percent;             /* with them: complete ones while they trace less than this part of the nursery */
    uint32_t growth_percent;            /* with them: a complete one follows when the old generation has grown by this */
    size_t growth_bytes;                /* and it may always grow by so many bytes */
    uint32_t drain_objects_per_kib;     /* dead objects released per KiB allocated; 0: all, at the end of a collection */
    uint32_t drain_micros_max;          /* the longest time that may take, unless it is all */
    uint32_t count_max;                 /* the largest count outside of the overflow table: 1 to 253 */
    /* Immutable structures of so many objects are counted as one; UINT32_MAX: none. Trees only, after frazil_heap_raw, or when
     * an immutable object with references was filled after it had been made: there may be circles then. */
    uint32_t cluster_objects;
    size_t cluster_bytes;               /* larger ones are, in parts of about so many bytes */
    uint32_t pages_ahead;               /* 1: a thread asks for the pages that old objects will need; 0: no thread (Linux only) */
    uint32_t check;                     /* 1: checking mode. Slow */
} frazil_config;

/* The settings for a program of ordinary size. config_bytes is sizeof(frazil_config): FRAZIL_WRONG_SIZE. */
frazil_status frazil_config_default(frazil_config *config, size_t config_bytes);
/* The settings for tests: everything that is rare is made common, and the heap checks itself. */
frazil_status frazil_config_stress(frazil_config *config, size_t config_bytes);

/* Makes a heap for the thread that calls; no other one may use it. A null config stands for the default.
 * FRAZIL_WRONG_SIZE, FRAZIL_BAD_ARGUMENT, FRAZIL_BAD_CONFIG, FRAZIL_NO_MEMORY. */
frazil_status frazil_heap_create(const frazil_config *config, size_t config_bytes, frazil_heap *heap);
/* Ends a heap with all that is in it. A thread's heaps end with it, too. */
frazil_status frazil_heap_destroy(frazil_heap heap);
/* Where the heap is, for inline code. It stays there until it ends; nothing notices when the address is used afterwards. */
frazil_status frazil_heap_raw(frazil_heap heap, frazil_raw **raw);

/* ------------------------------------------------------------------ shapes */

/* What an object is made with as many of as the host likes. */
typedef enum frazil_tail {
    FRAZIL_TAIL_NONE = 0,       /* nothing: all objects of the shape have the same size */
    FRAZIL_TAIL_REFERENCES = 1, /* references */
    FRAZIL_TAIL_BYTES = 2,      /* bytes */
    FRAZIL_TAIL_TEXT = 3        /* bytes that are UTF-8; the shape is immutable */
} frazil_tail;

/* What a kind of object is made of. An object is a header word and then
 *     raw words (0 to 63), references (any number)    or
 *     references (0 to 63), bytes (any number). */
typedef struct frazil_shape {
    const char *name;    /* what messages call it; it is copied. May be null */
    uint32_t references; /* how many; 0 with a tail of references */
    uint32_t raw_words;  /* how many; 0 with a tail of bytes */
    uint32_t tail;       /* FRAZIL_TAIL_... */
    uint32_t is_mutable; /* 1: born mutable, and each can be frozen. 0: immutable */
    uint16_t id;         /* the host's number for the shape, which every object carries */
} frazil_shape;

/* Tells a heap of a shape. shape_bytes is sizeof(frazil_shape).
 * FRAZIL_WRONG_SIZE, FRAZIL_BAD_ARGUMENT; FRAZIL_WRONG_SHAPE: it cannot be, or its number is taken. */
frazil_status frazil_shape_define(frazil_heap heap, const frazil_shape *shape, size_t shape_bytes);
/* For inline allocation: the header of a new object with a tail of length (ignored without a tail), and its bytes.
 * FRAZIL_WRONG_SHAPE, FRAZIL_TOO_LONG. */
frazil_status frazil_shape_header(frazil_heap heap, uint16_t shape, size_t length, uint64_t *header, size_t *bytes);

/* ------------------------------------------------------------------ objects */

/* Makes an object with a tail of length (ignored without a tail). Its references are frazil_empty(), its words and bytes
 * zero; until the next collection they may be set, even if it is immutable. Nothing is collected or moved.
 * FRAZIL_WRONG_SHAPE (also for text), FRAZIL_TOO_LONG; FRAZIL_LIMIT, FRAZIL_NO_MEMORY: collect, and try once more. */
frazil_status frazil_alloc(frazil_heap heap, uint16_t shape, size_t length, frazil_value *made);
/* Makes an object with all that is in it: count references, and raw_bytes bytes for its raw words (8 each) or its bytes.
 * A tail is as long as what is given; no raw bytes leave raw words zero.
 * As frazil_alloc; FRAZIL_WRONG_SIZE: the shape has room for more, or less; FRAZIL_NOT_UTF8. */
frazil_status frazil_make(frazil_heap heap, uint16_t shape, const frazil_value *references, size_t count,
                          const uint8_t *raw, size_t raw_bytes, frazil_value *made);

/* Reads a reference. FRAZIL_OUT_OF_RANGE. */
frazil_status frazil_load(frazil_heap heap, frazil_value from, size_t index, frazil_value *loaded);
/* Stores into a reference of a mutable object. FRAZIL_OUT_OF_RANGE, FRAZIL_FROZEN, FRAZIL_GUARDED. */
frazil_status frazil_store(frazil_heap heap, frazil_value into, size_t index, frazil_value stored);
/* Sets a reference of an object that was made since the last collection and has not been frozen, mutable or not.
 * FRAZIL_OUT_OF_RANGE, FRAZIL_FROZEN. */
frazil_status frazil_initialise(frazil_heap heap, frazil_value into, size_t index, frazil_value stored);

/* Reads a raw word. FRAZIL_OUT_OF_RANGE. */
frazil_status frazil_raw_load(frazil_heap heap, frazil_value from, size_t index, uint64_t *loaded);
/* Writes a raw word of an object that is mutable, or could still be initialised.
 * FRAZIL_OUT_OF_RANGE, FRAZIL_FROZEN, FRAZIL_GUARDED. */
frazil_status frazil_raw_store(frazil_heap heap, frazil_value into, size_t index, uint64_t stored);
/* Copies bytes of an object to buffer. FRAZIL_WRONG_SHAPE: it has none; FRAZIL_OUT_OF_RANGE. */
frazil_status frazil_bytes_read(frazil_heap heap, frazil_value from, size_t offset, uint8_t *buffer, size_t length);
/* Copies bytes into an object that is mutable, or could still be initialised, and is no text. They may be its own.
 * FRAZIL_WRONG_SHAPE, FRAZIL_OUT_OF_RANGE, FRAZIL_FROZEN, FRAZIL_GUARDED. */
frazil_status frazil_bytes_write(frazil_heap heap, frazil_value into, size_t offset, const uint8_t *bytes,
                                 size_t length);
/* Where the bytes of an object are until the next collection, and how many. FRAZIL_WRONG_SHAPE. */
frazil_status frazil_bytes_view(frazil_heap heap, frazil_value of, const uint8_t **bytes, size_t *length);

/* What an object is made of, as its header says. */
typedef struct frazil_object_info {
    size_t references;
    size_t bytes;
    size_t raw_words;
    size_t size;        /* bytes that it takes, header and all */
    uint16_t shape;     /* the host's number for its shape */
    uint8_t is_mutable; /* 1: it may be written, unless it is guarded */
    uint8_t is_frozen;  /* 1: it was mutable once */
    uint8_t is_guarded;
    uint8_t reserved[3];
} frazil_object_info;

/* info_bytes is sizeof(frazil_object_info): FRAZIL_WRONG_SIZE. */
frazil_status frazil_describe(frazil_heap heap, frazil_value of, frazil_object_info *info, size_t info_bytes);

/* Freezes one object in place, for good. What it refers to, and what is immutable already, stays as it is. */
frazil_status frazil_freeze(frazil_heap heap, frazil_value frozen);
/* Freezes everything mutable that can be reached, in place; count (which may be null) is how many objects that were. */
frazil_status frazil_freeze_deep(frazil_heap heap, frazil_value from, size_t *count);
/* Refuses stores into a mutable object (1), or no longer (0). FRAZIL_BAD_ARGUMENT; FRAZIL_FROZEN: it is not mutable. */
frazil_status frazil_guard(frazil_heap heap, frazil_value guarded, uint32_t guard);

/* ------------------------------------------------------------------ handles and scopes */

/* Makes a handle that holds a value until it is freed. FRAZIL_FULL: beyond 2^24. */
frazil_status frazil_handle_new(frazil_heap heap, frazil_value held, frazil_handle *handle);
/* Makes a handle that ends with the innermost scope, or when it is freed. FRAZIL_FULL; FRAZIL_WRONG_SCOPE: none is open. */
frazil_status frazil_handle_local(frazil_heap heap, frazil_value held, frazil_handle *handle);
/* What a handle holds. FRAZIL_STALE_HANDLE. */
frazil_status frazil_handle_get(frazil_heap heap, frazil_handle handle, frazil_value *held);
/* Lets a handle hold something else. FRAZIL_STALE_HANDLE. */
frazil_status frazil_handle_set(frazil_heap heap, frazil_handle handle, frazil_value held);
/* Ends a handle. FRAZIL_STALE_HANDLE. */
frazil_status frazil_handle_free(frazil_heap heap, frazil_handle handle);

/* Opens a scope inside of those that are open. FRAZIL_FULL. */
frazil_status frazil_scope_open(frazil_heap heap, frazil_scope *scope);
/* Closes the innermost scope: its handles end. If kept is not null, what it holds goes on in a new handle of the scope
 * around (or one that is free, if there is none), which takes its place.
 * FRAZIL_STALE_HANDLE; FRAZIL_WRONG_SCOPE: there is an open one inside; FRAZIL_FULL: there is no room for the new handle.
 * Then nothing is closed. */
frazil_status frazil_scope_close(frazil_heap heap, frazil_scope scope, frazil_handle *kept);

/* ------------------------------------------------------------------ frames */

/* Pushes a frame of count words, each frazil_empty(), on the root stack. The host reads and writes them itself, at slots,
 * until it pops the frame. FRAZIL_FULL. */
frazil_status frazil_frame_push(frazil_heap heap, size_t count, frazil_value **slots);
/* Pops the frame on top. FRAZIL_WRONG_FRAME. */
frazil_status frazil_frame_pop(frazil_heap heap, frazil_value *slots, size_t count);

/* ------------------------------------------------------------------ weak references, finalizers */

/* Makes a reference to an object that does not keep it alive. FRAZIL_FULL: beyond 2^24. */
frazil_status frazil_weak_new(frazil_heap heap, frazil_value to, frazil_weak *weak);
/* The object, or FRAZIL_NONE and a zero if a collection found it dead. FRAZIL_STALE_HANDLE. */
frazil_status frazil_weak_get(frazil_heap heap, frazil_weak weak, frazil_value *to);
/* Ends a weak reference. FRAZIL_STALE_HANDLE. */
frazil_status frazil_weak_free(frazil_heap heap, frazil_weak weak);

/* After its death the object is to come to the finalizer queue, with token. Once for each call.
 * FRAZIL_TOO_LATE: in a heap of a group, once a collection has settled the object. */
frazil_status frazil_finalize(frazil_heap heap, frazil_value of, uint64_t token);
/* The next object of the queue, or FRAZIL_NONE and zeros. From now on it is an object like any other. */
frazil_status frazil_next_finalizable(frazil_heap heap, frazil_value *next, uint64_t *token);

/* ------------------------------------------------------------------ collection */

typedef enum frazil_collection {
    FRAZIL_COLLECT_AUTO = 0,    /* the heap's policy chooses */
    FRAZIL_COLLECT_SHORT = 1,   /* roots, touched objects, young survivors; complete if the settings allow no short ones */
    FRAZIL_COLLECT_COMPLETE = 2 /* everything */
} frazil_collection;

/* What one collection did. */
typedef struct frazil_report {
    uint64_t number; /* from 1 */
    uint64_t kind;   /* FRAZIL_COLLECT_SHORT or FRAZIL_COLLECT_COMPLETE */
    uint64_t pause_ns;
    uint64_t drain_ns; /* the part of it that released dead objects and gave memory back */
    uint64_t allocated_bytes; /* since the collection before */
    uint64_t promoted_objects;
    uint64_t promoted_bytes;
    uint64_t traced_objects;
    uint64_t traced_bytes;
    uint64_t settled;    /* frozen objects that became counted */
    uint64_t components; /* frozen cycles among them */
    uint64_t freed_objects;
    uint64_t freed_bytes;
    uint64_t waiting; /* dead objects that have not been released */
    uint64_t weak_cleared;
    uint64_t finalizable;
    uint64_t old_objects; /* afterwards */
    uint64_t old_bytes;   /* of their cells */
    uint64_t block_bytes; /* of the blocks they lie in */
} frazil_report;

/* Collects. The words that the host holds lead nowhere from here on; handles, frames and weak references are up to date.
 * kind is FRAZIL_COLLECT_... report may be null; report_bytes is sizeof(frazil_report). It needs no memory that an
 * allocation has not reserved. FRAZIL_BAD_ARGUMENT, FRAZIL_WRONG_SIZE; in checking mode FRAZIL_BAD_REFERENCE, and then
 * nothing was collected. */
frazil_status frazil_collect(frazil_heap heap, uint32_t kind, frazil_report *report, size_t report_bytes);
/* Is a collection due? A host asks at its safepoints; frazil_poll is the same inline. */
frazil_status frazil_should_collect(frazil_heap heap, bool *due);
/* The same, or nearly so: for the safepoints where little of what is young is alive (a structure was just frozen or
 * dropped, a request is answered). To collect there, a little early, keeps less than to collect in the midst of the next one. */
frazil_status frazil_should_collect_early(frazil_heap heap, bool *due);
/* Makes a collection due. */
frazil_status frazil_want_collection(frazil_heap heap);
/* Releases at most so many dead objects, for a host that is idle; left (which may be null) is how many wait. */
frazil_status frazil_drain(frazil_heap heap, size_t objects, size_t *left);
/* Does every root, and every reference of every object, lead to an object? It looks at the whole heap.
 * FRAZIL_BAD_REFERENCE. */
frazil_status frazil_check(frazil_heap heap);

/* The sum of all collections of a heap, and how it stands now. */
typedef struct frazil_statistics {
    uint64_t short_collections;
    uint64_t complete_collections;
    uint64_t pause_total_ns;
    uint64_t pause_max_ns;
    uint64_t pause_median_ns; /* to within a fifth */
    uint64_t pause_99_ns;     /* 99 of 100 are no longer, to within a fifth */
    uint64_t allocated_bytes; /* up to now */
    uint64_t promoted_objects;
    uint64_t promoted_bytes;
    uint64_t traced_objects;
    uint64_t freed_objects;
    uint64_t freed_bytes;
    uint64_t settled;
    uint64_t block_bytes_max; /* at the end of a collection */
    uint64_t used_bytes;      /* now, which is what the limit bounds */
    uint64_t handles;
    uint64_t weak_references;
    uint64_t stack_words;
    frazil_report last; /* zeros before the first collection */
} frazil_statistics;

/* statistics_bytes is sizeof(frazil_statistics): FRAZIL_WRONG_SIZE. */
frazil_status frazil_statistics_get(frazil_heap heap, frazil_statistics *statistics, size_t statistics_bytes);

/* ------------------------------------------------------------------ sharing between threads */

/* Makes a group of heaps, which all have these settings; a null config stands for the default. Any thread may use it.
 * FRAZIL_WRONG_SIZE, FRAZIL_BAD_ARGUMENT, FRAZIL_BAD_CONFIG. */
frazil_status frazil_group_create(const frazil_config *config, size_t config_bytes, frazil_group *group);
/* Ends a group: no more heaps can be made in it. Those that it has go on, and what they share. FRAZIL_STALE_HANDLE. */
frazil_status frazil_group_destroy(frazil_group group);
/* Makes a heap of a group for the thread that calls. When it ends, what others hold of it lives on.
 * FRAZIL_STALE_HANDLE, FRAZIL_NO_MEMORY. */
frazil_status frazil_heap_create_in(frazil_group group, frazil_heap *heap);

/* Shares what a handle holds, which must be immutable throughout, with all heaps of the group, until it is freed. If no
 * collection has seen yet that it is frozen, this is one: words that the host holds lead nowhere from here on.
 * FRAZIL_STALE_HANDLE, FRAZIL_WRONG_GROUP; FRAZIL_NOT_SHAREABLE, with the way to something mutable; in checking mode
 * FRAZIL_BAD_REFERENCE. */
frazil_status frazil_share(frazil_heap heap, frazil_handle handle, frazil_shared *shared);
/* What was shared, as a value of this heap: good until the next collection, and to be read as if it were its own.
 * FRAZIL_STALE_HANDLE, FRAZIL_WRONG_GROUP. */
frazil_status frazil_import(frazil_heap heap, frazil_shared shared, frazil_value *imported);
/* Ends the sharing. Heaps that have imported the value, and hold it, keep it. Any thread may. FRAZIL_STALE_HANDLE. */
frazil_status frazil_shared_free(frazil_shared shared);

/* ------------------------------------------------------------------ events */

typedef enum frazil_event_kind {
    FRAZIL_EVENT_COLLECTED = 0,   /* a collection is over */
    FRAZIL_EVENT_FINALIZABLE = 1, /* report.finalizable objects have come to the finalizer queue */
    FRAZIL_EVENT_REFUSED = 2      /* an allocation was refused, and status says why */
} frazil_event_kind;

typedef struct frazil_event {
    frazil_heap heap;
    uint32_t kind;        /* FRAZIL_EVENT_... */
    uint32_t status;      /* FRAZIL_OK, but for what was refused */
    frazil_report report; /* of a collection; zeros otherwise */
} frazil_event;

/* It must come back in the ordinary way: it may neither throw nor jump out. */
typedef void (*frazil_listener)(const frazil_event *event, void *context);

/* From now on listener, if it is not null, is told of every event, at the end of the call in which it happened. It may use
 * the heap; what happens meanwhile comes to it afterwards. */
frazil_status frazil_listen(frazil_heap heap, frazil_listener listener, void *context);

/* ------------------------------------------------------------------ numbers for inline code */

/* Where things stand in the memory that a frazil_raw pointer leads to. */
#define FRAZIL_WANTED_OFFSET 0          /* a byte: not 0 when a collection is due */
#define FRAZIL_STACK_LENGTH_OFFSET 8    /* words in use on the root stack */
#define FRAZIL_STACK_CAPACITY_OFFSET 16 /* no more than these */
#define FRAZIL_STACK_BASE_OFFSET 24     /* the address of the first */
#define FRAZIL_TOP_OFFSET 96            /* the address of the next object */
#define FRAZIL_LIMIT_OFFSET 104         /* the address that no object may pass */

#define FRAZIL_INLINE_BYTES_MAX 2048 /* larger objects must be asked for */
#define FRAZIL_WORD_BYTES 8 /* every object begins at a multiple of it, and a new one takes whole words */
#define FRAZIL_EMPTY 1 /* what a reference holds before something is stored: no reference */

/* The header, which is the first word of an object. */
#define FRAZIL_HEADER_TAG 1     /* always set */
#define FRAZIL_HEADER_MUTABLE 2        /* may be written; freezing clears it for good */
#define FRAZIL_HEADER_SEEN 4           /* a collection has scanned it, and no write has been reported since */
#define FRAZIL_HEADER_GUARDED 8        /* the host refuses writes */
#define FRAZIL_HEADER_BYTES 256        /* references and bytes, not raw words and references */
#define FRAZIL_HEADER_BORN_MUTABLE 512 /* the shape is a mutable one */
#define FRAZIL_WRITE_MASK 14    /* a store needs no call when header & FRAZIL_WRITE_MASK == FRAZIL_HEADER_MUTABLE */
#define FRAZIL_SMALL_SHIFT 10   /* how many raw words (beside bytes: references) ... */
#define FRAZIL_SMALL_MASK 63    /* ... in six bits */
#define FRAZIL_SHAPE_SHIFT 16   /* the number of the shape, in 16 bits */
#define FRAZIL_LENGTH_SHIFT 32  /* how many references or bytes, in 32 bits */

/* ------------------------------------------------------------------ inline functions, which check nothing */

/* A word that is no reference. The three lowest bits must not all be clear, unless it is 0. */
static inline frazil_value frazil_immediate(uint64_t word) {
    frazil_value value = {word};
    return value;
}

/* What a reference holds before something is stored. */
static inline frazil_value frazil_empty(void) {
    return frazil_immediate(FRAZIL_EMPTY);
}

/* Does the word refer to an object? */
static inline bool frazil_is_reference(frazil_value value) {
    return (value.word & 7) == 0 && value.word != 0;
}

/* The words of an object: the header, then what the shape says. */
static inline uint64_t *frazil_words(frazil_value object) {
    return (uint64_t *)(uintptr_t)object.word;
}

/* The host's number for the shape of an object. */
static inline uint16_t frazil_shape_of(frazil_value object) {
    return (uint16_t)(frazil_words(object)[0] >> FRAZIL_SHAPE_SHIFT);
}

/* A word in the memory of a heap. */
static inline uint64_t *frazil_field(frazil_raw *raw, size_t offset) {
    return (uint64_t *)((char *)raw + offset);
}

/* Allocation: a load, an add, a compare, a branch, a store, and the header. bytes is what frazil_shape_header says (no more:
 * the next object begins there), at most FRAZIL_INLINE_BYTES_MAX. The words behind the header are whatever was there: set
 * each before the next call. The result is zero if there is no room; then frazil_alloc makes the object, or says why not. */
static inline frazil_value frazil_alloc_fast(frazil_raw *raw, uint64_t header, size_t bytes) {
    uint64_t top = *frazil_field(raw, FRAZIL_TOP_OFFSET), end = top + bytes;
    frazil_value object = {0};
    if (end <= *frazil_field(raw, FRAZIL_LIMIT_OFFSET)) {
        *frazil_field(raw, FRAZIL_TOP_OFFSET) = end;
        object.word = top;
        frazil_words(object)[0] = header;
    }
    return object;
}

/* May the host store into the object on its own? If not, frazil_store does, or says why not. A heap without short
 * collections needs no test where the host knows that the object is mutable and not frozen. */
static inline bool frazil_may_write(frazil_value object) {
    return (frazil_words(object)[0] & FRAZIL_WRITE_MASK) == FRAZIL_HEADER_MUTABLE;
}

/* Is a collection due? */
static inline bool frazil_poll(const frazil_raw *raw) {
    return *((const volatile uint8_t *)raw + FRAZIL_WANTED_OFFSET) != 0;
}

/* Pushes a frame of count words, each empty; null if there is no room. */
static inline frazil_value *frazil_enter(frazil_raw *raw, size_t count) {
    uint64_t length = *frazil_field(raw, FRAZIL_STACK_LENGTH_OFFSET);
    frazil_value *slots = (frazil_value *)(uintptr_t)*frazil_field(raw, FRAZIL_STACK_BASE_OFFSET) + length;
    size_t index;
    if (count > *frazil_field(raw, FRAZIL_STACK_CAPACITY_OFFSET) - length) return NULL;
    for (index = 0; index < count; index++) slots[index] = frazil_empty();
    *frazil_field(raw, FRAZIL_STACK_LENGTH_OFFSET) = length + count;
    return slots;
}

/* Pops the frame on top, which has count words. */
static inline void frazil_leave(frazil_raw *raw, size_t count) {
    *frazil_field(raw, FRAZIL_STACK_LENGTH_OFFSET) -= count;
}

#ifdef __cplusplus
}
#endif

#endif
