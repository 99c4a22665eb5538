/* SPDX-License-Identifier: MIT
 *
 * canvas: one line of the picture. See canvas.h for the contract.
 */
#include "canvas.h"

#include "width.h"

#include <stdio.h>
#include <string.h>

/* What one column takes at most: a change of colour and a character. */
#define COLUMN_BYTES 16

static void put(struct canvas *c, int column, const char *bytes, size_t len,
                enum look look)
{
    struct canvas_cell *cell = &c->at[column];
    memcpy(cell->bytes, bytes, len);
    cell->bytes[len] = '\0';
    cell->look = (unsigned char)look;
}

void canvas_clear(struct canvas *c)
{
    for (int column = 0; column < CANVAS_MAX; column++)
        put(c, column, " ", 1, LOOK_PLAIN);
}

static bool is_second_half(const struct canvas *c, int column)
{
    return column < c->width && c->at[column].bytes[0] == '\0';
}

/* Columns FROM to END are about to be painted: a wide character that only half
 * lies there goes. */
static void make_room(struct canvas *c, int from, int end)
{
    if (is_second_half(c, from))
        put(c, from - 1, " ", 1, LOOK_PLAIN);
    if (is_second_half(c, end))
        put(c, end, " ", 1, LOOK_PLAIN);
}

void canvas_paint(struct canvas *c, int column, const char *words,
                  enum look look)
{
    int width;
    size_t n;
    for (; (n = width_char(words, &width)) > 0; words += n, column += width) {
        if (column + width > c->width)
            break;
        if (column < 0 || width == 0 || n >= sizeof c->at->bytes)
            continue; /* a mark of its own is not shown */
        make_room(c, column, column + width);
        put(c, column, words, n, look);
        if (width == 2)
            put(c, column + 1, "", 0, look);
    }
}

static const char *const colours[] = {
    [LOOK_PLAIN] = "",         [LOOK_DRAWN] = "\x1b[2m",
    [LOOK_STATE] = "\x1b[36m", [LOOK_TROUBLE] = "\x1b[31m",
    [LOOK_TITLE] = "\x1b[1m",  [LOOK_ASIDE] = "\x1b[2m",
};

/* The box characters and arrows, for what is drawn. */
static const char *utf8(char c)
{
    switch (c) {
    case '|':
        return "\xe2\x94\x82";
    case '-':
        return "\xe2\x94\x80";
    case '>':
        return "\xe2\x86\x92";
    case '<':
        return "\xe2\x86\x90";
    default:
        return NULL;
    }
}

void canvas_flush(struct canvas *c)
{
    char out[CANVAS_MAX * COLUMN_BYTES + COLUMN_BYTES];
    char *at = out;
    int end = c->width;
    enum look now = LOOK_PLAIN;
    while (end > 0 && strcmp(c->at[end - 1].bytes, " ") == 0)
        end--;
    for (int i = 0; i < end; i++) {
        enum look look = (enum look)c->at[i].look;
        const char *bytes = c->at[i].bytes;
        const char *drawn = c->utf8 && look == LOOK_DRAWN ? utf8(*bytes) : NULL;
        if (c->colour && look != now)
            at = stpcpy(stpcpy(at, "\x1b[0m"), colours[look]);
        now = look;
        at = stpcpy(at, drawn != NULL ? drawn : bytes);
    }
    strcpy(at, c->colour && now != LOOK_PLAIN ? "\x1b[0m" : "");
    c->line(out, c->context);
}
