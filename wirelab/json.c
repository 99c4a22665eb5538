/* SPDX-License-Identifier: MIT
 *
 * json: events as NDJSON. See json.h for the contract.
 */
#include "json.h"

#include "clock.h"
#include "keep.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* Calls that have not returned. More than these are told as they come in. */
#define WAITING 256

struct json {
    struct out *out;  /* where an event is built */
    struct out own;   /* of a recording */
    struct keep keep; /* of a recording; its file is NULL: stdout */
    struct event *waiting[WAITING];
};

/* --- streams ------------------------------------------------------------- */

struct json *json_stdout(struct out *out)
{
    struct json *j = calloc(1, sizeof *j);
    if (j != NULL)
        j->out = out;
    return j;
}

struct json *json_record(const char *path, struct err *e)
{
    struct json *j = calloc(1, sizeof *j);
    if (j == NULL) {
        err_sys(e, "%s", path);
        return NULL;
    }
    if (keep_open(&j->keep, path, e) < 0) {
        free(j);
        return NULL;
    }
    out_init(&j->own, "wirelab", true, false);
    j->out = &j->own;
    return j;
}

/* Ends an event. out would write it to stdout, so a recording takes it away
 * before that. */
static void end_line(struct json *j)
{
    if (j->keep.file == NULL) {
        out_end(j->out, NULL);
        return;
    }
    json_dumpf(j->out->event, j->keep.file, JSON_COMPACT);
    fputc('\n', j->keep.file);
    keep_check(&j->keep);
    json_decref(j->out->event);
    j->out->event = NULL;
    out_end(j->out, NULL);
}

static bool is_record(const struct json *j)
{
    return j->keep.file != NULL;
}

static void put_addr(struct json *j, const char *key, const struct addr *a)
{
    char text[ADDR_TEXT];
    if (a->len == 0)
        out_null(j->out, key);
    else
        out_text(j->out, key, addr_format(a, text, sizeof text));
}

/* --- events -------------------------------------------------------------- */

static void put_call_whole(struct json *j, const struct call *c)
{
    out_uint(j->out, "call_id", c->id);
    out_int(j->out, "fd", c->fd);
    out_int(j->out, "proto_number", c->proto);
    out_int(j->out, "arg_0", c->arg[0]);
    out_int(j->out, "arg_1", c->arg[1]);
    out_int(j->out, "arg_2", c->arg[2]);
    put_addr(j, "address", &c->addr);
    out_uint(j->out, "size_bytes", c->size);
    if (c->data != NULL)
        out_base64(j->out, "base64", c->data, c->data_len);
}

static void put_call(struct json *j, const struct event *e)
{
    const struct call *c = &e->call;
    char args[CALL_TEXT];
    out_begin(j->out, "call");
    out_text(j->out, "host", host_name(e->host));
    out_int(j->out, "pid", e->pid);
    out_text(j->out, "name", call_name(c));
    out_text(j->out, "args", call_args(c, args, sizeof args));
    out_uint(j->out, "begin_ns", c->begin_ns);
    if (c->returned) {
        out_int(j->out, "result", c->result);
        out_uint(j->out, "end_ns", c->end_ns);
    } else {
        out_null(j->out, "result");
        out_null(j->out, "end_ns");
    }
    if (c->returned && c->error != 0)
        out_text(j->out, "errno", call_errno_name(c->error));
    else
        out_null(j->out, "errno");
    if (is_record(j))
        put_call_whole(j, c);
    end_line(j);
}

static void drop_waiting(struct json *j, size_t i)
{
    event_discard(j->waiting[i]);
    j->waiting[i] = NULL;
}

/* A call that waits is told when it returns. True: not now. A recording tells
 * of one that need not wait, and does, twice: when is not known beforehand. */
static bool keep_waiting(struct json *j, const struct event *e)
{
    size_t free_at = WAITING;
    for (size_t i = 0; i < WAITING; i++) {
        const struct event *w = j->waiting[i];
        if (w == NULL)
            free_at = free_at < WAITING ? free_at : i;
        else if (e->call.returned && w->pid == e->pid &&
                 w->call.begin_ns == e->call.begin_ns)
            drop_waiting(j, i);
    }
    bool twice = is_record(j) && !call_waits(&e->call);
    if (e->call.returned || twice || free_at == WAITING)
        return false;
    j->waiting[free_at] = event_copy(e);
    return j->waiting[free_at] != NULL;
}

static const char *proto_name(const struct frame *f)
{
    switch (f->kind) {
    case FRAME_TCP:
        return "tcp";
    case FRAME_UDP:
        return "udp";
    case FRAME_ICMP:
        return "icmp";
    case FRAME_ARP:
        return "arp";
    case FRAME_IP:
        return "ip";
    case FRAME_OTHER:
        break;
    }
    return "other";
}

static void put_flags(struct json *j, const struct frame *f)
{
    static const char *const names[] = {"FIN", "SYN", "RST", "PSH",
                                        "ACK", "URG", "ECE", "CWR"};
    const char *set[8];
    size_t count = 0;
    for (size_t i = 0; i < 8; i++)
        if (f->flags & 1 << i)
            set[count++] = names[i];
    out_list(j->out, "flags", set, count);
}

