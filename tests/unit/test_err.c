/* SPDX-License-Identifier: MIT
 *
 * test_err: an error's words, the status that follows from errno, and that
 * what must be kept is kept.
 * Read next: test_opt.c.
 */
#include "err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void test_status(void **state)
{
    static const struct {
        int errnum;
        enum status status;
    } good[] = {
        {ECONNREFUSED, STATUS_REFUSED},
        {EHOSTUNREACH, STATUS_REFUSED},
        {ENETUNREACH, STATUS_REFUSED},
        {EADDRNOTAVAIL, STATUS_REFUSED},
        {ETIMEDOUT, STATUS_TIMEOUT},
        {ECONNRESET, STATUS_RESET},
        {ECONNABORTED, STATUS_RESET},
        {EPIPE, STATUS_RESET},
        {ENOTCONN, STATUS_RESET},
        {EACCES, STATUS_FAILED},
        {0, STATUS_FAILED},
        {-1, STATUS_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(err_status(good[i].errnum), good[i].status);
}

static void test_words(void **state)
{
    struct err e;
    (void)state;
    errno = ECONNREFUSED;
    assert_int_equal(err_sys(&e, "connect %s", "[::1]:7"), -1);
    assert_string_equal(e.text, "connect [::1]:7: Connection refused");
    assert_int_equal(e.status, STATUS_REFUSED);
    assert_int_equal(e.sys, ECONNREFUSED);
    assert_string_equal(e.advice, "");
    assert_int_equal(errno, ECONNREFUSED);

    assert_int_equal(err_advise(&e, "try port %d", 8), -1);
    assert_string_equal(e.advice, "try port 8");
    assert_int_equal(e.status, STATUS_REFUSED);

    assert_int_equal(err_set(&e, STATUS_USAGE, "port '%s'", "9x"), -1);
    assert_string_equal(e.text, "port '9x'");
    assert_int_equal(e.status, STATUS_USAGE);
    assert_int_equal(e.sys, 0);
    assert_string_equal(e.advice, "");
    assert_int_equal(errno, ECONNREFUSED);
}

static void test_long_words_are_cut(void **state)
{
    struct err e;
    char words[2000];
    (void)state;
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    errno = EPIPE;
    assert_int_equal(err_sys(&e, "%s", words), -1);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_int_equal(e.status, STATUS_RESET);
    err_advise(&e, "%s", words);
    assert_int_equal(strlen(e.advice), sizeof e.advice - 1);
    err_set(&e, STATUS_FAILED, "%s", words);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

static void test_nobody_wants_the_words(void **state)
{
    (void)state;
    errno = EINTR;
    assert_int_equal(err_sys(NULL, "%s", "x"), -1);
    assert_int_equal(err_set(NULL, STATUS_USAGE, "x"), -1);
    assert_int_equal(err_advise(NULL, "x"), -1);
    assert_int_equal(errno, EINTR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_long_words_are_cut),
        cmocka_unit_test(test_nobody_wants_the_words),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
