/* SPDX-License-Identifier: MIT
 *
 * svg_page: one picture on a slide: its rows, where they stand, and how they
 * are drawn. First each row gets its place; then what lies below is drawn
 * before what lies above: bands, bars, arrows, words.
 * For svg.c.
 */
#ifndef WIRELAB_SVG_PAGE_H
#define WIRELAB_SVG_PAGE_H

#include "svg.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct page {
    struct svg_picture about;
    size_t rows;
    uint64_t left_out; /* rows between the first SVG_HEAD and the others */
    bool has_total;
    struct row total;
    struct row row[SVG_ROWS];
    double y[SVG_ROWS]; /* its upper edge; set by page_layout */
    double head, foot;  /* where the bars begin and end; likewise */
};

double page_width(void);

/* Gives each row its place. Returns the height of all. */
double page_layout(struct page *p);

/* In sentences; then as a picture, its upper left corner at X, 0. */
void page_describe(const struct page *p, FILE *to);
void page_draw(const struct page *p, FILE *to, double x);

#endif
