// What LMDB itself does with the work that the service gives it: the same tables, the same keys, values of the
// same sizes, as many commands to a commit, the same flags. No judging, no encoding, no answers.
//
//   raw-lmdb create DIR COUNT BATCH SECONDS LOG PAYLOAD SCHEDULE USAGE       creates of schedules
//   raw-lmdb project DIR COUNT BATCH SECONDS LOG PAYLOAD SCHEDULE USAGE      their projections alone, as in a rebuild
//   raw-lmdb fire DIR COUNT BATCH SECONDS LOG PAYLOAD SCHEDULE USAGE RUN     firings of COUNT schedules made before
//   raw-lmdb sync DIR SECONDS                                        pwrite of a page and fdatasync, one by one
//   raw-lmdb shape DB                                                rows and mean sizes of each table that is in use
//   raw-lmdb entries DB                                              the log's entries on standard output
//
// COUNT or SECONDS may be 0 for no bound, not both. One JSON object on standard output (but of `entries`).
// Compile with: cc -O2 -o raw-lmdb raw-lmdb.c -llmdb
#define _GNU_SOURCE
#include <fcntl.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Every named table that the service has open: each costs every transaction a little.
static const char *projections[] = {
    "teams", "api_keys", "workflows", "versions", "schedules", "schedule_lists", "pending_keys", "runs",
    "run_lists", "due", "startable", "ready", "turn", "usage", "kept_answers", "kept_answer_ends", "triggers",
    "trigger_teams", "refusals", "seen", "seen_ends", "subscriptions", "deliveries", "delivery_lists",
    "operations", "operation_lists", "tree"};
enum { projection_count = sizeof projections / sizeof *projections };

static MDB_env *env;
static MDB_dbi log_table, payloads, meta, schedules, schedule_lists, due, usage, runs, run_lists, startable, tree;

static void must(int code, const char *what) {
    if (code != 0) {
        fprintf(stderr, "raw-lmdb: %s: %s\n", what, mdb_strerror(code));
        exit(1);
    }
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static MDB_txn *begin(unsigned flags) {
    MDB_txn *txn;
    must(mdb_txn_begin(env, NULL, flags, &txn), "begin");
    return txn;
}

static MDB_dbi open_table(MDB_txn *txn, const char *name, unsigned flags) {
    MDB_dbi table;
    must(mdb_dbi_open(txn, name, flags, &table), name);
    return table;
}

// Opens a new environment as the service does: MDB_NOTLS and no other flag, 64 tables at most, 64 GiB of map.
static void open_new(const char *directory) {
    if (mkdir(directory, 0700) != 0) {
        perror(directory);
        exit(1);
    }
    must(mdb_env_create(&env), "create");
    must(mdb_env_set_maxdbs(env, 64), "maxdbs");
    must(mdb_env_set_mapsize(env, (size_t)64 << 30), "mapsize");
    must(mdb_env_open(env, directory, MDB_NOTLS, 0600), "open");
    MDB_txn *txn = begin(0);
    log_table = open_table(txn, "log", MDB_CREATE);
    payloads = open_table(txn, "payloads", MDB_CREATE);
    meta = open_table(txn, "meta", MDB_CREATE);
    for (int index = 0; index < projection_count; index++) {
        char second[64];
        open_table(txn, projections[index], MDB_CREATE);
        snprintf(second, sizeof second, "%s.2", projections[index]);
        open_table(txn, second, MDB_CREATE);
    }
    schedules = open_table(txn, "schedules", 0);
    schedule_lists = open_table(txn, "schedule_lists", 0);
    due = open_table(txn, "due", 0);
    usage = open_table(txn, "usage", 0);
    runs = open_table(txn, "runs", 0);
    run_lists = open_table(txn, "run_lists", 0);
    startable = open_table(txn, "startable", 0);
    tree = open_table(txn, "tree", 0);
    must(mdb_txn_commit(txn), "commit");
}

static void open_existing(const char *directory) {
    must(mdb_env_create(&env), "create");
    must(mdb_env_set_maxdbs(env, 64), "maxdbs");
    must(mdb_env_set_mapsize(env, (size_t)64 << 30), "mapsize");
    must(mdb_env_open(env, directory, MDB_RDONLY | MDB_NOTLS, 0600), "open");
}

// Keys, written field by field, integers big-endian.
typedef struct {
    uint8_t bytes[64];
    size_t count;
} Key;

static void byte(Key *key, uint8_t value) { key->bytes[key->count++] = value; }

static void number(Key *key, uint64_t value, int width) {
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) byte(key, (uint8_t)(value >> shift));
}

