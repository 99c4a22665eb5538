/* SPDX-License-Identifier: MIT
 *
 * record: lines to events. See record.h for the contract.
 *
 * A call that waits has one line, where it returned; but it is two events, and
 * the first was earlier. So the file is read twice: first to note where the
 * calls that waited stand and when they began, then to play it, with those
 * beginnings in between.
 * The file may be a stranger's: whatever is not as json.c writes it ends the
 * play with the number of its line.
 */
#include "record.h"

#include "json.h"
#include "lang.h"
#include "out.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The longest line: a frame's 64 KiB are 88 of them. */
#define LINE_SIZE (512 * 1024)
/* A packet of 64 KiB and what goes before it on a cable. */
#define FRAME_MAX (64 * 1024 + 64)
#define ALIASES 32
/* Calls that need not wait and did, and are not back yet. */
#define ANNOUNCED 256

struct begin {
    uint64_t t_ns;
    off_t at; /* of its line */
};

struct record {
    char *path;
    FILE *file;
    json_t *head; /* its first line */
    unsigned long line;
    struct begin *begin;
    size_t begins, room, given;
    struct {
        pid_t pid;
        uint64_t begin_ns; /* 0: free */
    } announced[ANNOUNCED];
    char alias[ALIASES][24]; /* names of calls other than their own */
    uint8_t bytes[LINE_SIZE];
    char text[LINE_SIZE];
    uint64_t now_ns;
};

/* --- lines --------------------------------------------------------------- */

/* The next line as an object: 1, to be released; 0 at the end; -1 and *e. */
static int read_line(struct record *r, json_t **object, struct err *e)
{
    errno = 0;
    if (fgets(r->text, sizeof r->text, r->file) == NULL) {
        if (ferror(r->file))
            return err_sys(e, "%s", r->path);
        return 0;
    }
    r->line++;
    size_t len = strlen(r->text);
    if (len == 0 || r->text[len - 1] != '\n')
        return err_set(e, STATUS_FAILED,
                       len == sizeof r->text - 1
                           ? N_("%s: line %lu is too long")
                           : N_("%s: line %lu is cut"),
                       r->path, r->line);
    *object = json_loadb(r->text, len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(*object))
        return 1;
    json_decref(*object);
    return err_set(e, STATUS_FAILED, "%s: line %lu is no object of JSON",
                   r->path, r->line);
}

/* Fields that are missing, or not what they must be, make it bad. */
struct fields {
    const json_t *object;
    bool bad;
};

static uint64_t get_uint(struct fields *f, const char *key, uint64_t max)
{
    const json_t *v = json_object_get(f->object, key);
    json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < 0 || (uint64_t)n > max) {
        f->bad = true;
        return 0;
    }
    return (uint64_t)n;
}

static int get_int(struct fields *f, const char *key)
{
    const json_t *v = json_object_get(f->object, key);
    json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < INT32_MIN || n > INT32_MAX) {
        f->bad = true;
        return 0;
    }
    return (int)n;
}

static bool get_bool(struct fields *f, const char *key)
{
    const json_t *v = json_object_get(f->object, key);
    f->bad |= !json_is_boolean(v);
    return json_is_true(v);
}

static const char *get_text(struct fields *f, const char *key)
{
    const char *text = json_string_value(json_object_get(f->object, key));
    f->bad |= text == NULL;
    return text != NULL ? text : "";
}

static bool is_null(const struct fields *f, const char *key)
{
    return json_is_null(json_object_get(f->object, key));
}

/* The place of a word in a list. */
static size_t get_word(struct fields *f, const char *key,
                       const char *const *words, size_t count)
{
    const char *text = get_text(f, key);
    for (size_t i = 0; i < count; i++)
        if (words[i] != NULL && strcmp(text, words[i]) == 0)
            return i;
    f->bad = true;
    return 0;
}

static enum host_id get_host(struct fields *f, const char *key)
{
    static const char *const hosts[] = {"client", "server"};
    return (enum host_id)get_word(f, key, hosts, 2);
}

/* No address: null, or of a family that has no text. */
static struct addr get_addr(struct fields *f, const char *key)
{
    struct addr a = {.len = 0};
    if (is_null(f, key))
        return a;
    const char *text = get_text(f, key);
    if (strcmp(text, "?") != 0 && addr_parse(text, &a, NULL) < 0)
        f->bad = true;
    return a;
}

