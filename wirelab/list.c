/* SPDX-License-Identifier: MIT
 *
 * list: the rows as sentences. See list.h for the contract.
 */
#include "list.h"

#include "lang.h"
#include "talk.h"
#include "width.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIST_LINE 512

/* "20.3 ms, server in A: ". Before the client began there is no time to tell.
 */
static int say_when(char *buf, size_t cap, const struct row *row,
                    enum host_id host)
{
    const struct row_cell *cell = &row->cell[host];
    const char *who = _(host_name(host));
    double ms = (double)cell->t_ns / 1e6;
    if (cell->timed && row->tag != 0)
        return snprintf(buf, cap, _("%.1f ms, %s in %c: "), ms, who, row->tag);
    if (cell->timed)
        return snprintf(buf, cap, _("%.1f ms, %s: "), ms, who);
    if (row->tag != 0)
        return snprintf(buf, cap, _("%s in %c: "), who, row->tag);
    /* lang: who, and what follows; the colon is the language's own */
    return snprintf(buf, cap, _("%s: "), who);
}

/* When, who, and a sentence. */
__attribute__((format(printf, 4, 5))) static void say(struct list *l,
                                                      const struct row *row,
                                                      enum host_id host,
                                                      const char *format, ...)
{
    char line[LIST_LINE];
    int n = say_when(line, sizeof line, row, host);
    va_list ap;
    va_start(ap, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, ap);
    va_end(ap);
    width_mend(line);
    l->line(line, l->context);
}

static void say_call(struct list *l, const struct row *row, enum host_id host)
{
    const struct row_cell *cell = &row->cell[host];
    char text[CALL_TEXT], why[CALL_TEXT] = "";
    struct call c = cell->call;
    if (!cell->has_call)
        return;
    c.data = c.data_len > 0 ? cell->data : NULL;
    if (l->explain)
        snprintf(why, sizeof why, " (%s)", _(call_explain(&c)));
    if (cell->part == PART_BEGIN)
        say(l, row, host, _("calls %s(%s) and waits%s"), call_name(&c),
            call_args(&c, text, sizeof text), why);
    else
        say(l, row, host,
            cell->part == PART_RETURN ? _("has waited: %s%s") : "%s%s",
            call_format(&c, text, sizeof text), why);
}

static void say_frame(struct list *l, const struct row *row, enum host_id host)
{
    struct row untagged = *row;
    char label[WORDS_TEXT];
    bool is_sender = row->frame.from == host;
    bool leaves = row->wire != WIRE_NONE && row->wire != WIRE_ARRIVES;
    bool lands = row->wire == WIRE_WHOLE || row->wire == WIRE_ARRIVES;
    if (is_sender ? !leaves : !lands)
        return;
    untagged.tag = 0; /* the sentence has it already */
    words_label(&l->words, &untagged, false, sizeof label - 1, 0, label,
                sizeof label);
    if (row->wire == WIRE_LOST)
        say(l, row, host, _("sends %s; %s"), label,
            row->cell[talk_other(host)].note);
    else
        say(l, row, host, is_sender ? _("sends %s") : _("receives %s"), label);
}

static void say_host(struct list *l, const struct row *row, enum host_id host)
{
    const struct row_cell *cell = &row->cell[host];
    bool told = row->wire == WIRE_LOST && row->frame.from != host;
    say_call(l, row, host);
    say_frame(l, row, host);
    if (cell->note[0] != '\0' && !told)
        say(l, row, host, "%s", cell->note);
    if (cell->has_state)
        say(l, row, host, _("the state is now %s"),
            _(tcp_state_name(cell->state)));
}

void list_row(const struct row *row, void *list)
{
    struct list *l = list;
    char line[96];
    bool from_server = row->wire != WIRE_NONE && row->frame.from == HOST_SERVER;
    switch (row->kind) {
    case ROW_EVENT:
        say_host(l, row, from_server ? HOST_SERVER : HOST_CLIENT);
        say_host(l, row, from_server ? HOST_CLIENT : HOST_SERVER);
        break;
    case ROW_OUTPUT:
        say(l, row, row->host,
            row->text[0] == '!' ? _("prints an error: %s") : _("prints: %s"),
            row->text + 2);
        break;
    case ROW_FOLD:
        snprintf(line, sizeof line, _("%llu more like these"),
                 (unsigned long long)row->count);
        l->line(line, l->context);
        break;
    case ROW_TITLE:
    case ROW_REMARK:
    case ROW_TOTAL:
        l->line(row->text, l->context);
        break;
    }
}