static uint64_t mix(uint64_t value) {  // splitmix64: the same numbers each time, without a table of them.
    value += 0x9e3779b97f4a7c15;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static const uint64_t team = 0x0190000000000001, workflow = 0x0190000000000002;

// 12 bytes, in the order of their numbers.
static void id(Key *key, uint64_t value) {
    number(key, 0x019a0000 + (value >> 40), 4);
    number(key, value, 8);
}

static void instant_of(Key *key, uint64_t schedule, int is_burst) {
    // Somewhere in the next year, or all at one moment.
    uint64_t offset = is_burst ? 0 : mix(schedule) % 31536000000000;
    number(key, (1800000000000000 + offset) ^ (uint64_t)1 << 63, 8);
}

static uint8_t filler[4096];

static void put(MDB_txn *txn, MDB_dbi table, const Key *key, size_t size, unsigned flags) {
    MDB_val k = {key->count, (void *)key->bytes}, v = {size, filler};
    must(mdb_put(txn, table, &k, &v, flags), "put");
}

static void delete(MDB_txn *txn, MDB_dbi table, const Key *key) {
    MDB_val k = {key->count, (void *)key->bytes};
    must(mdb_del(txn, table, &k, NULL), "delete");
}

typedef struct {
    size_t log, payload, schedule, usage, run;
} Sizes;

static Key row_key(uint64_t object) {
    Key key = {.count = 0};
    id(&key, team), id(&key, object);
    return key;
}

static Key status_key(uint64_t schedule, uint8_t status) {
    Key key = {.count = 0};
    byte(&key, 1), id(&key, team), byte(&key, status), id(&key, schedule);
    return key;
}

static Key due_key(uint64_t schedule, int is_burst) {
    Key key = {.count = 0};
    instant_of(&key, schedule, is_burst);
    byte(&key, 1), id(&key, team), id(&key, schedule), number(&key, 1, 8);
    return key;
}

static Key list_key(uint8_t list, uint64_t object) {
    Key key = {.count = 0};
    byte(&key, list), id(&key, team), id(&key, workflow), id(&key, object);
    return key;
}

static Key usage_key(uint8_t kind) {
    Key key = {.count = 0};
    byte(&key, kind), id(&key, team);
    if (kind == 2) id(&key, workflow);
    return key;
}

static void append_log(MDB_txn *txn, uint64_t position, size_t size) {
    Key key = {.count = 0};
    number(&key, position, 8);
    put(txn, log_table, &key, size, MDB_APPEND);
}

// The rows that creating a schedule writes.
static void create(MDB_txn *txn, uint64_t position, const Sizes *sizes, int with_log, int is_burst) {
    Key key = {.count = 0};
    if (with_log) {
        append_log(txn, position, sizes->log);
        number(&key, position, 8), number(&key, 0, 2), number(&key, 0, 2);
        if (sizes->payload > 0) put(txn, payloads, &key, sizes->payload, MDB_APPEND);
    }
    if (position % 256 == 0) {
        Key node = {.count = 0};
        byte(&node, 1), number(&node, position / 256 - 1, 8);
        put(txn, tree, &node, 32, 0);
    }
    key = row_key(position), put(txn, schedules, &key, sizes->schedule, 0);
    key = status_key(position, 1), put(txn, schedule_lists, &key, 0, 0);
    key.count = 0;
    byte(&key, 2), id(&key, team), instant_of(&key, position, is_burst), id(&key, position);
    put(txn, schedule_lists, &key, 0, 0);
    key = list_key(3, position), put(txn, schedule_lists, &key, 0, 0);
    key = due_key(position, is_burst), put(txn, due, &key, 0, 0);
}

// The rows that a firing moves: the first due moment goes, the schedule has a run, and the run waits.
static void fire(MDB_txn *txn, uint64_t position, const Sizes *sizes) {
    MDB_cursor *cursor;
    MDB_val found, value;
    must(mdb_cursor_open(txn, due, &cursor), "cursor");
    must(mdb_cursor_get(cursor, &found, &value, MDB_FIRST), "first due");
    uint64_t schedule = 0;
    const uint8_t *bytes = found.mv_data;
    for (int index = 25; index < 33; index++) schedule = schedule << 8 | bytes[index];
    mdb_cursor_close(cursor);
    Key key = due_key(schedule, 1);
    delete(txn, due, &key);
    append_log(txn, position, sizes->log);
    key = row_key(schedule);
    MDB_val k = {key.count, key.bytes};
    must(mdb_get(txn, schedules, &k, &value), "schedule");
    put(txn, schedules, &key, sizes->schedule + 20, 0);
    key = status_key(schedule, 1), delete(txn, schedule_lists, &key);
    key = status_key(schedule, 2), put(txn, schedule_lists, &key, 0, 0);
    key = row_key(position), put(txn, runs, &key, sizes->run, 0);
    key = list_key(2, position), put(txn, run_lists, &key, 0, 0);
    key.count = 0;
    byte(&key, 1), id(&key, team), id(&key, position), put(txn, run_lists, &key, 0, 0);
    key.count = 0;
    id(&key, team), id(&key, workflow), byte(&key, 2), byte(&key, 'q'), byte(&key, 0), byte(&key, 250);
    number(&key, position, 8), id(&key, position);
    put(txn, startable, &key, 0, 0);
}

// What is written once a commit: usage of the workflow and of the team, and the service's own row, log id, position
// and time.
static void commit(MDB_txn *txn, const Sizes *sizes) {
    Key key = usage_key(2);
    put(txn, usage, &key, sizes->usage, 0);
    key = usage_key(1), put(txn, usage, &key, sizes->usage, 0);
    key.count = 7;
    memcpy(key.bytes, "service", 7);
    put(txn, meta, &key, 61, 0);
    must(mdb_txn_commit(txn), "commit");
}

static void run(const char *mode, const char *directory, uint64_t count, uint64_t batch, double seconds, Sizes sizes) {
    int fires = strcmp(mode, "fire") == 0, with_log = strcmp(mode, "project") != 0;
    open_new(directory);
    uint64_t position = 1, made = 0, commits = 0;
    if (fires) {
        while (made < count) {
            MDB_txn *txn = begin(0);
            for (uint64_t index = 0; index < 10000 && made < count; index++, made++)
                create(txn, position++, &sizes, 1, 1);
            commit(txn, &sizes);
        }
        made = 0;
    }
    double begun = now();
    while ((count == 0 || made < count) && (seconds == 0 || now() - begun < seconds)) {
        MDB_txn *txn = begin(0);
        for (uint64_t index = 0; index < batch && (count == 0 || made < count); index++, made++) {
            if (fires) fire(txn, position++, &sizes);
            else create(txn, position++, &sizes, with_log, 0);
        }
        commit(txn, &sizes);
        commits++;
    }
    double took = now() - begun;
    printf("{\"commands\": %lu, \"commits\": %lu, \"seconds\": %.6f, \"per_second\": %.1f}\n", made, commits, took,
           made / took);
    mdb_env_close(env);
}

static int ascending(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

static void sync_loop(const char *directory, double seconds) {
    char path[4096];
    snprintf(path, sizeof path, "%s/sync-probe", directory);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || posix_fallocate(file, 0, 64 << 20) != 0 || fsync(file) != 0) {
        perror(path);
        exit(1);
    }
    unlink(path);
    size_t capacity = 1 << 20, count = 0;
    double *times = malloc(capacity * sizeof *times);
    if (times == NULL) exit(1);
    double begun = now();
    while (now() - begun < seconds && count < capacity) {
        double started = now();
        filler[0] = (uint8_t)count;
        off_t place = (off_t)(count * 4096 % (64 << 20));
        if (pwrite(file, filler, 4096, place) != 4096 || fdatasync(file) != 0) {
            perror(path);
            exit(1);
        }
        times[count++] = now() - started;
    }
    double took = now() - begun;
    qsort(times, count, sizeof *times, ascending);
    printf("{\"count\": %zu, \"per_second\": %.1f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f}\n", count,
           count / took, times[count / 2] * 1e3, times[count * 99 / 100] * 1e3, times[count - 1] * 1e3);
    close(file);
}

static void shape(const char *directory) {
    open_existing(directory);
    MDB_txn *txn = begin(MDB_RDONLY);
    MDB_dbi names = open_table(txn, NULL, 0), free_pages = 0;
    MDB_envinfo info;
    MDB_stat stat;
    must(mdb_env_info(env, &info), "info");
    must(mdb_stat(txn, free_pages, &stat), "stat");
    size_t page = stat.ms_psize, unused = 0;
    MDB_cursor *cursor;
    MDB_val key, value;
    must(mdb_cursor_open(txn, free_pages, &cursor), "cursor");
    int code;
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) unused += *(size_t *)value.mv_data;
    if (code != MDB_NOTFOUND) must(code, "free list");
    mdb_cursor_close(cursor);
    // Every projection exists twice; one byte says which set is in use, and without it the first one is.
    MDB_val live = {4, "live"}, set = {0, NULL};
    code = mdb_get(txn, open_table(txn, "meta", 0), &live, &set);
    if (code != MDB_NOTFOUND) must(code, "live");
    int is_second = set.mv_size == 1 && *(uint8_t *)set.mv_data == 1;
    printf("{\"used_bytes\": %zu, \"file_bytes\": %zu, \"tables\": {", (info.me_last_pgno + 1 - unused) * page,
           (info.me_last_pgno + 1) * page);
    must(mdb_cursor_open(txn, names, &cursor), "cursor");
    const char *comma = "";
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        char name[128];
        if (key.mv_size >= sizeof name) continue;
        memcpy(name, key.mv_data, key.mv_size);
        name[key.mv_size] = 0;
        MDB_dbi table = open_table(txn, name, 0);
        must(mdb_stat(txn, table, &stat), "stat");
        int ends_so = key.mv_size > 2 && memcmp(name + key.mv_size - 2, ".2", 2) == 0, is_projection = ends_so;
        for (int index = 0; index < projection_count; index++) is_projection |= strcmp(name, projections[index]) == 0;
        if (is_projection && ends_so != is_second) continue;
        if (ends_so) name[key.mv_size - 2] = 0;
        size_t keys = 0, values = 0, rows = 0;
        MDB_cursor *row;
        MDB_val k, v;
        must(mdb_cursor_open(txn, table, &row), "cursor");
        while ((code = mdb_cursor_get(row, &k, &v, MDB_NEXT)) == 0) keys += k.mv_size, values += v.mv_size, rows++;
        if (code != MDB_NOTFOUND) must(code, name);
        mdb_cursor_close(row);
        size_t pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
        if (rows > 0)
            printf("%s\"%s\": {\"rows\": %zu, \"key\": %.2f, \"value\": %.2f, \"bytes\": %zu}", comma, name, rows,
                   (double)keys / rows, (double)values / rows, pages * page);
        if (rows > 0) comma = ", ";
    }
    if (code != MDB_NOTFOUND) must(code, "tables");
    printf("}}\n");
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

