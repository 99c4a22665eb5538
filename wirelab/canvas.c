/* SPDX-License-Identifier: MIT
 *
 * canvas: one line of the picture. See canvas.h for the contract.
 */
#include "canvas.h"

#include <stdio.h>
#include <string.h>

/* What one column takes at most: a change of colour and a character. */
#define COLUMN_BYTES 16

void canvas_clear(struct canvas *c)
{
    memset(c->ch, ' ', sizeof c->ch);
    memset(c->look, LOOK_PLAIN, sizeof c->look);
}

void canvas_paint(struct canvas *c, int column, const char *words,
                  enum look look)
{
    for (; *words != '\0' && column < c->width; words++, column++) {
        if (column < 0)
            continue;
        c->ch[column] = *words;
        c->look[column] = (unsigned char)look;
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
    while (end > 0 && c->ch[end - 1] == ' ')
        end--;
    for (int i = 0; i < end; i++) {
        enum look look = (enum look)c->look[i];
        const char *drawn =
            c->utf8 && look == LOOK_DRAWN ? utf8(c->ch[i]) : NULL;
        if (c->colour && look != now)
            at = stpcpy(stpcpy(at, "\x1b[0m"), colours[look]);
        now = look;
        if (drawn != NULL)
            at = stpcpy(at, drawn);
        else
            *at++ = c->ch[i];
    }
    strcpy(at, c->colour && now != LOOK_PLAIN ? "\x1b[0m" : "");
    c->line(out, c->context);
}
