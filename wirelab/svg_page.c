/* SPDX-License-Identifier: MIT
 *
 * svg_page: one picture on a slide. See svg_page.h for the contract.
 * Read next: svg_ink.h.
 */
#include "svg_page.h"

#include "lang.h"
#include "list.h"
#include "place.h"
#include "svg_ink.h"
#include "width.h"

#include <string.h>

/* From the left, in characters: a clock, calls, states, the wire, and back. */
enum {
    MARGIN = 1,
    CLOCK = 7,
    CALLS = 24,
    STATES = 14,
    WIRE = 30,
    AT_CLOCK = MARGIN + CLOCK, /* clocks end here */
    AT_CALLS = AT_CLOCK + 1,
    AT_BAR = AT_CALLS + CALLS + STATES,
    AT_BAR2 = AT_BAR + WIRE,
    AT_CALLS2 = AT_BAR2 + STATES,
    AT_CLOCK2 = AT_CALLS2 + CALLS + 1 + CLOCK,
    WIDTH = AT_CLOCK2 + MARGIN,
    SENTENCE = WIDTH - AT_CALLS - MARGIN, /* columns of one that spans all */
};

/* From above, in units of the page. */
enum {
    LINE = 31,   /* of words */
    ARROW = 46,  /* a row with an arrow: words, and the line under them */
    TITLE = 50,  /* a band with room around it */
    BASE = 24,   /* from a row's upper edge to its words' base line */
    LEAVES = 32, /* and to where its arrow begins */
    LANDS = 39,  /* and ends: time goes down the page */
    GAP = 8,     /* between a bar and what stands beside it */
};

static double column(int columns)
{
    return columns * INK_CHAR;
}

double page_width(void)
{
    return column(WIDTH);
}

static double bar_of(enum host_id host)
{
    return column(host == HOST_CLIENT ? AT_BAR : AT_BAR2);
}

static size_t lines_of(const char *words, int room)
{
    size_t lines = 0;
    for (; *words != '\0'; lines++)
        words = place_next(words, place_line(words, room));
    return lines;
}

/* --- cells --------------------------------------------------------------- */

enum note_place {
    NOTE_NONE,
    NOTE_BY_WIRE, /* where a state would stand, and on */
    NOTE_IN_LANE, /* where a call would stand */
    NOTE_BELOW,   /* on a line of its own */
};

static enum note_place place_note(const struct row_cell *c, const char *words)
{
    int len = width_of(words);
    if (len == 0)
        return NOTE_NONE;
    if (!c->has_state && len < (c->has_call ? STATES : STATES + CALLS))
        return NOTE_BY_WIRE;
    if (!c->has_call && len < CALLS)
        return NOTE_IN_LANE;
    return NOTE_BELOW;
}

static bool has_line_below(const struct row *row)
{
    for (int h = 0; h < HOST_COUNT; h++)
        if (place_note(&row->cell[h], row->cell[h].note) == NOTE_BELOW)
            return true;
    return false;
}

static unsigned calls_in(const struct row *row)
{
    return row->cell[HOST_CLIENT].has_call + row->cell[HOST_SERVER].has_call;
}

static void draw_note(FILE *to, enum host_id host, enum note_place place,
                      double y, const char *words, enum look look)
{
    bool left = host == HOST_CLIENT;
    double lane = place == NOTE_IN_LANE ? column(STATES) : GAP;
    double x = left ? bar_of(host) - lane : bar_of(host) + lane;
    if (place == NOTE_NONE)
        return;
    ink_words(to, x, place == NOTE_BELOW ? y + LINE : y,
              left ? INK_END : INK_START, words, look);
}

static void draw_state(FILE *to, enum host_id host, double y,
                       enum tcp_state state)
{
    bool left = host == HOST_CLIENT;
    double x = left ? bar_of(host) - GAP : bar_of(host) + GAP;
    enum ink_anchor anchor = left ? INK_END : INK_START;
    if (state == TCP_STATE_NONE)
        ink_words(to, x, y, anchor, _(tcp_state_name(state)), LOOK_PLAIN);
    else
        ink_boxed(to, x, y, anchor, _(tcp_state_name(state)), LOOK_STATE);
}