static void put_tcp(struct json *j, const struct event_frame *f)
{
    enum host_id to = 1 - f->from;
    bool acks = f->frame.flags & TCP_ACK;
    put_flags(j, &f->frame);
    out_uint(j->out, "seq", f->frame.seq - f->isn[f->from]);
    out_uint(j->out, "seq_abs", f->frame.seq);
    if (acks) {
        out_uint(j->out, "ack", f->frame.ack - f->isn[to]);
        out_uint(j->out, "ack_abs", f->frame.ack);
    } else {
        out_null(j->out, "ack");
        out_null(j->out, "ack_abs");
    }
    out_uint(j->out, "window_bytes", f->window_bytes);
}

static void put_sent(struct json *j, const struct event_frame *f)
{
    static const char *const fates[] = {"delivered", "lost", "duplicated",
                                        "corrupted"};
    static const char *const agains[] = {NULL, "timeout", "acks", "unknown"};
    out_text(j->out, "fate", fates[f->fate]);
    if (f->by[0] != '\0')
        out_text(j->out, "by", f->by);
    if (f->fate != FATE_LOST)
        out_uint(j->out, "due_ns", f->due_ns);
    if (f->again != AGAIN_NO)
        out_text(j->out, "again", agains[f->again]);
}

static void put_frame(struct json *j, const struct event *e)
{
    const struct event_frame *f = &e->frame;
    bool sent = e->kind == EVENT_SENT;
    out_begin(j->out, "frame");
    out_text(j->out, "from", host_name(f->from));
    out_uint(j->out, "number", f->number);
    out_text(j->out, "host", host_name(e->host));
    out_text(j->out, "phase", sent ? "sent" : "received");
    out_text(j->out, "proto", proto_name(&f->frame));
    put_addr(j, "source", &f->frame.source);
    put_addr(j, "destination", &f->frame.destination);
    if (f->frame.kind == FRAME_TCP)
        put_tcp(j, f);
    if (f->frame.kind == FRAME_ICMP) {
        out_uint(j->out, "icmp_type", f->frame.icmp_type);
        out_uint(j->out, "icmp_code", f->frame.icmp_code);
    }
    out_uint(j->out, "len_bytes", f->frame.payload_len);
    out_uint(j->out, "frame_bytes", f->wire_len);
    out_uint(j->out, "t_ns", e->t_ns);
    if (sent)
        put_sent(j, f);
    else
        out_uint(j->out, "copy", f->copy);
    if (is_record(j)) {
        out_uint(j->out, "isn_client", f->isn[HOST_CLIENT]);
        out_uint(j->out, "isn_server", f->isn[HOST_SERVER]);
        out_bool(j->out, "isn_client_known", f->isn_known[HOST_CLIENT]);
        out_bool(j->out, "isn_server_known", f->isn_known[HOST_SERVER]);
        out_base64(j->out, "base64", f->bytes, f->len);
    }
    end_line(j);
}

/* RFC 9293 has no word for a socket that is not there but CLOSED. */
static const char *state_name(enum tcp_state s)
{
    return tcp_state_name(s == TCP_STATE_NONE ? TCP_STATE_CLOSED : s);
}

static void put_state(struct json *j, const struct event *e)
{
    out_begin(j->out, "state");
    out_text(j->out, "host", host_name(e->host));
    put_addr(j, "local", &e->state.local);
    put_addr(j, "peer", &e->state.peer);
    out_text(j->out, "from", state_name(e->state.from));
    out_text(j->out, "to", state_name(e->state.to));
    out_bool(j->out, "inferred", e->state.inferred);
    out_uint(j->out, "t_ns", e->t_ns);
    end_line(j);
}

static void put_output(struct json *j, const struct event *e)
{
    out_begin(j->out, "output");
    out_text(j->out, "host", host_name(e->host));
    out_int(j->out, "pid", e->pid);
    out_text(j->out, "stream", e->output.stream == 1 ? "stdout" : "stderr");
    out_text(j->out, "text", e->output.text);
    out_uint(j->out, "t_ns", e->t_ns);
    end_line(j);
}

static void put_exit(struct json *j, const struct event *e)
{
    bool killed = WIFSIGNALED(e->exit.status);
    out_begin(j->out, "exit");
    out_text(j->out, "host", host_name(e->host));
    out_int(j->out, "pid", e->pid);
    out_text(j->out, "command", e->exit.command);
    if (killed) {
        out_null(j->out, "exit_status");
        out_int(j->out, "signal", WTERMSIG(e->exit.status));
    } else {
        out_int(j->out, "exit_status", WEXITSTATUS(e->exit.status));
        out_null(j->out, "signal");
    }
    out_uint(j->out, "t_ns", e->t_ns);
    end_line(j);
}

