/* SPDX-License-Identifier: MIT
 *
 * lex: the words of an expectation, one at a time, with the place where each
 * stands, so that an error can name the word at fault.
 * Read next: pattern.h.
 */
#ifndef WIRELAB_LEX_H
#define WIRELAB_LEX_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,      /* SYN+ACK, accept..., 6, x+1 */
    TOKEN_STRING,    /* "hello\n": at and len are without the quotes */
    TOKEN_COMPARE,   /* = != < <= > >= */
    TOKEN_SEPARATOR, /* ; or the end of a line */
    TOKEN_COMMA,
    TOKEN_AND, /* & */
    TOKEN_COLON,
    TOKEN_BAD, /* a byte that no word has, a string without its end */
};

struct token {
    enum token_kind kind;
    const char *at;
    size_t len;
};

struct lex {
    struct token now; /* the token to look at */
    const char *rest; /* what stands behind it */
    const char *last; /* where the token before it ended */
    const char *name; /* what is read, for errors: "--expect", a file */
    unsigned line;    /* of now, from 1 */
    bool many_lines;  /* then errors say which */
};

/* Begins with the first token of TEXT, which must last as long as *l. */
void lex_begin(struct lex *l, const char *name, const char *text);

/* Goes on to the next token. A comment, from # to the end of its line, is
 * none. */
void lex_next(struct lex *l);

/* Is the current token this word? lex_take also goes on if it is. */
bool lex_is(const struct lex *l, const char *word);
bool lex_take(struct lex *l, const char *word);

/* If the current token is a decimal number, takes it. */
bool lex_number(struct lex *l, uint64_t *n);

/* The current string token with its escapes (\n \t \\ \" \xNN) resolved, into
 * BUF; takes it. 0, or -1 and *e: no string, too long, an unknown escape. */
int lex_string(struct lex *l, char *buf, size_t cap, size_t *len,
               struct err *e);

/* Returns -1 and *e (STATUS_USAGE): the current token "is not ALLOWED",
 * which is in English and marked for translation. */
int lex_refuse(const struct lex *l, struct err *e, const char *allowed);

#endif