static void draw_cell(const struct page *p, FILE *to, const struct row *row,
                      enum host_id host, double y)
{
    const struct row_cell *c = &row->cell[host];
    char words[WORDS_TEXT];
    bool left = host == HOST_CLIENT;
    size_t tag = row->tag != 0 ? 2 : 0; /* "A " */
    if (c->timed)
        ink_words(to, column(left ? AT_CLOCK : AT_CLOCK2), y, INK_END,
                  words_time(c->t_ns, CLOCK, 1, words, sizeof words),
                  LOOK_PLAIN);
    if (c->has_call) {
        words_call(&p->about.words, &c->call, c->data, c->part, CALLS - 1 - tag,
                   words + tag, sizeof words - tag);
        if (tag != 0)
            memcpy(words, (char[]){row->tag, ' '}, tag);
        ink_words(to, column(left ? AT_CALLS : AT_CALLS2), y, INK_START, words,
                  LOOK_PLAIN);
    }
    if (c->has_state)
        draw_state(to, host, y, c->state);
    if (c->note[0] != '\0')
        draw_note(to, host, place_note(c, c->note), y, c->note, LOOK_TROUBLE);
    else if (place_note(c, c->hint) != NOTE_BELOW)
        draw_note(to, host, place_note(c, c->hint), y, c->hint, LOOK_ASIDE);
}

/* Why each call of the row is made, under it. */
static void draw_reasons(FILE *to, const struct row *row, double y)
{
    for (int h = 0; h < HOST_COUNT; h++) {
        const struct row_cell *c = &row->cell[h];
        char words[WORDS_TEXT];
        if (!c->has_call)
            continue;
        snprintf(words, sizeof words, "(%s)", _(call_explain(&c->call)));
        if (h == HOST_CLIENT)
            ink_words_over(to, column(AT_CALLS), y, INK_START, words,
                           LOOK_ASIDE);
        else
            ink_words_over(to, column(AT_CALLS2 + CALLS), y, INK_END, words,
                           LOOK_ASIDE);
        y += LINE;
    }
}

/* --- the wire ------------------------------------------------------------ */

static bool is_of_frame(const struct row *row, const struct row *of)
{
    return row->kind == ROW_EVENT && row->wire != WIRE_NONE &&
           row->frame.from == of->frame.from &&
           row->frame.number == of->frame.number;
}

/* The row from which the frame left that arrives in row I; or I. */
static size_t departure(const struct page *p, size_t i)
{
    for (size_t j = i; j-- > 0;)
        if (is_of_frame(&p->row[j], &p->row[i]))
            return j;
    return i;
}

/* Does a later row show where the frame of row I arrives? */
static bool is_seen_to_arrive(const struct page *p, size_t i)
{
    for (size_t j = i + 1; j < p->rows; j++)
        if (is_of_frame(&p->row[j], &p->row[i]) &&
            p->row[j].wire == WIRE_ARRIVES)
            return true;
    return false;
}

/* A frame whose two ends have rows of their own is one line across all the
 * rows between, if both are on the page. */
static void draw_arrow(const struct page *p, FILE *to, size_t i)
{
    const struct row *row = &p->row[i];
    enum host_id from = row->frame.from;
    double x1 = bar_of(from), x2 = bar_of(HOST_COUNT - 1 - from);
    double y1 = p->y[i] + LEAVES, y2 = p->y[i] + LANDS;
    double broken = x1 + (x2 - x1) * 0.88;
    size_t left = departure(p, i);
    switch (row->wire) {
    case WIRE_NONE:
        break;
    case WIRE_WHOLE:
        ink_arrow(to, x1, y1, x2, y2, false, INK_HEAD);
        break;
    case WIRE_LOST:
        ink_arrow(to, x1, y1, broken, y2, false, INK_PLAIN);
        ink_cross(to, broken, y2);
        break;
    case WIRE_LEAVES:
        if (!is_seen_to_arrive(p, i))
            ink_arrow(to, x1, y1, (x1 + x2) / 2, y2, true, INK_PLAIN);
        break;
    case WIRE_ARRIVES:
        if (left != i)
            ink_arrow(to, x1, p->y[left] + LEAVES, x2, y2, true, INK_HEAD);
        else
            ink_arrow(to, (x1 + x2) / 2, y1, x2, y2, true, INK_HEAD);
        break;
    }
}

