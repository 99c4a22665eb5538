/* SPDX-License-Identifier: MIT
 *
 * arrow: a frame on its way, in ASCII. See arrow.h for the contract.
 */
#include "arrow.h"

#include <string.h>

/* The head keeps its place; the tail goes if the label needs it. */
void arrow_whole(char *out, int width, const char *label, char head,
                 bool to_right)
{
    int len = (int)strlen(label);
    int tail = len <= width - (to_right ? 4 : 5) ? 2 : 0;
    int dashes = width - len - tail - 1;
    memset(out, ' ', (size_t)width);
    out[width] = '\0';
    if (dashes < 1)
        dashes = 1;
    if (to_right) {
        memcpy(out, "- ", (size_t)tail);
        memcpy(out + tail, label, (size_t)len);
        memset(out + width - dashes, '-', (size_t)dashes);
        out[width - 1] = head;
    } else {
        memset(out, '-', (size_t)dashes);
        out[0] = head;
        memcpy(out + width - tail - len, label, (size_t)len);
        memcpy(out + width - tail, " -", (size_t)tail);
    }
}

/* The gaps begin behind the label. */
void arrow_half(char *out, int width, const char *label, bool leaves,
                bool to_right)
{
    char line[CANVAS_MAX]; /* as if the end that is shown were at the left */
    int len = (int)strlen(label), start = leaves ? 2 : 3;
    int gaps = len > 0 ? start + len : start - 1;
    bool mirrored = leaves != to_right;
    memcpy(line, leaves ? "- " : to_right ? ">- " : "<- ", (size_t)start);
    for (int i = gaps; i < width; i++)
        line[i] = (i - gaps) % 2 == 0 ? ' ' : '-';
    for (int i = 0; i < width; i++)
        out[mirrored ? width - 1 - i : i] = line[i];
    memcpy(out + (mirrored ? width - start - len : start), label, (size_t)len);
    out[width] = '\0';
}
