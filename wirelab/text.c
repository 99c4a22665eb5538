/* SPDX-License-Identifier: MIT
 *
 * text: rows as lines: what stands in which column. See text.h for the
 * contract.
 * Read next: canvas.h, arrow.h.
 */
#include "text.h"

#include "arrow.h"
#include "canvas.h"
#include "lang.h"
#include "place.h"
#include "width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where things stand. The bars are the hosts; the wire lies between. */
struct layout {
    int width, clock, decimals;
    int left, left_width; /* the client's cell; its state at the right end */
    int bar, wire, wire_width, bar2;
    int right_state;        /* where a state of the server stands; -1: where
                               there is room in the cell */
    int right, right_width; /* the server's cell */
    int right_clock;
    bool full; /* all of a segment's header, states without brackets */
};

struct text {
    struct text_options o;
    struct layout at;
    struct canvas canvas;
};

void text_to_stream(const char *line, void *stream)
{
    fprintf(stream, "%s\n", line);
    fflush(stream);
}

/* 5 clock, 20 host, 24 wire, 20 host, 5 clock. */
static const struct layout narrow = {
    .width = 79,
    .clock = 5,
    .decimals = 1,
    .left = 6,
    .left_width = 20,
    .bar = 26,
    .wire = 27,
    .wire_width = 24,
    .bar2 = 51,
    .right_state = -1,
    .right = 53,
    .right_width = 20,
    .right_clock = 74,
};

/* 6 clock, 19 calls, 12 state, 32 wire, and back; half of what there is
 * beyond 110 goes to the wire, the rest to the calls. */
static struct layout wide(int columns)
{
    int more = columns - 110 < 60 ? columns - 110 : 60;
    int calls = 19 + more / 4, wire = 32 + more - 2 * (more / 4);
    struct layout at = {.clock = 6, .decimals = 2, .left = 7, .full = true};
    at.left_width = calls + 12;
    at.bar = at.left + at.left_width;
    at.wire = at.bar + 1;
    at.wire_width = wire;
    at.bar2 = at.wire + wire;
    at.right_state = at.bar2 + 1;
    at.right = at.right_state + 12;
    at.right_width = calls;
    at.right_clock = at.right + calls + 1;
    at.width = at.right_clock + at.clock;
    return at;
}

struct text *text_new(const struct text_options *options, canvas_line_fn *line,
                      void *context)
{
    struct text *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->o = *options;
    t->at = options->columns < 110 ? narrow : wide((int)options->columns);
    t->canvas = (struct canvas){.width = t->at.width,
                                .utf8 = options->utf8,
                                .colour = options->colour,
                                .line = line,
                                .context = context};
    return t;
}

void text_free(struct text *t)
{
    free(t);
}

static void bars(struct text *t)
{
    canvas_paint(&t->canvas, t->at.bar, "|", LOOK_DRAWN);
    canvas_paint(&t->canvas, t->at.bar2, "|", LOOK_DRAWN);
}

/* --- the wire ----------------------------------------------------------- */

/* Where the label stands in the drawing: it is not drawn. */
static void paint_wire(struct text *t, const char *drawing, const char *label,
                       enum look look)
{
    canvas_paint(&t->canvas, t->at.wire, drawing, LOOK_DRAWN);
    const char *found = label[0] != '\0' ? strstr(drawing, label) : NULL;
    if (found != NULL)
        canvas_paint(&t->canvas, t->at.wire + (int)(found - drawing), label,
                     look);
}

