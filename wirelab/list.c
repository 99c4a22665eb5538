/* SPDX-License-Identifier: MIT
 *
 * list: the rows as sentences. See list.h for the contract.
 */
#include "list.h"

#include "talk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIST_LINE 512

/* "20.3 ms, server: " and a sentence. Before the client began there is no
 * time to tell. */
__attribute__((format(printf, 4, 5))) static void say(struct list *l,
                                                      const struct row *row,
                                                      enum host_id host,
                                                      const char *format, ...)
{
    char line[LIST_LINE], when[24] = "", tag[16] = "";
    const struct row_cell *cell = &row->cell[host];
    if (cell->timed)
        snprintf(when, sizeof when, "%.1f ms, ", (double)cell->t_ns / 1e6);
    if (row->tag != 0)
        snprintf(tag, sizeof tag, " in %c", row->tag);
    int n = snprintf(line, sizeof line, "%s%s%s: ", when, host_name(host), tag);
    va_list ap;
    va_start(ap, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, ap);
    va_end(ap);
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
        snprintf(why, sizeof why, " (%s)", call_explain(&c));
    if (cell->part == PART_BEGIN)
        say(l, row, host, "calls %s(%s) and waits%s", call_name(&c),
            call_args(&c, text, sizeof text), why);
    else
        say(l, row, host, "%s%s%s",
            cell->part == PART_RETURN ? "has waited: " : "",
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
        say(l, row, host, "sends %s; %s", label,
            row->cell[talk_other(host)].note);
    else
        say(l, row, host, "%s %s", is_sender ? "sends" : "receives", label);
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
        say(l, row, host, "the state is now %s", tcp_state_name(cell->state));
}

void list_row(const struct row *row, void *list)
{
    struct list *l = list;
    char line[48];
    bool from_server = row->wire != WIRE_NONE && row->frame.from == HOST_SERVER;
    switch (row->kind) {
    case ROW_EVENT:
        say_host(l, row, from_server ? HOST_SERVER : HOST_CLIENT);
        say_host(l, row, from_server ? HOST_CLIENT : HOST_SERVER);
        break;
    case ROW_OUTPUT:
        say(l, row, row->host, "prints%s: %s",
            row->text[0] == '!' ? " an error" : "", row->text + 2);
        break;
    case ROW_FOLD:
        snprintf(line, sizeof line, "%" PRIu64 " more like these", row->count);
        l->line(line, l->context);
        break;
    case ROW_TITLE:
    case ROW_REMARK:
    case ROW_TOTAL:
        l->line(row->text, l->context);
        break;
    }
}
