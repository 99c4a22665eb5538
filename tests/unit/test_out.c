/* SPDX-License-Identifier: MIT
 *
 * test_out: lines and NDJSON as they reach stdout and stderr, what a terminal
 * may see of a peer's bytes, and what happens when nothing can be written.
 * Read next: test_service.c.
 */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* While a test writes, descriptors 1 and 2 are files; the TAP goes where they
 * went before. */
static int saved[2] = {-1, -1};
static FILE *files[2];

static void capture(void)
{
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        files[i] = tmpfile();
        assert_non_null(files[i]);
        saved[i] = dup(1 + i);
        dup2(fileno(files[i]), 1 + i);
    }
}

/* Stops capturing; the caller frees what was written to descriptor FD. */
static char *captured(int fd)
{
    fflush(stdout);
    char *text = NULL;
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], 1 + i);
        close(saved[i]);
        off_t len = lseek(fileno(files[i]), 0, SEEK_END);
        if (fd == 1 + i) {
            text = calloc(1, (size_t)len + 1);
            assert_non_null(text);
            assert_int_equal(pread(fileno(files[i]), text, (size_t)len, 0),
                             len);
        }
        fclose(files[i]);
    }
    return text;
}

static void assert_captured(int fd, const char *expected)
{
    char *text = captured(fd);
    assert_string_equal(text, expected);
    free(text);
}

static void one_event(struct out *o)
{
    static const char *const list[] = {"a", "\xff"};
    out_begin(o, "closed");
    out_text(o, "peer", "127.0.0.1:7");
    out_text(o, "odd", "\x1b\xff\n");
    out_uint(o, "bytes", UINT64_MAX);
    out_int(o, "result", -1);
    out_bool(o, "partial", true);
    out_null(o, "end_ns");
    out_list(o, "args", list, 2);
    out_base64(o, "base64", "\0\xff\x10", 3);
    out_end(o, "closed, %d bytes", 5);
}

static void test_text(void **state)
{
    struct out o;
    (void)state;
    out_init(&o, "program", false, false);
    capture();
    one_event(&o);
    out_begin(&o, "silent");
    out_end(&o, NULL);
    assert_captured(1, "closed, 5 bytes\n");
}

static void test_quiet(void **state)
{
    struct out o;
    (void)state;
    out_init(&o, "program", false, true);
    capture();
    one_event(&o);
    out_begin(&o, "listening");
    out_end_always(&o, "listening tcp %s", "127.0.0.1:1");
    assert_captured(1, "listening tcp 127.0.0.1:1\n");
}

static void test_json(void **state)
{
    struct out o;
    (void)state;
    out_init(&o, "program", true, true); /* quiet is for text */
    capture();
    one_event(&o);
    out_begin(&o, "listening");
    out_end_always(&o, "not this");
    out_begin(&o, "call");
    out_end_talk(&o, "nor this");
    char *text = captured(1);
    char *second = strchr(text, '\n') + 1;
    json_t *event = json_loadb(text, (size_t)(second - text), 0, NULL);
    assert_non_null(event);
    assert_int_equal(json_integer_value(json_object_get(event, "schema")), 1);
    assert_string_equal(json_string_value(json_object_get(event, "event")),
                        "closed");
    assert_string_equal(json_string_value(json_object_get(event, "odd")),
                        "\\x1b\\xff\\n");
    assert_int_equal(json_integer_value(json_object_get(event, "bytes")),
                     INT64_MAX);
    assert_true(json_is_true(json_object_get(event, "partial")));
    assert_true(json_is_null(json_object_get(event, "end_ns")));
    json_t *args = json_object_get(event, "args");
    assert_string_equal(json_string_value(json_array_get(args, 1)), "\\xff");
    assert_string_equal(json_string_value(json_object_get(event, "base64")),
                        "AP8Q");
    json_decref(event);
    assert_string_equal(second, "{\"schema\":1,\"event\":\"listening\"}\n"
                                "{\"schema\":1,\"event\":\"call\"}\n");
    free(text);
}

/* RFC 4648, section 10. */
static void test_base64(void **state)
{
    static const char *const good[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct out o;
        char expected[100];
        out_init(&o, "program", true, false);
        capture();
        out_begin(&o, "data");
        out_base64(&o, "base64", good[i][0], strlen(good[i][0]));
        out_end(&o, NULL);
        snprintf(expected, sizeof expected,
                 "{\"schema\":1,\"event\":\"data\",\"base64\":\"%s\"}\n",
                 good[i][1]);
        assert_captured(1, expected);
    }
}

static void test_talk(void **state)
{
    struct out o;
    const struct err e = {.text = "bind: \x1b[31mno", .advice = "use 0"};
    (void)state;
    out_init(&o, "program", false, false);
    capture();
    out_begin(&o, "call");
    out_end_talk(&o, "close(3) = 0");
    out_say(&o, "%s", "h\xc3\xa9\x9b!");
    out_error(&o, &e);
    assert_captured(2, "close(3) = 0\n"
                       "program: h\xc3\xa9\\x9b!\n"
                       "program: bind: \\x1b[31mno\n"
                       "program: use 0\n");
}