static void draw_wire(struct text *t, const struct row *row)
{
    char label[WORDS_TEXT], drawing[ARROW_TEXT];
    int width = t->at.wire_width;
    bool to_right = row->frame.from == HOST_CLIENT;
    bool is_lost = row->wire == WIRE_LOST;
    bool is_half = row->wire == WIRE_LEAVES || row->wire == WIRE_ARRIVES;
    size_t tail = 2, room = (size_t)width - 3; /* the head and a blank */
    if (is_half) {
        room -= tail; /* a gap must be seen */
        tail = 0;
    }
    words_label(&t->o.words, row, t->at.full, room, tail, label, sizeof label);
    char head = is_lost ? 'X' : to_right ? '>' : '<';
    switch (row->wire) {
    case WIRE_NONE:
        return;
    case WIRE_WHOLE:
    case WIRE_LOST:
        arrow_whole(drawing, width, label, head, to_right);
        break;
    case WIRE_LEAVES:
        arrow_half(drawing, width, label, true, to_right);
        break;
    case WIRE_ARRIVES:
        if (!row->labelled)
            label[0] = '\0';
        arrow_half(drawing, width, label, false, to_right);
        break;
    }
    paint_wire(t, drawing, label, LOOK_PLAIN);
    if (is_lost)
        canvas_paint(&t->canvas, t->at.wire + (to_right ? width - 1 : 0), "X",
                     LOOK_TROUBLE);
}

/* --- cells -------------------------------------------------------------- */

/* What a cell holds, as texts. */
struct cell_texts {
    char call[WORDS_TEXT], state[24], note[WORDS_TEXT];
    enum look note_look;
};

/* How many columns of a cell its call may take, besides its state. */
static size_t call_width(const struct text *t, enum host_id host,
                         const struct row_cell *cell)
{
    int width = host == HOST_CLIENT ? t->at.left_width : t->at.right_width;
    if (t->at.full && host == HOST_CLIENT && cell->has_state)
        width -= 12;
    return (size_t)width;
}

static void write_texts(const struct text *t, const struct row *row,
                        enum host_id host, struct cell_texts *c)
{
    const struct row_cell *cell = &row->cell[host];
    size_t tag = row->tag != 0 ? 2 : 0; /* "A " */
    *c = (struct cell_texts){.note_look = LOOK_TROUBLE};
    if (cell->has_call) {
        words_call(&t->o.words, &cell->call, cell->data, cell->part,
                   call_width(t, host, cell) - tag, c->call + tag,
                   sizeof c->call - tag);
        if (tag != 0)
            memcpy(c->call, (char[]){row->tag, ' '}, tag);
    }
    if (cell->has_state) {
        bool bare = t->at.full || cell->state == TCP_STATE_NONE;
        snprintf(c->state, sizeof c->state, bare ? "%s" : "[%s]",
                 _(tcp_state_name(cell->state)));
    }
    if (cell->note[0] != '\0') {
        snprintf(c->note, sizeof c->note, "%s", cell->note);
    } else if (t->at.full && cell->hint[0] != '\0') {
        snprintf(c->note, sizeof c->note, "%s", cell->hint);
        c->note_look = LOOK_ASIDE;
    }
}

/* Takes TEXT out of what is still to be painted. */
static void put(struct text *t, int column, char *text, enum look look)
{
    canvas_paint(&t->canvas, column, text, look);
    text[0] = '\0';
}

/* The client's cell: call at the left, state or note by the wire. What finds
 * no room stays in C, for a line of its own. */
static void paint_left(struct text *t, struct cell_texts *c)
{
    int left = t->at.left, end = left + t->at.left_width, used = left;
    int width = t->at.left_width;
    if (c->call[0] != '\0') {
        used = left + width_of(c->call) + 1;
        put(t, left, c->call, LOOK_PLAIN);
    }
    if (c->state[0] != '\0' && used + width_of(c->state) <= end) {
        end -= width_of(c->state);
        put(t, end, c->state, LOOK_STATE);
        end--;
    }
    if (c->note[0] == '\0')
        return;
    c->note[width_fit(c->note, width)] = '\0';
    if (used + width_of(c->note) <= end)
        put(t, end - width_of(c->note), c->note, c->note_look);
}