/* On its arrow; of one that crosses others, where it leaves. */
static void draw_label(const struct page *p, FILE *to, size_t i, double y)
{
    const struct row *row = &p->row[i];
    char words[WORDS_TEXT];
    bool to_right = row->frame.from == HOST_CLIENT;
    bool arrives = row->wire == WIRE_ARRIVES;
    if (row->wire == WIRE_NONE || (arrives && departure(p, i) != i))
        return;
    words_label(&p->about.words, row, false, WIRE - 2, 0, words, sizeof words);
    if (row->wire == WIRE_WHOLE || row->wire == WIRE_LOST)
        ink_words_over(to, column(AT_BAR) + column(WIRE) / 2, y, INK_MIDDLE,
                       words, LOOK_PLAIN);
    else if (to_right != arrives)
        ink_words_over(to, column(AT_BAR) + GAP, y, INK_START, words,
                       LOOK_PLAIN);
    else
        ink_words_over(to, column(AT_BAR2) - GAP, y, INK_END, words,
                       LOOK_PLAIN);
}

/* --- rows of words ------------------------------------------------------- */

/* In as many lines as they need; returns the base line after the last. */
static double draw_lines(FILE *to, int at, double y, const char *words,
                         int room, enum look look)
{
    while (*words != '\0') {
        char line[ROW_TEXT];
        int n = place_line(words, room);
        snprintf(line, sizeof line, "%.*s", n, words);
        ink_words_over(to, column(at), y, INK_START, line, look);
        words = place_next(words, n);
        y += LINE;
    }
    return y;
}

/* Where a program's line stands: in its host's cells if it fits there. */
static void draw_output(FILE *to, const struct row *row, double y)
{
    bool right = row->host == HOST_SERVER;
    const struct row_cell *c = &row->cell[row->host];
    char words[ROW_TEXT + 16];
    bool fits = width_of(row->text) < CALLS + STATES;
    if (c->timed)
        ink_words(to, column(right ? AT_CLOCK2 : AT_CLOCK), y, INK_END,
                  words_time(c->t_ns, CLOCK, 1, words, sizeof words),
                  LOOK_PLAIN);
    snprintf(words, sizeof words, "%s%s", right && !fits ? "server " : "",
             row->text);
    draw_lines(to, right && fits ? AT_BAR2 + 1 : AT_CALLS, y, words,
               SENTENCE - CLOCK, LOOK_PLAIN);
}

/* FORMAT says how many of what. */
static void draw_count(FILE *to, double y, uint64_t count, const char *format)
{
    char words[160];
    snprintf(words, sizeof words, format, (unsigned long long)count);
    ink_words_over(to, column(AT_BAR) + column(WIRE) / 2, y, INK_MIDDLE, words,
                   LOOK_ASIDE);
}

static void draw_words(const struct page *p, FILE *to, size_t i)
{
    const struct row *row = &p->row[i];
    double y = p->y[i] + BASE;
    switch (row->kind) {
    case ROW_EVENT:
        draw_cell(p, to, row, HOST_CLIENT, y);
        draw_cell(p, to, row, HOST_SERVER, y);
        draw_label(p, to, i, y);
        if (p->about.explain)
            draw_reasons(to, row,
                         p->y[i] + BASE +
                             (row->wire != WIRE_NONE ? ARROW - LINE : 0) +
                             (has_line_below(row) ? 2 * LINE : LINE));
        break;
    case ROW_TITLE:
        ink_words(to, column(MARGIN + 1), y + GAP + 1, INK_START, row->text,
                  LOOK_TITLE);
        break;
    case ROW_FOLD:
        draw_count(to, y, row->count, _("... %llu like these"));
        break;
    case ROW_OUTPUT:
        draw_output(to, row, y);
        break;
    case ROW_REMARK:
        draw_lines(to, AT_CALLS, y, row->text, SENTENCE, LOOK_ASIDE);
        break;
    case ROW_TOTAL:
        break;
    }
}

/* --- the page ------------------------------------------------------------ */