static int digit_of_base64(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Into r->bytes; how many. Base64 is longer than what it stands for, so that
 * a line always fits. */
static size_t get_bytes(struct record *r, struct fields *f)
{
    const char *text = get_text(f, "base64");
    size_t len = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (; *text != '\0' && *text != '='; text++) {
        int digit = digit_of_base64(*text);
        f->bad |= digit < 0;
        bits = bits << 6 | (uint32_t)(digit & 63);
        have += 6;
        if (have >= 8)
            r->bytes[len++] = (uint8_t)(bits >> (have -= 8));
    }
    f->bad |= strspn(text, "=") != strlen(text);
    return len;
}

/* --- events -------------------------------------------------------------- */

static int find_errno(const char *name)
{
    for (int i = 1; i < 256; i++)
        if (strcmp(call_errno_name(i), name) == 0)
            return i;
    return 0;
}

/* A name that lasts. */
static const char *keep_alias(struct record *r, const char *name)
{
    if (strlen(name) >= sizeof r->alias[0])
        return NULL;
    for (size_t i = 0; i < ALIASES; i++) {
        if (r->alias[i][0] == '\0')
            strcpy(r->alias[i], name);
        if (strcmp(r->alias[i], name) == 0)
            return r->alias[i];
    }
    return NULL;
}

static void read_call(struct record *r, struct fields *f, struct event *e)
{
    struct call *c = &e->call;
    *c = (struct call){.id = get_uint(f, "call_id", CALL_IDS - 1)};
    const char *name = get_text(f, "name");
    if (strcmp(name, call_name(c)) != 0)
        c->alias = keep_alias(r, name);
    c->fd = get_int(f, "fd");
    c->proto = get_int(f, "proto_number");
    c->arg[0] = get_int(f, "arg_0");
    c->arg[1] = get_int(f, "arg_1");
    c->arg[2] = get_int(f, "arg_2");
    c->addr = get_addr(f, "address");
    c->size = get_uint(f, "size_bytes", SIZE_MAX / 2);
    c->begin_ns = get_uint(f, "begin_ns", INT64_MAX);
    c->returned = !is_null(f, "end_ns");
    if (json_object_get(f->object, "base64") != NULL) {
        c->data_len = get_bytes(r, f);
        c->data = r->bytes;
    }
    if (c->returned) {
        const json_t *result = json_object_get(f->object, "result");
        f->bad |= !json_is_integer(result);
        c->result = (long)json_integer_value(result);
        c->end_ns = get_uint(f, "end_ns", INT64_MAX);
        f->bad |= c->end_ns < c->begin_ns;
        if (!is_null(f, "errno"))
            c->error = find_errno(get_text(f, "errno"));
    }
    e->kind = EVENT_CALL;
    e->pid = get_int(f, "pid");
    e->t_ns = c->begin_ns;
}

/* Turns a call into the event of its beginning. */
static void unreturn(struct event *e)
{
    struct call *c = &e->call;
    c->returned = false;
    c->result = 0;
    c->error = 0;
    c->end_ns = 0;
    c->data = NULL;
    c->data_len = 0;
    if (c->id != CALL_CONNECT)
        c->addr = (struct addr){.len = 0}; /* it is filled in at the return */
    e->t_ns = c->begin_ns;
}

static void read_sent(struct fields *f, struct event_frame *frame)
{
    static const char *const fates[] = {"delivered", "lost", "duplicated",
                                        "corrupted"};
    static const char *const agains[] = {NULL, "timeout", "acks", "unknown"};
    frame->fate = (enum fate)get_word(f, "fate", fates, 4);
    if (json_object_get(f->object, "by") != NULL)
        out_printable(get_text(f, "by"), frame->by, sizeof frame->by);
    if (frame->fate != FATE_LOST)
        frame->due_ns = get_uint(f, "due_ns", INT64_MAX);
    if (json_object_get(f->object, "again") != NULL)
        frame->again = (enum again)get_word(f, "again", agains, 4);
}

static void read_frame(struct record *r, struct fields *f, struct event *e)
{
    static const char *const phases[] = {"sent", "received"};
    struct event_frame *frame = &e->frame;
    bool received = get_word(f, "phase", phases, 2) == 1;
    *frame = (struct event_frame){.from = get_host(f, "from")};
    frame->number = get_uint(f, "number", INT64_MAX);
    frame->bytes = r->bytes;
    frame->len = get_bytes(r, f);
    f->bad |= frame->len > FRAME_MAX;
    frame->wire_len = get_uint(f, "frame_bytes", UINT32_MAX);
    frame->isn[HOST_CLIENT] = (uint32_t)get_uint(f, "isn_client", UINT32_MAX);
    frame->isn[HOST_SERVER] = (uint32_t)get_uint(f, "isn_server", UINT32_MAX);
    frame->isn_known[HOST_CLIENT] = get_bool(f, "isn_client_known");
    frame->isn_known[HOST_SERVER] = get_bool(f, "isn_server_known");
    frame_decode(frame->bytes, frame->len, frame->wire_len, &frame->frame);
    if (frame->frame.kind == FRAME_TCP)
        frame->window_bytes = (uint32_t)get_uint(f, "window_bytes", UINT32_MAX);
    if (received)
        frame->copy = (unsigned)get_uint(f, "copy", 1);
    else
        read_sent(f, frame);
    e->kind = received ? EVENT_RECEIVED : EVENT_SENT;
    e->t_ns = get_uint(f, "t_ns", INT64_MAX);
}

static enum tcp_state get_state(struct fields *f, const char *key)
{
    const char *text = get_text(f, key);
    if (strcmp(text, "CLOSED") == 0)
        return TCP_STATE_NONE; /* as json.c has it */
    for (int s = TCP_STATE_LISTEN; s < TCP_STATE_CLOSED; s++)
        if (strcmp(text, tcp_state_name(s)) == 0)
            return s;
    f->bad = true;
    return TCP_STATE_NONE;
}

static void read_state(struct record *r, struct fields *f, struct event *e)
{
    (void)r;
    e->kind = EVENT_STATE;
    e->state = (struct event_state){.local = get_addr(f, "local"),
                                    .peer = get_addr(f, "peer"),
                                    .from = get_state(f, "from"),
                                    .to = get_state(f, "to"),
                                    .inferred = get_bool(f, "inferred")};
    e->t_ns = get_uint(f, "t_ns", INT64_MAX);
}

static void read_output(struct record *r, struct fields *f, struct event *e)
{
    static const char *const streams[] = {"stdout", "stderr"};
    (void)r;
    e->kind = EVENT_OUTPUT;
    e->pid = get_int(f, "pid");
    e->output.stream = 1 + (int)get_word(f, "stream", streams, 2);
    e->output.text = get_text(f, "text");
    e->t_ns = get_uint(f, "t_ns", INT64_MAX);
}

static void read_exit(struct record *r, struct fields *f, struct event *e)
{
    (void)r;
    e->kind = EVENT_EXIT;
    e->pid = get_int(f, "pid");
    e->exit.command = get_text(f, "command");
    e->exit.status = is_null(f, "signal")
                         ? (int)get_uint(f, "exit_status", 255) << 8
                         : (int)get_uint(f, "signal", 64);
    e->t_ns = get_uint(f, "t_ns", INT64_MAX);
}

static void read_remark(struct record *r, struct fields *f, struct event *e)
{
    (void)r;
    e->kind = EVENT_REMARK;
    e->remark = get_text(f, "text");
    e->t_ns = get_uint(f, "t_ns", INT64_MAX);
}

typedef void read_fn(struct record *r, struct fields *f, struct event *e);

static const struct {
    const char *name;
    read_fn *read;
} readers[] = {
    {"call", read_call},     {"frame", read_frame}, {"state", read_state},
    {"output", read_output}, {"exit", read_exit},   {"remark", read_remark},
};

/* The line as an event: 1, and its texts last as long as the object. 0: of a
 * kind that is not known here. -1 and *e: it makes no sense. */
static int read_event(struct record *r, const json_t *object, struct event *e,
                      struct err *err)
{
    struct fields f = {object, false};
    const char *name = get_text(&f, "event");
    *e = (struct event){0};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (strcmp(name, readers[i].name) != 0)
            continue;
        e->host = get_host(&f, "host");
        readers[i].read(r, &f, e);
        if (!f.bad)
            return 1;
    }
    if (!f.bad)
        return 0;
    err_set(err, STATUS_FAILED, "%s: line %lu makes no sense as '%.32s'",
            r->path, r->line, name);
    if (strcmp(name, "call") == 0 || strcmp(name, "frame") == 0)
        err_advise(err, "a recording has the bytes of each frame: it is "
                        "written with --record, not --json");
    return -1;
}