static void paint_right(struct text *t, struct cell_texts *c)
{
    int used = t->at.right, end = t->at.right + t->at.right_width;
    if (c->call[0] != '\0') {
        used += width_of(c->call) + 1;
        put(t, t->at.right, c->call, LOOK_PLAIN);
    }
    if (c->state[0] != '\0' && t->at.right_state >= 0) {
        put(t, t->at.right_state, c->state, LOOK_STATE);
    } else if (c->state[0] != '\0' && used + width_of(c->state) <= end) {
        bool behind = used > t->at.right;
        int column = behind ? end - width_of(c->state) : used;
        used += width_of(c->state) + 1;
        if (behind)
            end = column - 1;
        put(t, column, c->state, LOOK_STATE);
    }
    if (c->note[0] == '\0')
        return;
    c->note[width_fit(c->note, t->at.right_width)] = '\0';
    if (used + width_of(c->note) <= end)
        put(t, used, c->note, c->note_look);
}

static bool is_empty(const struct cell_texts *c)
{
    return c->call[0] == '\0' && c->state[0] == '\0' && c->note[0] == '\0';
}

static void paint_clock(struct text *t, const struct row_cell *cell, int column)
{
    char clock[16];
    if (cell->timed)
        canvas_paint(&t->canvas, column,
                     words_time(cell->t_ns, t->at.clock, t->at.decimals, clock,
                                sizeof clock),
                     LOOK_PLAIN);
}

static void explain(struct text *t, const struct row *row)
{
    for (int h = 0; h < HOST_COUNT; h++) {
        const struct row_cell *cell = &row->cell[h];
        char words[WORDS_TEXT];
        if (!cell->has_call)
            continue;
        snprintf(words, sizeof words, "(%s)", _(call_explain(&cell->call)));
        int column = t->at.left;
        if (h == HOST_SERVER)
            column = t->at.right + t->at.right_width - width_of(words);
        canvas_clear(&t->canvas);
        canvas_paint(&t->canvas, column < t->at.left ? t->at.left : column,
                     words, LOOK_ASIDE);
        canvas_flush(&t->canvas);
    }
}

static void event_row(struct text *t, const struct row *row)
{
    struct cell_texts left, right;
    write_texts(t, row, HOST_CLIENT, &left);
    write_texts(t, row, HOST_SERVER, &right);
    canvas_clear(&t->canvas);
    bars(t);
    draw_wire(t, row);
    paint_clock(t, &row->cell[HOST_CLIENT], 0);
    paint_clock(t, &row->cell[HOST_SERVER], t->at.right_clock);
    for (;;) {
        paint_left(t, &left);
        paint_right(t, &right);
        canvas_flush(&t->canvas);
        if (is_empty(&left) && is_empty(&right))
            break;
        canvas_clear(&t->canvas);
        bars(t);
    }
    if (t->o.explain)
        explain(t, row);
}

/* --- lines of words ----------------------------------------------------- */

/* WORDS from COLUMN on, in as many lines as they need. */
static void wrap(struct text *t, int column, const char *words, enum look look)
{
    while (*words != '\0') {
        char part[ROW_TEXT];
        int n = place_line(words, t->at.width - column);
        snprintf(part, sizeof part, "%.*s", n, words);
        canvas_clear(&t->canvas);
        canvas_paint(&t->canvas, column, part, look);
        canvas_flush(&t->canvas);
        words = place_next(words, n);
    }
}

static void title_row(struct text *t, const char *words)
{
    canvas_clear(&t->canvas);
    for (int column = 0; column < t->at.width; column++)
        canvas_paint(&t->canvas, column, "-", LOOK_DRAWN);
    canvas_paint(&t->canvas, 2, " ", LOOK_PLAIN);
    canvas_paint(&t->canvas, 3, words, LOOK_TITLE);
    canvas_paint(&t->canvas, 3 + width_of(words), " ", LOOK_PLAIN);
    canvas_flush(&t->canvas);
}

