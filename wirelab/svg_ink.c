/* SPDX-License-Identifier: MIT
 *
 * svg_ink: marks on a page of SVG. See svg_ink.h for the contract.
 */
#include "svg_ink.h"

#include "width.h"

#include <string.h>

/* What goes with a look. All are dark enough to be told from white in grey,
 * and none says by colour alone what it means. */
static const char *const attributes[] = {
    [LOOK_PLAIN] = "",
    [LOOK_DRAWN] = "",
    [LOOK_STATE] = " fill='#003a8c' font-weight='bold'",
    [LOOK_TROUBLE] = " fill='#a30000' font-weight='bold'",
    [LOOK_TITLE] = " font-weight='bold'",
    [LOOK_ASIDE] = " fill='#404040' font-style='italic'",
};

static const char *const anchors[] = {"start", "middle", "end"};

void ink_escape(FILE *to, const char *words)
{
    int columns;
    for (size_t n; (n = width_char(words, &columns)) > 0; words += n) {
        switch (*words) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        default:
            if (n > 1 || (*words >= ' ' && *words <= '~'))
                fwrite(words, 1, n, to);
            else
                putc('?', to);
        }
    }
}

void ink_begin(FILE *to, double width, double height, const char *title)
{
    fprintf(to,
            "<svg xmlns='http://www.w3.org/2000/svg' role='img' "
            "aria-labelledby='title desc'\n"
            "     width='%.0f' height='%.0f' viewBox='0 0 %.0f %.0f'>\n"
            "<title id='title'>",
            width, height, width, height);
    ink_escape(to, title);
    fputs("</title>\n<desc id='desc'>", to);
}

/* The head of the arrows lies with its point on the end of the line. */
void ink_end_description(FILE *to)
{
    fprintf(to,
            "</desc>\n"
            "<defs><marker id='head' markerUnits='userSpaceOnUse' "
            "orient='auto'\n"
            "  markerWidth='18' markerHeight='16' refX='17' refY='8'>"
            "<path d='M0,0 L18,8 L0,16 Z'/></marker></defs>\n"
            "<rect width='100%%' height='100%%' fill='white'/>\n"
            "<g font-family='DejaVu Sans Mono, Menlo, Consolas, Liberation "
            "Mono, monospace'\n"
            "   font-size='%d' xml:space='preserve'>\n",
            INK_FONT);
}

void ink_finish(FILE *to)
{
    fputs("</g>\n</svg>\n", to);
}

void ink_words(FILE *to, double x, double y, enum ink_anchor anchor,
               const char *words, enum look look)
{
    fprintf(to, "<text x='%.1f' y='%.1f' text-anchor='%s'%s>", x, y,
            anchors[anchor], attributes[look]);
    ink_escape(to, words);
    fputs("</text>\n", to);
}

static double breadth(const char *words)
{
    return width_of(words) * INK_CHAR;
}

/* The left edge of something so wide. */
static double left_of(double x, double width, enum ink_anchor anchor)
{
    return anchor == INK_START    ? x
           : anchor == INK_MIDDLE ? x - width / 2
                                  : x - width;
}

void ink_words_over(FILE *to, double x, double y, enum ink_anchor anchor,
                    const char *words, enum look look)
{
    double width = breadth(words);
    fprintf(to,
            "<rect x='%.1f' y='%.1f' width='%.1f' height='%d' "
            "fill='white'/>\n",
            left_of(x, width, anchor) - 3, y - INK_FONT + 3, width + 6,
            INK_FONT + 3);
    ink_words(to, x, y, anchor, words, look);
}

void ink_boxed(FILE *to, double x, double y, enum ink_anchor anchor,
               const char *words, enum look look)
{
    double width = breadth(words) + 10, left = left_of(x, width, anchor);
    fprintf(to,
            "<rect x='%.1f' y='%.1f' width='%.1f' height='%d' rx='5' "
            "fill='white' stroke='#003a8c' stroke-width='1.5'/>\n",
            left, y - INK_FONT + 2, width, INK_FONT + 6);
    ink_words(to, left + width / 2, y, INK_MIDDLE, words, look);
}

void ink_arrow(FILE *to, double x1, double y1, double x2, double y2,
               bool dashed, enum ink_end end)
{
    fprintf(to,
            "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='black' "
            "stroke-width='2.5'%s%s/>\n",
            x1, y1, x2, y2, dashed ? " stroke-dasharray='12 8'" : "",
            end == INK_HEAD ? " marker-end='url(#head)'" : "");
}

void ink_cross(FILE *to, double x, double y)
{
    fprintf(to,
            "<path d='M%.1f,%.1f l16,16 m0,-16 l-16,16' stroke='#a30000' "
            "stroke-width='4' fill='none'/>\n",
            x - 8, y - 8);
}

void ink_bar(FILE *to, double x, double y1, double y2)
{
    fprintf(to,
            "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#808080' "
            "stroke-width='3'/>\n",
            x, y1, x, y2);
}

void ink_band(FILE *to, double x, double y, double width, double height)
{
    fprintf(to,
            "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' "
            "fill='#e4e4e4'/>\n",
            x, y, width, height);
}
