/* SPDX-License-Identifier: MIT
 *
 * arrow: a frame on its way, in ASCII. See arrow.h for the contract.
 */
#include "arrow.h"

#include "width.h"

#include <stdio.h>
#include <string.h>

/* LINE with the label in place of its columns from AT on. */
static void lay_label(char *out, const char *line, int at, const char *label)
{
    sprintf(out, "%.*s%s%s", at, line, label, line + at + width_of(label));
}

/* The head keeps its place; the tail goes if the label needs it. */
void arrow_whole(char *out, int width, const char *label, char head,
                 bool to_right)
{
    char line[CANVAS_MAX + 1];
    int len = width_of(label);
    int tail = len <= width - (to_right ? 4 : 5) ? 2 : 0;
    int dashes = width - len - tail - 1;
    memset(line, ' ', (size_t)width);
    line[width] = '\0';
    if (dashes < 1)
        dashes = 1;
    if (to_right) {
        memcpy(line, "- ", (size_t)tail);
        memset(line + width - dashes, '-', (size_t)dashes);
        line[width - 1] = head;
    } else {
        memset(line, '-', (size_t)dashes);
        line[0] = head;
        memcpy(line + width - tail, " -", (size_t)tail);
    }
    lay_label(out, line, to_right ? tail : width - tail - len, label);
}

/* The gaps begin behind the label. */
void arrow_half(char *out, int width, const char *label, bool leaves,
                bool to_right)
{
    char line[CANVAS_MAX + 1]; /* as if the end shown were at the left */
    char mirror[CANVAS_MAX + 1];
    int len = width_of(label), start = leaves ? 2 : 3;
    int gaps = len > 0 ? start + len : start - 1;
    bool mirrored = leaves != to_right;
    memset(line, ' ', (size_t)width);
    memcpy(line, leaves ? "- " : to_right ? ">- " : "<- ", (size_t)start);
    for (int i = gaps; i < width; i++)
        line[i] = (i - gaps) % 2 == 0 ? ' ' : '-';
    for (int i = 0; i < width; i++)
        mirror[i] = line[width - 1 - i];
    line[width] = mirror[width] = '\0';
    lay_label(out, mirrored ? mirror : line,
              mirrored ? width - start - len : start, label);
}