static void put_remark(struct json *j, const struct event *e)
{
    out_begin(j->out, "remark");
    out_text(j->out, "host", host_name(e->host));
    out_text(j->out, "text", e->remark);
    out_uint(j->out, "t_ns", e->t_ns);
    end_line(j);
}

void json_event(const struct event *e, void *json)
{
    struct json *j = json;
    switch (e->kind) {
    case EVENT_CALL:
        if (!keep_waiting(j, e))
            put_call(j, e);
        break;
    case EVENT_SENT:
    case EVENT_RECEIVED:
        put_frame(j, e);
        break;
    case EVENT_STATE:
        put_state(j, e);
        break;
    case EVENT_OUTPUT:
        put_output(j, e);
        break;
    case EVENT_EXIT:
        put_exit(j, e);
        break;
    case EVENT_REMARK:
        put_remark(j, e);
        break;
    }
}

/* --- first and last line ------------------------------------------------- */

/* "KEY_by_client" and "KEY_by_server". */
static void put_both(struct json *j, const char *key, uint64_t client,
                     uint64_t server)
{
    char name[64];
    snprintf(name, sizeof name, "%s_by_client", key);
    out_uint(j->out, name, client);
    snprintf(name, sizeof name, "%s_by_server", key);
    out_uint(j->out, name, server);
}

static void put_link(struct json *j, const struct fault *f)
{
    const struct fault_link *c = &f->link[HOST_CLIENT];
    const struct fault_link *s = &f->link[HOST_SERVER];
    /* Shares: 1000 is 1 %, so ten times as many parts per million. */
    put_both(j, "delay_ns", c->delay_ns, s->delay_ns);
    put_both(j, "jitter_ns", c->jitter_ns, s->jitter_ns);
    put_both(j, "rate_bps", c->rate_bps, s->rate_bps);
    put_both(j, "queue_frames", c->queue, s->queue);
    put_both(j, "loss_ppm", 10ull * c->loss, 10ull * s->loss);
    put_both(j, "duplicate_ppm", 10ull * c->duplicate, 10ull * s->duplicate);
    put_both(j, "reorder_ppm", 10ull * c->reorder, 10ull * s->reorder);
    put_both(j, "corrupt_ppm", 10ull * c->corrupt, 10ull * s->corrupt);
}

void json_start(struct json *j, const struct lab_options *o, const char *kernel,
                int argc, char **argv)
{
    struct utsname ours;
    uname(&ours); /* cannot fail: the buffer is ours */
    out_begin(j->out, "start");
    out_text(j->out, "program", "wirelab");
    out_text(j->out, "version", WIRELAB_VERSION);
    out_list(j->out, "args", (const char *const *)argv + 1, (size_t)argc - 1);
    out_list(j->out, "clients", o->command[HOST_CLIENT],
             o->commands[HOST_CLIENT]);
    out_list(j->out, "servers", o->command[HOST_SERVER],
             o->commands[HOST_SERVER]);
    out_text(j->out, "kernel", kernel != NULL ? kernel : ours.release);
    out_text(j->out, "congestion_control", o->link.congestion);
    out_uint(j->out, "seed", o->fault->seed);
    out_uint(j->out, "mtu_bytes", o->link.mtu);
    out_bool(j->out, "ipv6", o->link.ipv6);
    put_link(j, o->fault);
    out_uint(j->out, "rules", o->fault->rules);
    out_bool(j->out, "calls", o->calls);
    out_bool(j->out, "wire", o->wire);
    out_bool(j->out, "states", o->states);
    out_uint(j->out, "limit_ns", o->limit_ns);
    out_uint(j->out, "real_ns", clock_real_ns());
    end_line(j);
}

int json_end(struct json *j, const struct lab_result *r, int status,
             struct err *e)
{
    for (size_t i = 0; i < WAITING; i++)
        if (j->waiting[i] != NULL) {
            put_call(j, j->waiting[i]);
            drop_waiting(j, i);
        }
    const struct wire_counts *c = &r->counts;
    out_begin(j->out, "end");
    put_both(j, "frames", c->sent[HOST_CLIENT], c->sent[HOST_SERVER]);
    put_both(j, "lost", c->lost[HOST_CLIENT], c->lost[HOST_SERVER]);
    put_both(j, "refused", c->refused[HOST_CLIENT], c->refused[HOST_SERVER]);
    put_both(j, "dropped", c->dropped[HOST_CLIENT], c->dropped[HOST_SERVER]);
    out_uint(j->out, "stops", r->stops);
    out_uint(j->out, "elapsed_ns", r->end_ns);
    out_bool(j->out, "rootless", r->rootless);
    out_bool(j->out, "partial", r->signal != 0 || r->early);
    out_int(j->out, "exit_status", status);
    end_line(j);
    int result = is_record(j) ? keep_close(&j->keep, e) : 0;
    free(j);
    return result;
}

void json_discard(struct json *j)
{
    if (j == NULL)
        return;
    keep_discard(&j->keep);
    for (size_t i = 0; i < WAITING; i++)
        event_discard(j->waiting[i]);
    free(j);
}