/* --- beginnings ---------------------------------------------------------- */

static int note_begin(struct record *r, const struct event *e, off_t at,
                      struct err *err)
{
    if (e->kind != EVENT_CALL || !call_waits(&e->call))
        return 0;
    if (r->begins == r->room) {
        size_t room = r->room > 0 ? 2 * r->room : 64;
        struct begin *larger = realloc(r->begin, room * sizeof *larger);
        if (larger == NULL)
            return err_sys(err, "%s", r->path);
        r->begin = larger;
        r->room = room;
    }
    r->begin[r->begins++] = (struct begin){e->call.begin_ns, at};
    return 0;
}

static int compare_begins(const void *a, const void *b)
{
    const struct begin *x = a, *y = b;
    if (x->t_ns != y->t_ns)
        return x->t_ns < y->t_ns ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* The first reading, from where the file stands to its end. */
static int find_begins(struct record *r, struct err *e)
{
    json_t *object;
    struct event event;
    off_t at = ftello(r->file);
    int got;
    while ((got = read_line(r, &object, e)) > 0) {
        got = read_event(r, object, &event, e);
        if (got > 0 && note_begin(r, &event, at, e) < 0)
            got = -1;
        json_decref(object);
        if (got < 0)
            break;
        at = ftello(r->file);
    }
    if (r->begins > 0)
        qsort(r->begin, r->begins, sizeof *r->begin, compare_begins);
    return got;
}

/* --- playing ------------------------------------------------------------- */

static void give(struct record *r, const struct lab_view *view, struct event *e)
{
    if (e->t_ns < r->now_ns)
        e->t_ns = r->now_ns;
    r->now_ns = e->t_ns;
    view->advance(e->t_ns, view->context);
    view->event(e, view->context);
}

/* Gives the beginnings up to T_NS. */
static int give_begins(struct record *r, const struct lab_view *view,
                       uint64_t t_ns, struct err *err)
{
    json_t *object;
    struct event e;
    off_t here = ftello(r->file);
    unsigned long line = r->line;
    bool moved = false;
    for (; r->given < r->begins && r->begin[r->given].t_ns <= t_ns;
         r->given++) {
        moved = true;
        if (fseeko(r->file, r->begin[r->given].at, SEEK_SET) < 0)
            return err_sys(err, "%s", r->path);
        if (read_line(r, &object, err) <= 0)
            return -1;
        int got = read_event(r, object, &e, err);
        if (got > 0) {
            unreturn(&e);
            give(r, view, &e);
        }
        json_decref(object);
        if (got < 0)
            return -1;
    }
    r->line = line;
    if (moved && fseeko(r->file, here, SEEK_SET) < 0)
        return err_sys(err, "%s", r->path);
    return 0;
}

/* When a call belongs that need not wait: at its beginning; or, if that was
 * told before, at its return. */
static void place_call(struct record *r, struct event *e)
{
    size_t i = 0, free_at = ANNOUNCED;
    for (; i < ANNOUNCED; i++) {
        if (r->announced[i].begin_ns == 0)
            free_at = i;
        else if (r->announced[i].pid == e->pid &&
                 r->announced[i].begin_ns == e->call.begin_ns)
            break;
    }
    if (!e->call.returned && free_at < ANNOUNCED) {
        r->announced[free_at].pid = e->pid;
        r->announced[free_at].begin_ns = e->call.begin_ns;
    } else if (e->call.returned && i < ANNOUNCED) {
        r->announced[i].begin_ns = 0;
        e->t_ns = e->call.end_ns;
    }
}

static int give_event(struct record *r, const struct lab_view *view,
                      const json_t *object, struct err *err)
{
    struct event e;
    int got = read_event(r, object, &e, err);
    if (got <= 0)
        return got;
    if (e.kind == EVENT_CALL && call_waits(&e.call)) {
        if (!e.call.returned)
            return 0; /* its beginning is given by itself */
        e.t_ns = e.call.end_ns;
    } else if (e.kind == EVENT_CALL) {
        place_call(r, &e);
    }
    /* Other lines are read meanwhile, into the same bytes. */
    struct event *copy = event_copy(&e);
    if (copy == NULL)
        return err_sys(err, "%s", r->path);
    got = give_begins(r, view, copy->t_ns, err);
    if (got == 0)
        give(r, view, copy);
    event_discard(copy);
    return got;
}

int record_run(struct record *r, const struct lab_view *view, uint64_t *end_ns,
               struct err *e)
{
    json_t *object;
    int got;
    bool has_end = false;
    while ((got = read_line(r, &object, e)) > 0) {
        struct fields f = {object, false};
        has_end = strcmp(get_text(&f, "event"), "end") == 0;
        got = give_event(r, view, object, e);
        json_decref(object);
        if (got < 0 || has_end || view->is_gone(view->context))
            break;
    }
    if (got >= 0 && !view->is_gone(view->context))
        got = give_begins(r, view, UINT64_MAX, e);
    *end_ns = r->now_ns;
    if (got < 0 || has_end || view->is_gone(view->context))
        return got < 0 ? -1 : 0;
    return err_set(e, STATUS_FAILED, "%s: breaks off after line %lu", r->path,
                   r->line);
}

/* --- the file ------------------------------------------------------------ */

static void read_commands(struct fields *f, const char *key, enum host_id host,
                          struct record_head *head)
{
    const json_t *list = json_object_get(f->object, key);
    size_t count = json_array_size(list);
    f->bad |= !json_is_array(list) || count > LAB_PROGRAMS;
    for (size_t i = 0; i < count && !f->bad; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        f->bad |= text == NULL;
        head->command[host][head->commands[host]++] = text;
    }
}

/* A recording of another tool of this toolkit, or of a later version? */
static int read_head(struct record *r, struct record_head *head, struct err *e)
{
    int got = read_line(r, &r->head, e);
    if (got <= 0)
        return got < 0 ? -1 : err_set(e, STATUS_FAILED, "%s: empty", r->path);
    struct fields f = {r->head, false};
    uint64_t schema = get_uint(&f, "schema", INT64_MAX);
    bool is_start = strcmp(get_text(&f, "event"), "start") == 0 &&
                    strcmp(get_text(&f, "program"), "wirelab") == 0;
    snprintf(head->version, sizeof head->version, "%s",
             get_text(&f, "version"));
    if (!f.bad && is_start && schema > OUT_SCHEMA)
        return err_set(e, STATUS_FAILED,
                       "%s: recorded by a later version, Wirelab %.31s (schema "
                       "%llu; this one reads %d)",
                       r->path, head->version, (unsigned long long)schema,
                       OUT_SCHEMA);
    snprintf(head->kernel, sizeof head->kernel, "%s", get_text(&f, "kernel"));
    head->ipv6 = get_bool(&f, "ipv6");
    head->loopback = json_is_true(json_object_get(r->head, "loopback"));
    head->delay_ns[HOST_CLIENT] = get_uint(&f, "delay_ns_by_client", INT64_MAX);
    head->delay_ns[HOST_SERVER] = get_uint(&f, "delay_ns_by_server", INT64_MAX);
    read_commands(&f, "clients", HOST_CLIENT, head);
    read_commands(&f, "servers", HOST_SERVER, head);
    if (f.bad || !is_start)
        return err_set(e, STATUS_FAILED, "%s: not a recording of wirelab",
                       r->path);
    return 0;
}

struct record *record_open(const char *path, struct record_head *head,
                           struct err *e)
{
    *head = (struct record_head){0};
    struct record *r = calloc(1, sizeof *r);
    if (r == NULL || (r->path = strdup(path)) == NULL ||
        (r->file = fopen(path, "re")) == NULL) {
        err_sys(e, "%s", path);
        goto fail;
    }
    if (read_head(r, head, e) < 0)
        goto fail;
    off_t body = ftello(r->file);
    if (find_begins(r, e) < 0)
        goto fail;
    if (fseeko(r->file, body, SEEK_SET) < 0) {
        err_sys(e, "%s", path);
        goto fail;
    }
    r->line = 1;
    return r;
fail:
    record_close(r);
    return NULL;
}

void record_close(struct record *r)
{
    if (r == NULL)
        return;
    if (r->file != NULL)
        fclose(r->file);
    json_decref(r->head);
    free(r->begin);
    free(r->path);
    free(r);
}
