/* SPDX-License-Identifier: MIT
 *
 * pattern_describe: an event in the words of a pattern, so that what was seen
 * reads like what was expected.
 */
#include "pattern.h"

#include "out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* Text that is put together; what does not fit is cut. */
struct text {
    char *buf;
    size_t cap, used;
};

static void add(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(t->buf + t->used, t->cap - t->used, format, ap);
    va_end(ap);
    if (n > 0)
        t->used +=
            (size_t)n < t->cap - t->used ? (size_t)n : t->cap - t->used - 1;
}

static void add_relative(struct text *t, const char *what, char letter,
                         const struct event_frame *f, enum host_id side,
                         uint32_t number)
{
    if (!f->isn_known[side])
        return;
    uint32_t n = number - f->isn[side];
    add(t, n == 0 ? " %s=%c" : " %s=%c+%" PRIu32, what, letter, n);
}

static void add_tcp(struct text *t, const struct event_frame *f)
{
    enum host_id other = f->from == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
    struct frame shown = f->frame;
    char flags[40];
    shown.flags &= (uint8_t)~TCP_PSH;
    bool is_plain = shown.flags == TCP_ACK && shown.payload_len > 0;
    if (!is_plain)
        add(t, " %s", frame_flags(&shown, '+', flags, sizeof flags));
    if (shown.flags == TCP_SYN) /* a lab may expect a student's own port */
        add(t, " to %u", addr_port(&shown.destination));
    if (shown.payload_len > 0)
        add(t, " %zu B", shown.payload_len);
    add_relative(t, "seq", f->from == HOST_CLIENT ? 'x' : 'y', f, f->from,
                 shown.seq);
    if ((shown.flags & TCP_ACK) != 0)
        add_relative(t, "ack", f->from == HOST_CLIENT ? 'y' : 'x', f, other,
                     shown.ack);
}

static void describe_frame(struct text *t, const struct event *e)
{
    static const char *const fates[] = {
        [FATE_DELIVERED] = "",
        [FATE_LOST] = " lost",
        [FATE_DUPLICATED] = " duplicated",
        [FATE_CORRUPTED] = " corrupted",
    };
    const struct event_frame *f = &e->frame;
    char name[40];
    add(t, "%s", host_name(f->from));
    if (f->frame.kind == FRAME_TCP)
        add_tcp(t, f);
    else if (f->frame.kind == FRAME_UDP)
        add(t, " UDP %zu B to %u", f->frame.payload_len,
            addr_port(&f->frame.destination));
    else if (f->frame.kind == FRAME_ICMP)
        add(t, " ICMP %s", frame_icmp_name(&f->frame, name, sizeof name));
    else
        add(t, " frame");
    if (e->kind == EVENT_RECEIVED) {
        add(t, " received%s", f->copy > 0 ? " copy" : "");
        return;
    }
    if (f->again != AGAIN_NO)
        add(t, " again");
    add(t, "%s", fates[f->fate]);
    if (f->by[0] != '\0')
        add(t, " by %s", f->by);
}

static void describe_call(struct text *t, const struct event *e)
{
    const struct call *c = &e->call;
    char shown[CALL_DATA * 4 + 4];
    add(t, "%s %s", host_name(e->host), call_name(c));
    if (!c->returned) {
        add(t, "...");
        return;
    }
    if (c->error != 0)
        add(t, " = %s", call_errno_name(c->error));
    else
        add(t, " = %ld", c->result);
    size_t len = c->data_len < CALL_DATA ? c->data_len : CALL_DATA;
    if (c->data != NULL && len > 0)
        add(t, " \"%s\"", out_escape(c->data, len, "", shown, sizeof shown));
}

static void describe_exit(struct text *t, const struct event *e)
{
    int status = e->exit.status;
    if (WIFSIGNALED(status))
        add(t, "%s killed %d", host_name(e->host), WTERMSIG(status));
    else
        add(t, "%s exit %d", host_name(e->host), WEXITSTATUS(status));
}

static void describe_text(struct text *t, const struct event *e,
                          const char *what, const char *said)
{
    char shown[PATTERN_TEXT];
    add(t, "%s %s \"%s\"", host_name(e->host), what,
        out_escape(said, strlen(said), "", shown, sizeof shown));
}

const char *pattern_describe(const struct event *e, char *buf, size_t cap)
{
    struct text t = {buf, cap, 0};
    buf[0] = '\0';
    switch (e->kind) {
    case EVENT_SENT:
    case EVENT_RECEIVED:
        describe_frame(&t, e);
        break;
    case EVENT_STATE:
        add(&t, "%s %s", host_name(e->host),
            tcp_state_name(e->state.to == TCP_STATE_NONE ? TCP_STATE_CLOSED
                                                         : e->state.to));
        break;
    case EVENT_CALL:
        describe_call(&t, e);
        break;
    case EVENT_OUTPUT:
        describe_text(&t, e, "output", e->output.text);
        break;
    case EVENT_EXIT:
        describe_exit(&t, e);
        break;
    case EVENT_REMARK:
        describe_text(&t, e, "remark", e->remark);
        break;
    }
    return buf;
}