static double height_of(const struct page *p, const struct row *row)
{
    double height = LINE;
    switch (row->kind) {
    case ROW_EVENT:
        height = row->wire != WIRE_NONE ? ARROW : LINE;
        height += has_line_below(row) ? LINE : 0;
        height += p->about.explain ? calls_in(row) * LINE : 0;
        break;
    case ROW_TITLE:
        height = TITLE;
        break;
    case ROW_OUTPUT:
        height *= (double)lines_of(row->text, SENTENCE - CLOCK - 7);
        break;
    case ROW_REMARK:
        height *= (double)lines_of(row->text, SENTENCE);
        break;
    case ROW_FOLD:
    case ROW_TOTAL:
        break;
    }
    return height;
}

double page_layout(struct page *p)
{
    double y = LINE;
    for (int i = 0; i < SVG_CAPTIONS; i++)
        y += p->about.caption[i][0] != '\0' ? LINE : 0;
    p->head = y;
    y += LINE + GAP;
    for (size_t i = 0; i < p->rows; i++) {
        y += i == SVG_HEAD && p->left_out > 0 ? ARROW : 0;
        p->y[i] = y;
        y += height_of(p, &p->row[i]);
    }
    p->foot = y + GAP;
    if (p->has_total)
        y += (double)lines_of(p->total.text, SENTENCE) * LINE;
    return y + LINE;
}

static void note_line(const char *line, void *to)
{
    ink_escape(to, line);
    putc('\n', to);
}

void page_describe(const struct page *p, FILE *to)
{
    struct list list = {.words = p->about.words,
                        .explain = p->about.explain,
                        .line = note_line,
                        .context = to};
    for (int i = 0; i < SVG_CAPTIONS; i++)
        if (p->about.caption[i][0] != '\0')
            note_line(p->about.caption[i], to);
    for (size_t i = 0; i < p->rows; i++)
        list_row(&p->row[i], &list);
    if (p->has_total)
        list_row(&p->total, &list);
}

static void draw_head(const struct page *p, FILE *to)
{
    char words[ROW_TEXT];
    double y = LINE;
    for (int i = 0; i < SVG_CAPTIONS; i++)
        if (p->about.caption[i][0] != '\0') {
            snprintf(words, sizeof words, "%s", p->about.caption[i]);
            words[width_fit(words, WIDTH - 2 * MARGIN)] = '\0';
            ink_words(to, column(MARGIN), y, INK_START, words, LOOK_PLAIN);
            y += LINE;
        }
    y = p->head + BASE;
    ink_words(to, column(AT_CLOCK), y, INK_END, "ms", LOOK_TITLE);
    ink_words(to, column(AT_CALLS), y, INK_START,
              words_host(&p->about.words, HOST_CLIENT, words, sizeof words),
              LOOK_TITLE);
    if (p->about.wire[0] != '\0')
        snprintf(words, sizeof words, _("wire, %s"), p->about.wire);
    else
        snprintf(words, sizeof words, "%s", _("wire"));
    ink_words(to, column(AT_BAR) + column(WIRE) / 2, y, INK_MIDDLE, words,
              LOOK_TITLE);
    ink_words(to, column(AT_CALLS2), y, INK_START,
              words_host(&p->about.words, HOST_SERVER, words, sizeof words),
              LOOK_TITLE);
    ink_words(to, column(AT_CLOCK2), y, INK_END, "ms", LOOK_TITLE);
}

void page_draw(const struct page *p, FILE *to, double x)
{
    fprintf(to, "<g transform='translate(%.1f,0)'>\n", x);
    draw_head(p, to);
    ink_bar(to, column(AT_BAR), p->head, p->foot);
    ink_bar(to, column(AT_BAR2), p->head, p->foot);
    for (size_t i = 0; i < p->rows; i++)
        if (p->row[i].kind == ROW_TITLE)
            ink_band(to, column(MARGIN), p->y[i] + GAP,
                     column(WIDTH - 2 * MARGIN), TITLE - 2 * GAP);
    for (size_t i = 0; i < p->rows; i++)
        if (p->row[i].kind == ROW_EVENT)
            draw_arrow(p, to, i);
    for (size_t i = 0; i < p->rows; i++)
        draw_words(p, to, i);
    if (p->left_out > 0)
        draw_count(to, p->y[SVG_HEAD] - ARROW + BASE, p->left_out,
                   _("... %llu rows more than a page takes are left out here"));
    if (p->has_total)
        draw_lines(to, MARGIN, p->foot + BASE, p->total.text, SENTENCE,
                   LOOK_TITLE);
    fputs("</g>\n", to);
}
