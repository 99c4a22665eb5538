/* SPDX-License-Identifier: MIT
 *
 * test_step: --step with a terminal of the test's own: nothing is shown
 * before a key, each key shows one event with its title and its remarks, the
 * question comes before an arrow, and the terminal is left as it was.
 * Read next: test_ladder.c, for where the rows come from.
 */
#include "step.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

struct scene {
    int master, keys; /* the terminal's two ends */
    FILE *talk;
    char *asked;
    size_t asked_size;
    char shown[64]; /* the first letter of each row's text */
    struct step *step;
};

static void show(const struct row *row, void *scene)
{
    struct scene *s = scene;
    size_t n = strlen(s->shown);
    assert_true(n + 1 < sizeof s->shown);
    s->shown[n] = row->text[0];
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){0};
    s->master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_int_not_equal(s->master, -1);
    assert_int_equal(grantpt(s->master), 0);
    assert_int_equal(unlockpt(s->master), 0);
    s->keys = open(ptsname(s->master), O_RDWR | O_NOCTTY);
    assert_int_not_equal(s->keys, -1);
    s->talk = open_memstream(&s->asked, &s->asked_size);
    assert_non_null(s->talk);
}

static void close_scene(struct scene *s)
{
    step_free(s->step);
    fclose(s->talk);
    free(s->asked);
    close(s->keys);
    close(s->master);
}

static void row(struct scene *s, enum row_kind kind, char name,
                enum row_wire wire)
{
    struct row r = {.kind = kind, .wire = wire, .text = {name}};
    step_row(&r, s->step);
}

static bool key(struct scene *s, char c)
{
    assert_int_equal(write(s->master, &c, 1), 1);
    return step_key(s->step);
}

static bool asks(struct scene *s)
{
    fflush(s->talk);
    const char *question = "Who sends next, and what? ";
    size_t n = strlen(question);
    return s->asked_size >= n &&
           strcmp(s->asked + s->asked_size - n, question) == 0;
}

static void test_keys(void **unused)
{
    struct scene s;
    (void)unused;
    open_scene(&s);
    s.step = step_new(s.keys, s.talk, show, &s);
    row(&s, ROW_TITLE, 'T', WIRE_NONE);
    row(&s, ROW_EVENT, 'a', WIRE_NONE);
    row(&s, ROW_REMARK, 'r', WIRE_NONE);
    row(&s, ROW_EVENT, 'b', WIRE_WHOLE);
    assert_string_equal(s.shown, "");
    assert_false(asks(&s));
    assert_true(key(&s, '\n'));
    assert_string_equal(s.shown, "Tar");
    assert_true(asks(&s));
    assert_true(step_waits(s.step));
    assert_true(key(&s, ' '));
    assert_string_equal(s.shown, "Tarb");
    assert_false(step_waits(s.step));
    /* a key too early is not forgotten */
    assert_true(key(&s, '\n'));
    row(&s, ROW_TITLE, 'U', WIRE_NONE);
    row(&s, ROW_EVENT, 'c', WIRE_LOST);
    assert_string_equal(s.shown, "TarbUc");
    row(&s, ROW_EVENT, 'd', WIRE_ARRIVES);
    assert_false(asks(&s)); /* an arrival is no sending */
    row(&s, ROW_EVENT, 'e', WIRE_LEAVES);
    assert_true(key(&s, 'a'));
    row(&s, ROW_EVENT, 'f', WIRE_WHOLE);
    assert_string_equal(s.shown, "TarbUcdef");
    assert_true(step_complete(s.step));
    close_scene(&s);
}

static void test_terminal(void **unused)
{
    struct scene s;
    struct termios before, during, after;
    (void)unused;
    open_scene(&s);
    assert_int_equal(tcgetattr(s.keys, &before), 0);
    s.step = step_new(s.keys, s.talk, show, &s);
    assert_int_equal(tcgetattr(s.keys, &during), 0);
    assert_int_equal(during.c_lflag & (tcflag_t)(ICANON | ECHO), 0);
    assert_int_not_equal(during.c_lflag & (tcflag_t)ISIG, 0);
    row(&s, ROW_EVENT, 'a', WIRE_WHOLE);
    assert_false(key(&s, 'q'));
    step_free(s.step);
    s.step = NULL;
    assert_int_equal(tcgetattr(s.keys, &after), 0);
    assert_int_equal(after.c_lflag, before.c_lflag);
    close_scene(&s);
}

/* A program that prints without end, and nobody who presses a key. */
static void test_too_many(void **unused)
{
    struct scene s;
    (void)unused;
    open_scene(&s);
    s.step = step_new(s.keys, s.talk, show, &s);
    for (int i = 0; i < 20000; i++)
        row(&s, ROW_OUTPUT, 'o', WIRE_NONE);
    assert_true(step_complete(s.step));
    row(&s, ROW_OUTPUT, 'o', WIRE_NONE);
    assert_false(step_complete(s.step));
    assert_true(key(&s, '\n'));
    assert_string_equal(s.shown, "o");
    close_scene(&s);
}

static void test_no_terminal(void **unused)
{
    struct scene s;
    int pipe_end[2];
    (void)unused;
    open_scene(&s);
    assert_int_equal(pipe(pipe_end), 0);
    s.step = step_new(pipe_end[0], s.talk, show, &s);
    row(&s, ROW_EVENT, 'a', WIRE_WHOLE);
    assert_string_equal(s.shown, "a");
    assert_false(step_waits(s.step));
    fflush(s.talk);
    assert_int_equal(s.asked_size, 0);
    close(pipe_end[1]);
    assert_false(step_key(s.step)); /* the end of input */
    close(pipe_end[0]);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