static void entries(const char *directory) {
    open_existing(directory);
    MDB_txn *txn = begin(MDB_RDONLY);
    MDB_dbi table = open_table(txn, "log", 0);
    MDB_cursor *cursor;
    MDB_val key, value;
    must(mdb_cursor_open(txn, table, &cursor), "cursor");
    int code;
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        // Behind the format (1 byte) and the chain hash (32).
        if (value.mv_size < 33 ||
            fwrite((uint8_t *)value.mv_data + 33, value.mv_size - 33, 1, stdout) != 1) {
            fprintf(stderr, "raw-lmdb: an entry could not be written\n");
            exit(1);
        }
    }
    if (code != MDB_NOTFOUND) must(code, "log");
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

static size_t size(const char *text) {
    size_t value = strtoul(text, NULL, 10);
    if (value > sizeof filler - 64) {
        fprintf(stderr, "raw-lmdb: %s bytes are too many\n", text);
        exit(2);
    }
    return value;
}

int main(int count, char **words) {
    for (size_t index = 0; index < sizeof filler; index++) filler[index] = (uint8_t)mix(index);
    const char *mode = count > 2 ? words[1] : "";
    if (strcmp(mode, "shape") == 0 && count == 3) shape(words[2]);
    else if (strcmp(mode, "entries") == 0 && count == 3) entries(words[2]);
    else if (strcmp(mode, "sync") == 0 && count == 4) sync_loop(words[2], atof(words[3]));
    else if ((count == 10 && (strcmp(mode, "create") == 0 || strcmp(mode, "project") == 0)) ||
             (count == 11 && strcmp(mode, "fire") == 0)) {
        size_t run_size = count == 11 ? size(words[10]) : 0;
        Sizes sizes = {size(words[6]), size(words[7]), size(words[8]), size(words[9]), run_size};
        uint64_t commands = strtoul(words[3], NULL, 10), batch = strtoul(words[4], NULL, 10);
        double seconds = atof(words[5]);
        if (batch == 0 || (commands == 0 && seconds <= 0)) return 2;
        run(mode, words[2], commands, batch, seconds, sizes);
    } else {
        fprintf(stderr, "raw-lmdb: see the top of raw-lmdb.c\n");
        return 2;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
