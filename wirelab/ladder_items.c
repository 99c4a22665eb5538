/* SPDX-License-Identifier: MIT
 *
 * ladder_items: the queues, and the events that are only words. See
 * ladder_items.h.
 * Read next: ladder_calls.c, ladder_frames.c.
 */
#include "ladder_items.h"

#include "lang.h"
#include "local.h"
#include "out.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct item *item_add(struct ladder *l, enum host_id host, uint64_t t_ns,
                      uint64_t ready_ns)
{
    struct item *i = calloc(1, sizeof *i);
    if (i == NULL) {
        l->out_of_memory = true;
        return NULL;
    }
    i->host = host;
    i->t_ns = t_ns;
    i->ready_ns = ready_ns + SETTLE_NS;
    i->row.cell[host].timed = l->has_zero && t_ns >= l->zero_ns;
    i->row.cell[host].t_ns = t_ns - l->zero_ns;
    *l->queue[host].last = i;
    l->queue[host].last = &i->next;
    return i;
}

void item_remove(struct ladder *l, struct item *gone)
{
    struct item_queue *q = &l->queue[gone->host];
    struct item **at = &q->first;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    if (q->last == &gone->next)
        q->last = at;
    free(gone);
}

struct row_cell *item_cell(struct item *i)
{
    return &i->row.cell[i->host];
}

static void take_output(struct ladder *l, const struct event *e)
{
    bool is_error = e->output.stream == 2;
    if (!is_error && (l->options.lanes & LANE_OUTPUT) == 0)
        return;
    struct item *i = item_add(l, e->host, e->t_ns, e->t_ns);
    if (i == NULL)
        return;
    i->row.kind = ROW_OUTPUT;
    i->row.host = e->host;
    i->row.text[0] = is_error ? '!' : '>';
    i->row.text[1] = ' ';
    out_printable(e->output.text, i->row.text + 2, sizeof i->row.text - 2);
}

void item_remark(struct item *i, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(i->remark, sizeof i->remark, _(format), ap);
    va_end(ap);
}

/* A program that ended well needs no row, nor a server that the lab asked to
 * end when the clients had. */
static void take_exit(struct ladder *l, const struct event *e)
{
    int status = e->exit.status;
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL)
        signal = SIGKILL; /* as a shell tells it of its child */
    bool is_asked = e->host == HOST_SERVER && l->clients_ended;
    l->clients_ended |= e->host == HOST_CLIENT;
    if (status == 0 || (signal == SIGTERM && is_asked))
        return;
    struct item *i = item_add(l, e->host, e->t_ns, e->t_ns);
    if (i == NULL)
        return;
    char *note = item_cell(i)->note;
    if (signal != 0)
        snprintf(note, ROW_NOTE, _("killed (%d)"), signal);
    else
        snprintf(note, ROW_NOTE, _("exit status %d"), WEXITSTATUS(status));
    if (signal == SIGKILL)
        item_remark(i, N_("The process sends nothing. Its kernel closes its "
                          "sockets: FIN, or RST if data was unread."));
}

static void take_remark(struct ladder *l, const struct event *e)
{
    struct item *i = item_add(l, e->host, e->t_ns, e->t_ns);
    if (i == NULL)
        return;
    char text[ROW_TEXT];
    i->row.kind = ROW_REMARK;
    if (!local_retell(e->remark, text, sizeof text))
        snprintf(text, sizeof text, "%s", _(e->remark));
    out_printable(text, i->row.text, sizeof i->row.text);
}

void items_take(struct ladder *l, const struct event *e)
{
    bool has_row = e->kind == EVENT_CALL || e->kind == EVENT_SENT;
    if (!l->has_zero && has_row &&
        (e->host == HOST_CLIENT || e->kind == EVENT_SENT)) {
        l->has_zero = true;
        l->zero_ns = e->t_ns;
    }
    switch (e->kind) {
    case EVENT_CALL:
        items_call(l, e);
        break;
    case EVENT_SENT:
        items_sent(l, e);
        break;
    case EVENT_RECEIVED:
        items_received(l, e);
        break;
    case EVENT_STATE:
        items_state(l, e);
        break;
    case EVENT_OUTPUT:
        take_output(l, e);
        break;
    case EVENT_EXIT:
        take_exit(l, e);
        break;
    case EVENT_REMARK:
        take_remark(l, e);
        break;
    }
}
