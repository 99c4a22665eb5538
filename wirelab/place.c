/* SPDX-License-Identifier: MIT
 *
 * place: words for so many columns. See place.h for the contract.
 */
#include "place.h"

#include "width.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool place_fit(const struct place *p, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(p->buf, p->cap, format, ap);
    va_end(ap);
    return n >= 0 && (size_t)n < p->cap && (size_t)width_of(p->buf) <= p->width;
}

void place_cut(const struct place *p)
{
    width_mend(p->buf); /* which cap may have cut */
    p->buf[width_fit(p->buf, (int)p->width)] = '\0';
}

/* May no line begin with this character? */
static bool clings(const char *c)
{
    static const char *const marks[] = {"，", "。", "；", "：", "、",
                                        "？", "！", "）", "》"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strncmp(c, marks[i], strlen(marks[i])) == 0)
            return true;
    return false;
}

static bool opens(const char *c)
{
    return strncmp(c, "（", strlen("（")) == 0 ||
           strncmp(c, "《", strlen("《")) == 0;
}

int place_line(const char *words, int room)
{
    int width, last_width = 1, best = 0, at = 0;
    const char *last = "";
    for (size_t n; (n = width_char(words + at, &width)) > 0; at += (int)n) {
        const char *c = words + at;
        bool wide = width == 2 || last_width == 2;
        if (*c == ' ' || (wide && *last != ' ' && !clings(c) && !opens(last)))
            best = at;
        if (width > room)
            return best > 0 ? best : at > 0 ? at : (int)n;
        room -= width;
        last_width = width;
        last = c;
    }
    return at;
}

const char *place_next(const char *words, int n)
{
    for (words += n; *words == ' ';)
        words++;
    return words;
}