/* What is too long is cut; the newline stays. */
static void test_long_lines(void **state)
{
    struct out o;
    char words[9000];
    (void)state;
    memset(words, '\x1b', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    out_init(&o, "program", false, false);
    capture();
    out_begin(&o, "x");
    out_end(&o, "%s", words);
    char *text = captured(1);
    assert_in_range(strlen(text), 100, 2048);
    assert_int_equal(text[strlen(text) - 1], '\n');
    free(text);
    capture();
    out_say(&o, "%s", words);
    text = captured(2);
    assert_in_range(strlen(text), 1000, 4200);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_null(strchr(text, '\x1b'));
    free(text);
}

static void test_terminal(void **state)
{
    static const char *const good[][2] = {
        {"plain\ttext\n", "plain\ttext\n"},
        {"\"quoted\" \\", "\"quoted\" \\"},
        {"\x1b[31m", "\\x1b[31m"},
        {"\x1b]52;c;aGk=\a", "\\x1b]52;c;aGk=\\a"},
        {"a\rb\bc\fd\ve\x7f", "a\\rb\\bc\\fd\\ve\\x7f"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
         "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\x9b"
         "2J",
         "\\x9b2J"}, /* C1 as a byte */
        {"\xc2\x9b"
         "2J",
         "\\xc2\\x9b2J"},                             /* and as UTF-8 */
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},          /* right to left */
        {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},          /* isolates */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond */
        {"\xe2\x82", "\\xe2\\x82"},                   /* cut */
        {"\xff\xfe", "\\xff\\xfe"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct out o;
        struct err e;
        out_init(&o, "program", false, false);
        capture();
        int result = out_bytes(&o, good[i][0], strlen(good[i][0]), true, &e);
        assert_captured(1, good[i][1]);
        assert_int_equal(result, 0);
    }
}

/* Without escape: all of it, NUL bytes too, and more than any buffer. */
static void test_bytes(void **state)
{
    enum { SIZE = 300000 };
    char *data = calloc(1, SIZE);
    struct out o;
    (void)state;
    assert_non_null(data);
    out_init(&o, "program", false, false);
    capture();
    int result = out_bytes(&o, data, SIZE, false, NULL);
    off_t plain = lseek(1, 0, SEEK_END);
    int escaped = out_bytes(&o, data, SIZE, true, NULL);
    off_t both = lseek(1, 0, SEEK_END);
    free(captured(1));
    assert_int_equal(result, 0);
    assert_int_equal(escaped, 0);
    assert_int_equal(plain, SIZE);
    assert_int_equal(both, SIZE + 4 * SIZE);
    free(data);
}

static void test_escape(void **state)
{
    static const struct {
        const char *in, *keep, *text;
        size_t cap;
    } good[] = {
        {"hello\n", "", "hello\\n", 80}, {"hello\n", "\n", "hello\n", 80},
        {"\"\\", "", "\\\"\\\\", 80},    {"\x01\x80", "", "\\x01\\x80", 80},
        {"abcdefgh", "", "abcdefgh", 9}, {"abcdefgh", "", "abcd...", 8},
        {"abc\x01", "", "abc...", 7},    {"abc\x01", "", "abc\\x01", 8},
        {"abcdefgh", "", "...", 4},      {"abcdefgh", "", "..", 3},
        {"abcdefgh", "", "", 1},         {"", "", "", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        char *buf = malloc(good[i].cap); /* exactly, for AddressSanitizer */
        assert_non_null(buf);
        assert_string_equal(out_escape(good[i].in, strlen(good[i].in),
                                       good[i].keep, buf, good[i].cap),
                            good[i].text);
        free(buf);
    }
}

/* A full disk is noted once, and stays noted. */
static void test_full(void **state)
{
    struct out o;
    struct err e;
    int full = open("/dev/full", O_WRONLY), null = open("/dev/null", O_WRONLY);
    (void)state;
    if (full < 0)
        skip();
    out_init(&o, "program", true, false);
    assert_int_equal(out_check(&o, &e), 0);
    capture();
    dup2(full, STDOUT_FILENO);
    one_event(&o);
    dup2(null, STDOUT_FILENO);
    one_event(&o);
    int result = out_bytes(&o, "x", 1, false, &e);
    free(captured(1));
    close(full);
    close(null);
    assert_int_equal(result, -1);
    assert_int_equal(e.status, STATUS_FAILED);
    assert_int_equal(e.sys, ENOSPC);
    assert_string_equal(e.text, "write stdout: No space left on device");
    assert_int_equal(out_check(&o, NULL), -1);
}

static void *many_lines(void *argument)
{
    struct out *o = argument;
    for (int i = 0; i < 500; i++) {
        out_begin(o, "x");
        out_text(o, "key", "value");
        out_end(o, "not this");
    }
    return NULL;
}

static void test_threads_do_not_mix(void **state)
{
    pthread_t threads[4];
    struct out o;
    (void)state;
    out_init(&o, "program", true, false);
    capture();
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, many_lines, &o);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    char *text = captured(1);
    static const char line[] =
        "{\"schema\":1,\"event\":\"x\",\"key\":\"value\"}\n";
    assert_int_equal(strlen(text), 2000 * (sizeof line - 1));
    for (char *p = text; *p != '\0'; p += sizeof line - 1)
        assert_memory_equal(p, line, sizeof line - 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_talk),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_threads_do_not_mix),
    };
    return cmocka_run_group_tests_name("out", tests, NULL, NULL);
}