static void fold_row(struct text *t, uint64_t count)
{
    char words[96];
    snprintf(words, sizeof words, _("  ... %llu like these"),
             (unsigned long long)count);
    canvas_clear(&t->canvas);
    bars(t);
    canvas_paint(&t->canvas, t->at.wire + 1, words, LOOK_PLAIN);
    canvas_flush(&t->canvas);
}

/* A program's line stands in its host's cell; one that is too long lies over
 * the wire, with the server's name if it is the server's. */
static void output_row(struct text *t, const struct row *row)
{
    const struct layout *at = &t->at;
    bool is_right = row->host == HOST_SERVER;
    bool fits =
        width_of(row->text) <= (is_right ? at->right_width : at->left_width);
    char named[ROW_TEXT + 16], part[ROW_TEXT];
    snprintf(named, sizeof named, "%s%s", is_right && !fits ? "server " : "",
             row->text);
    canvas_clear(&t->canvas);
    paint_clock(t, &row->cell[row->host], is_right ? at->right_clock : 0);
    if (fits)
        bars(t);
    int column = is_right && fits ? at->right : at->left;
    for (const char *words = named; *words != '\0';) {
        int room = at->right + at->right_width - column;
        int n = place_line(words, room);
        snprintf(part, sizeof part, "%.*s", n, words);
        canvas_paint(&t->canvas, column, part, LOOK_PLAIN);
        canvas_flush(&t->canvas);
        canvas_clear(&t->canvas);
        words = place_next(words, n);
        column = at->left + 2; /* what goes on is indented */
    }
}

void text_row(const struct row *row, void *text)
{
    struct text *t = text;
    switch (row->kind) {
    case ROW_EVENT:
        event_row(t, row);
        break;
    case ROW_TITLE:
        title_row(t, row->text);
        break;
    case ROW_FOLD:
        fold_row(t, row->count);
        break;
    case ROW_OUTPUT:
        output_row(t, row);
        break;
    case ROW_REMARK:
        wrap(t, t->at.left, row->text, LOOK_ASIDE);
        break;
    case ROW_TOTAL:
        wrap(t, 0, row->text, LOOK_PLAIN);
        break;
    }
}

/* --- the head ----------------------------------------------------------- */

void text_legend(struct text *t)
{
    wrap(t, 0,
         _("Read down: each side has its own calls, its clock (ms) and its "
           "[STATE]."),
         LOOK_PLAIN);
}

void text_head(struct text *t)
{
    const struct layout *at = &t->at;
    char buf[ADDR_TEXT + 16];
    const char *calls = _("calls"), *state = _("state");
    canvas_clear(&t->canvas);
    bars(t);
    canvas_paint(&t->canvas, at->clock - 2, "ms", LOOK_PLAIN);
    canvas_paint(&t->canvas, at->right_clock + at->clock - 2, "ms", LOOK_PLAIN);
    if (at->full) {
        canvas_paint(&t->canvas, at->left, calls, LOOK_PLAIN);
        canvas_paint(&t->canvas, at->bar - width_of(state), state, LOOK_PLAIN);
        canvas_paint(&t->canvas, at->right_state, state, LOOK_PLAIN);
        canvas_paint(&t->canvas, at->right, calls, LOOK_PLAIN);
    } else {
        canvas_paint(&t->canvas, at->left,
                     words_host(&t->o.words, HOST_CLIENT, buf, sizeof buf),
                     LOOK_PLAIN);
        canvas_paint(&t->canvas, at->right,
                     words_host(&t->o.words, HOST_SERVER, buf, sizeof buf),
                     LOOK_PLAIN);
    }
    if (t->o.wire != NULL)
        snprintf(buf, sizeof buf, _("wire, %s"), t->o.wire);
    else
        snprintf(buf, sizeof buf, "%s", _("wire"));
    canvas_paint(&t->canvas, at->wire + (at->full ? 3 : 1), buf, LOOK_PLAIN);
    canvas_flush(&t->canvas);
}
